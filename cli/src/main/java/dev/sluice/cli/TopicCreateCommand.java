package dev.sluice.cli;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.CreateTopicsResult;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.errors.TopicExistsException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/// `sluice topic create NAME`.
final class TopicCreateCommand extends OneTopicCommand {
    @Override
    public CommandSpec spec() {
        return spec(
                "Create a topic.",
                "sluice topic create logs --partitions 4 --config max.message.bytes=8388608",
                Ordered.map(
                        Map.entry("0", "created"),
                        Map.entry("1", "no broker answers, or it refused: the topic exists, a bad name or setting"),
                        Map.entry("2", "bad arguments")),
                partitionsOption("How many partitions. Default: the broker's num.partitions."),
                Specs.repeated(
                        "--config",
                        "KEY=VALUE",
                        "A setting of the topic, for example max.message.bytes=8388608. May be repeated."),
                Specs.flag("--if-not-exists", "Do nothing, and succeed, if the topic exists already."));
    }

    @Override
    Work prepare(String topic, ParseResult parsed) throws CommandFailure {
        @Nullable Integer partitions = partitions(parsed);
        Map<String, String> configs =
                KeyValue.parseAll("--config", parsed.matchedOptionValue("--config", List.<String>of()));
        boolean mayExist = parsed.matchedOptionValue("--if-not-exists", false);
        String doing = "create topic " + topic;
        return (session, out) -> {
            NewTopic wanted = new NewTopic(topic, Optional.ofNullable(partitions), Optional.empty()).configs(configs);
            CreateTopicsResult result = session.admin().createTopics(List.of(wanted));
            try {
                session.await(doing, result.values().get(topic));
            } catch (CommandFailure e) {
                if (!mayExist || !(e.getCause() instanceof TopicExistsException)) {
                    throw e;
                }
                out.println("topic " + topic + " exists already");
                return;
            }
            int created = session.await(doing, result.numPartitions(topic));
            out.println("created topic " + topic + " with " + HumanFormat.count(created, "partition"));
        };
    }
}
