package dev.sluice.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.common.config.ConfigResource;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/// `sluice topic alter NAME`: other settings, more partitions. Settings are changed together or not at all, and before
/// partitions are made.
final class TopicAlterCommand implements Command {
    @Override
    public CommandSpec spec() {
        CommandSpec spec = Specs.of(this, "Change a topic's settings, or give it more partitions.");
        spec.addPositional(TopicName.parameter("NAME", "The topic."));
        spec.addOption(OptionSpec.builder("--config")
                .paramLabel("KEY=VALUE")
                .type(List.class)
                .auxiliaryTypes(String.class)
                .description("Set a setting of the topic, for example retention.ms=3600000. May be repeated.")
                .build());
        spec.addOption(OptionSpec.builder("--delete-config")
                .paramLabel("KEY")
                .type(List.class)
                .auxiliaryTypes(String.class)
                .description("Let the broker's value hold again. May be repeated.")
                .build());
        spec.addOption(OptionSpec.builder("--partitions")
                .paramLabel("N")
                .type(Integer.class)
                .description("How many partitions it is to have: more than now.")
                .build());
        ClientOptions.addTo(spec);
        Specs.example(spec, "sluice topic alter logs --config retention.ms=3600000");
        Specs.exitCodes(
                spec,
                Ordered.map(
                        Map.entry("0", "changed"),
                        Map.entry(
                                "1",
                                "no broker answers, or it refused: no such topic, a bad setting, too few partitions"),
                        Map.entry("2", "bad arguments")));
        return spec;
    }

    @Override
    public int run(ParseResult parsed, Surroundings surroundings) throws CommandFailure {
        ClientOptions options = ClientOptions.from(parsed, surroundings.environment());
        String name = TopicName.from(parsed);
        Map<String, String> set =
                KeyValue.parseAll("--config", parsed.matchedOptionValue("--config", List.<String>of()));
        List<String> deleted = parsed.matchedOptionValue("--delete-config", List.<String>of());
        @Nullable Integer partitions = parsed.matchedOptionValue("--partitions", null);
        if (set.isEmpty() && deleted.isEmpty() && partitions == null) {
            throw CommandFailure.usage("say what to change: --config KEY=VALUE, --delete-config KEY or --partitions N");
        }
        if (partitions != null && partitions < 1) {
            throw CommandFailure.usage("--partitions must be 1 or more, not " + partitions);
        }
        List<AlterConfigOp> changes = new ArrayList<>();
        set.forEach((key, value) -> changes.add(new AlterConfigOp(new ConfigEntry(key, value), OpType.SET)));
        deleted.forEach(key -> changes.add(new AlterConfigOp(new ConfigEntry(key, null), OpType.DELETE)));
        String doing = "alter topic " + name;
        try (AdminSession session = AdminSession.open(options)) {
            if (!changes.isEmpty()) {
                ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, name);
                session.await(
                        doing,
                        session.admin()
                                .incrementalAlterConfigs(Map.of(topic, changes))
                                .all());
            }
            if (partitions != null) {
                session.await(
                        doing,
                        session.admin()
                                .createPartitions(Map.of(name, NewPartitions.increaseTo(partitions)))
                                .all());
            }
            surroundings.out().println("changed topic " + name);
            return ExitCode.OK;
        }
    }
}
