package dev.sluice.cli;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.CreateTopicsResult;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.errors.TopicExistsException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/// `sluice topic create NAME`.
final class TopicCreateCommand implements Command {
    @Override
    public CommandSpec spec() {
        CommandSpec spec = Specs.of(this, "Create a topic.");
        spec.addPositional(TopicName.parameter("NAME", "The topic."));
        spec.addOption(OptionSpec.builder("--partitions")
                .paramLabel("N")
                .type(Integer.class)
                .description("How many partitions. Default: the broker's num.partitions.")
                .build());
        spec.addOption(OptionSpec.builder("--config")
                .paramLabel("KEY=VALUE")
                .type(List.class)
                .auxiliaryTypes(String.class)
                .description("A setting of the topic, for example max.message.bytes=8388608. May be repeated.")
                .build());
        spec.addOption(OptionSpec.builder("--if-not-exists")
                .type(boolean.class)
                .arity("0")
                .description("Do nothing, and succeed, if the topic exists already.")
                .build());
        ClientOptions.addTo(spec);
        Specs.example(spec, "sluice topic create logs --partitions 4 --config max.message.bytes=8388608");
        Specs.exitCodes(
                spec,
                Ordered.map(
                        Map.entry("0", "created"),
                        Map.entry("1", "no broker answers, or it refused: the topic exists, a bad name or setting"),
                        Map.entry("2", "bad arguments")));
        return spec;
    }

    @Override
    public int run(ParseResult parsed, Surroundings surroundings) throws CommandFailure {
        ClientOptions options = ClientOptions.from(parsed, surroundings.environment());
        String name = TopicName.from(parsed);
        Integer partitions = parsed.matchedOptionValue("--partitions", null);
        if (partitions != null && partitions < 1) {
            throw CommandFailure.usage("--partitions must be 1 or more, not " + partitions);
        }
        Map<String, String> configs =
                KeyValue.parseAll("--config", parsed.matchedOptionValue("--config", List.<String>of()));
        boolean mayExist = parsed.matchedOptionValue("--if-not-exists", false);
        try (AdminSession session = AdminSession.open(options)) {
            NewTopic topic = new NewTopic(name, Optional.ofNullable(partitions), Optional.empty()).configs(configs);
            CreateTopicsResult result = session.admin().createTopics(List.of(topic));
            try {
                session.await("create topic " + name, result.values().get(name));
            } catch (CommandFailure e) {
                if (mayExist && e.getCause() instanceof TopicExistsException) {
                    surroundings.out().println("topic " + name + " exists already");
                    return ExitCode.OK;
                }
                throw e;
            }
            int created = session.await("create topic " + name, result.numPartitions(name));
            surroundings.out().println("created topic " + name + " with " + HumanFormat.count(created, "partition"));
            return ExitCode.OK;
        }
    }
}
