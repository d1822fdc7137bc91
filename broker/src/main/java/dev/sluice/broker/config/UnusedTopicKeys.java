package dev.sluice.broker.config;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Keys of Kafka for topics that are taken and change nothing here, because what they steer does not exist on one node
/// or has no use: programs that set them get what they want. Each is stored, checked as Kafka checks it, and told.
///
/// Those that would promise something that is not done take the one value that promises nothing.
final class UnusedTopicKeys {
    private static final String NOT_COMPACTED = "compacted topics keep all records in this version";
    private static final String ONE_NODE = "there is one node, and one copy";
    private static final String NOT_TIERED = "records lie on the local disk alone";

    /// @param key          under the topic's name of it
    /// @param brokersName  Kafka's name for the broker-wide default, told as the default's name
    private record Unused(ConfigKey<?> key, String brokersName, String why) {}

    private static final List<Unused> KEYS = List.of(
            unused(
                    ConfigKey.longInteger("delete.retention.ms", 86_400_000, 0, Long.MAX_VALUE, ""),
                    "log.cleaner.delete.retention.ms",
                    NOT_COMPACTED),
            unused(
                    ConfigKey.longInteger("min.compaction.lag.ms", 0, 0, Long.MAX_VALUE, ""),
                    "log.cleaner.min.compaction.lag.ms",
                    NOT_COMPACTED),
            unused(
                    ConfigKey.longInteger("max.compaction.lag.ms", Long.MAX_VALUE, 1, Long.MAX_VALUE, ""),
                    "log.cleaner.max.compaction.lag.ms",
                    NOT_COMPACTED),
            unused(
                    new ConfigKey<>(
                            "min.cleanable.dirty.ratio",
                            "0.5",
                            ConfigKey.Kind.DOUBLE,
                            "a number from 0 to 1",
                            "",
                            UnusedTopicKeys::ratio),
                    "log.cleaner.min.cleanable.ratio",
                    NOT_COMPACTED),
            unused(
                    ConfigKey.integer("min.insync.replicas", 1, 1, Integer.MAX_VALUE, ""),
                    "min.insync.replicas",
                    ONE_NODE),
            unused(
                    ConfigKey.bool("unclean.leader.election.enable", false, ""),
                    "unclean.leader.election.enable",
                    ONE_NODE),
            unused(list("leader.replication.throttled.replicas"), "", ONE_NODE),
            unused(list("follower.replication.throttled.replicas"), "", ONE_NODE),
            unused(
                    ConfigKey.longInteger("file.delete.delay.ms", 60_000, 0, Long.MAX_VALUE, ""),
                    "log.segment.delete.delay.ms",
                    "a deleted file lives on for whoever reads it"),
            unused(
                    ConfigKey.bool("preallocate", false, ""),
                    "log.preallocate",
                    "segments are always reserved ahead, in steps"),
            unused(
                    ConfigKey.oneOf("remote.storage.enable", false, List.of(false), String::valueOf, ""),
                    "",
                    NOT_TIERED),
            unused(
                    ConfigKey.oneOf("remote.log.copy.disable", false, List.of(false), String::valueOf, ""),
                    "",
                    NOT_TIERED),
            unused(ConfigKey.bool("remote.log.delete.on.disable", false, ""), "", NOT_TIERED),
            unused(
                    ConfigKey.longInteger("local.retention.ms", -2, -2, Long.MAX_VALUE, ""),
                    "log.local.retention.ms",
                    NOT_TIERED),
            unused(
                    ConfigKey.longInteger("local.retention.bytes", -2, -2, Long.MAX_VALUE, ""),
                    "log.local.retention.bytes",
                    NOT_TIERED));

    private UnusedTopicKeys() {}

    private static Unused unused(ConfigKey<?> key, String brokersName, String why) {
        return new Unused(withMeaning(key, "Taken, and of no effect: " + why + "."), brokersName, why);
    }

    private static <T> ConfigKey<T> withMeaning(ConfigKey<T> key, String meaning) {
        return new ConfigKey<>(key.name(), key.defaultValue(), key.kind(), key.allowed(), meaning, key.parser());
    }

    private static ConfigKey<String> list(String name) {
        return new ConfigKey<>(
                name, "", ConfigKey.Kind.LIST, "* or a comma-separated list of PARTITION:BROKER", "", value -> {
                    if (!value.matches("\\*?|\\d+:\\d+(,\\d+:\\d+)*")) {
                        throw new IllegalArgumentException(value);
                    }
                    return value;
                });
    }

    private static Double ratio(String value) {
        double ratio = Double.parseDouble(value);
        if (!(ratio >= 0 && ratio <= 1)) {
            throw new IllegalArgumentException(value);
        }
        return ratio;
    }

    static List<ConfigKey<?>> keys() {
        return KEYS.stream().<ConfigKey<?>>map(Unused::key).toList();
    }

    /// Under which name the default of a key is told.
    static String brokersName(String name) {
        return KEYS.stream()
                .filter(unused -> unused.key().name().equals(name)
                        && !unused.brokersName().isEmpty())
                .map(Unused::brokersName)
                .findFirst()
                .orElse(name);
    }

    /// Why each has no effect, by name.
    static Map<String, String> reasons() {
        Map<String, String> reasons = new TreeMap<>();
        KEYS.forEach(unused -> reasons.put(unused.key().name(), unused.why()));
        return reasons;
    }
}
