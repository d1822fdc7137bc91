package dev.sluice.cli;

import java.io.PrintStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/// `sluice topic describe NAME`: its partitions, the offsets they hold, and the settings that differ from the defaults.
final class TopicDescribeCommand extends OneTopicCommand {
    @Override
    public CommandSpec spec() {
        return spec(
                "Show a topic's partitions, offsets and own settings.",
                "sluice topic describe logs",
                Ordered.map(
                        Map.entry("0", "done"),
                        Map.entry("1", "no broker answers, or it has no such topic"),
                        Map.entry("2", "bad arguments")));
    }

    @Override
    Work prepare(String name, ParseResult parsed) {
        return (session, out) -> describe(name, session, out);
    }

    private static void describe(String name, AdminSession session, PrintStream out) throws CommandFailure {
        String doing = "describe topic " + name;
        TopicDescription topic = session.await(
                doing,
                session.admin().describeTopics(List.of(name)).topicNameValues().get(name));
        Map<TopicPartition, ListOffsetsResultInfo> first = offsets(session, doing, topic, OffsetSpec.earliest());
        Map<TopicPartition, ListOffsetsResultInfo> end = offsets(session, doing, topic, OffsetSpec.latest());

        out.println("topic " + name + ": "
                + HumanFormat.count(topic.partitions().size(), "partition") + ", id " + topic.topicId());
        TextTable table = new TextTable(0, "partition", "leader", "replicas", "first offset", "end offset");
        for (TopicPartitionInfo partition : topic.partitions()) {
            TopicPartition id = new TopicPartition(name, partition.partition());
            table.row(
                    partition.partition(),
                    partition.leader() == null ? "none" : partition.leader().idString(),
                    partition.replicas().size(),
                    offset(first.get(id)),
                    offset(end.get(id)));
        }
        table.print(out);
        for (ConfigEntry entry : ownSettings(session, doing, name)) {
            out.println("config " + entry.name() + "=" + entry.value());
        }
    }

    private static String offset(@org.jspecify.annotations.Nullable ListOffsetsResultInfo info) {
        return info == null ? "?" : String.valueOf(info.offset());
    }

    private static Map<TopicPartition, ListOffsetsResultInfo> offsets(
            AdminSession session, String doing, TopicDescription topic, OffsetSpec which) throws CommandFailure {
        Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
        for (TopicPartitionInfo partition : topic.partitions()) {
            if (partition.leader() != null) {
                asked.put(new TopicPartition(topic.name(), partition.partition()), which);
            }
        }
        return session.await(doing, session.admin().listOffsets(asked).all());
    }

    private static List<ConfigEntry> ownSettings(AdminSession session, String doing, String name)
            throws CommandFailure {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, name);
        Config config;
        try {
            config = session.await(
                    doing,
                    session.admin().describeConfigs(List.of(resource)).values().get(resource));
        } catch (CommandFailure e) {
            if (e.getCause() instanceof UnsupportedVersionException) {
                // A broker without DescribeConfigs: what it has told so far is worth showing.
                return List.of();
            }
            throw e;
        }
        return config.entries().stream()
                .filter(entry -> entry.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG)
                .toList();
    }
}
