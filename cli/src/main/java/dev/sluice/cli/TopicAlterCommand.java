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
import picocli.CommandLine.ParseResult;

/// `sluice topic alter NAME`: other settings, more partitions. Settings are changed together or not at all, and before
/// partitions are made.
final class TopicAlterCommand extends OneTopicCommand {
    @Override
    public CommandSpec spec() {
        return spec(
                "Change a topic's settings, or give it more partitions.",
                "sluice topic alter logs --config retention.ms=3600000",
                Ordered.map(
                        Map.entry("0", "changed"),
                        Map.entry(
                                "1",
                                "no broker answers, or it refused: no such topic, a bad setting, too few partitions"),
                        Map.entry("2", "bad arguments")),
                Specs.repeated(
                        "--config",
                        "KEY=VALUE",
                        "Set a setting of the topic, for example retention.ms=3600000. May be repeated."),
                Specs.repeated("--delete-config", "KEY", "Let the broker's value hold again. May be repeated."),
                partitionsOption("How many partitions it is to have: more than now."));
    }

    @Override
    Work prepare(String topic, ParseResult parsed) throws CommandFailure {
        Map<String, String> set =
                KeyValue.parseAll("--config", parsed.matchedOptionValue("--config", List.<String>of()));
        List<String> deleted = parsed.matchedOptionValue("--delete-config", List.<String>of());
        @Nullable Integer partitions = partitions(parsed);
        if (set.isEmpty() && deleted.isEmpty() && partitions == null) {
            throw CommandFailure.usage("say what to change: --config KEY=VALUE, --delete-config KEY or --partitions N");
        }
        List<AlterConfigOp> changes = new ArrayList<>();
        set.forEach((key, value) -> changes.add(new AlterConfigOp(new ConfigEntry(key, value), OpType.SET)));
        deleted.forEach(key -> changes.add(new AlterConfigOp(new ConfigEntry(key, null), OpType.DELETE)));
        String doing = "alter topic " + topic;
        return (session, out) -> {
            if (!changes.isEmpty()) {
                ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
                session.await(
                        doing,
                        session.admin()
                                .incrementalAlterConfigs(Map.of(resource, changes))
                                .all());
            }
            if (partitions != null) {
                session.await(
                        doing,
                        session.admin()
                                .createPartitions(Map.of(topic, NewPartitions.increaseTo(partitions)))
                                .all());
            }
            out.println("changed topic " + topic);
        };
    }
}
