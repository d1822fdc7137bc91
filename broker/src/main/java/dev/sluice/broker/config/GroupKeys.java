package dev.sluice.broker.config;

import java.util.List;
import java.util.Map;

/// The configuration keys of consumer groups: Kafka's names and meanings.
final class GroupKeys {
    private static final int MOST = Integer.MAX_VALUE;

    private static final ConfigKey<Integer> OFFSETS_PARTITIONS = ConfigKey.integer(
            "offsets.topic.num.partitions",
            1,
            1,
            1_000,
            "Partitions of __consumer_offsets, when it is made. They spread groups over brokers, of which there is one"
                    + " here: in one partition the commits of all groups share a write.");
    private static final ConfigKey<Integer> OFFSETS_SEGMENT_BYTES = ConfigKey.integer(
            "offsets.topic.segment.bytes",
            8 << 20,
            64 << 10,
            1 << 30,
            "Size in bytes of a segment of __consumer_offsets, when it is made. Its partitions take up to two segments"
                    + " and a few times what they have to remember.");
    private static final ConfigKey<Integer> OFFSETS_RETENTION_MINUTES = positive(
            "offsets.retention.minutes",
            7 * 24 * 60,
            "How long committed offsets are kept after their group has lost its last member.");
    private static final ConfigKey<Long> RETENTION_CHECK_MS = ConfigKey.longInteger(
            "offsets.retention.check.interval.ms",
            600_000,
            1,
            BrokerKeys.MOST_MS,
            "How often it is looked whether committed offsets have expired.");
    private static final ConfigKey<Integer> METADATA_MAX_BYTES = ConfigKey.integer(
            "offset.metadata.max.bytes", 4_096, 0, MOST, "The longest metadata of a committed offset, in bytes.");
    private static final ConfigKey<Integer> INITIAL_REBALANCE_DELAY_MS = ConfigKey.integer(
            "group.initial.rebalance.delay.ms",
            0,
            0,
            MOST,
            "How long the first member of an empty group waits for others, in ms, before partitions are given out"
                    + " (classic protocol). Kafka waits 3000, or 0 with the server.properties that it ships.");
    private static final ConfigKey<Integer> MIN_SESSION_TIMEOUT_MS = positive(
            "group.min.session.timeout.ms",
            6_000,
            "The least session.timeout.ms that a member may ask for (classic protocol).");
    private static final ConfigKey<Integer> MAX_SESSION_TIMEOUT_MS = positive(
            "group.max.session.timeout.ms",
            1_800_000,
            "The largest session.timeout.ms that a member may ask for (classic protocol).");
    private static final ConfigKey<Integer> MAX_SIZE =
            positive("group.max.size", MOST, "The most members of a group (classic protocol).");
    private static final ConfigKey<Integer> CONSUMER_SESSION_TIMEOUT_MS = positive(
            "group.consumer.session.timeout.ms",
            45_000,
            "How long a member that sends no heartbeat stays in its group, in ms (consumer protocol).");
    private static final ConfigKey<Integer> CONSUMER_HEARTBEAT_MS = positive(
            "group.consumer.heartbeat.interval.ms",
            5_000,
            "How often members are told to send a heartbeat, in ms (consumer protocol). Less than the session timeout.");
    private static final ConfigKey<Integer> CONSUMER_MAX_SIZE =
            positive("group.consumer.max.size", MOST, "The most members of a group (consumer protocol).");

    static final List<ConfigKey<?>> ALL = List.of(
            OFFSETS_PARTITIONS,
            OFFSETS_SEGMENT_BYTES,
            OFFSETS_RETENTION_MINUTES,
            RETENTION_CHECK_MS,
            METADATA_MAX_BYTES,
            INITIAL_REBALANCE_DELAY_MS,
            MIN_SESSION_TIMEOUT_MS,
            MAX_SESSION_TIMEOUT_MS,
            MAX_SIZE,
            CONSUMER_SESSION_TIMEOUT_MS,
            CONSUMER_HEARTBEAT_MS,
            CONSUMER_MAX_SIZE);

    private GroupKeys() {}

    private static ConfigKey<Integer> positive(String name, int defaultValue, String meaning) {
        return ConfigKey.integer(name, defaultValue, 1, MOST, meaning);
    }

    static GroupConfig load(Map<String, String> given) {
        GroupConfig config = new GroupConfig(
                BrokerConfig.get(given, OFFSETS_PARTITIONS),
                BrokerConfig.get(given, OFFSETS_SEGMENT_BYTES),
                BrokerConfig.get(given, OFFSETS_RETENTION_MINUTES),
                BrokerConfig.get(given, RETENTION_CHECK_MS),
                BrokerConfig.get(given, METADATA_MAX_BYTES),
                BrokerConfig.get(given, INITIAL_REBALANCE_DELAY_MS),
                BrokerConfig.get(given, MIN_SESSION_TIMEOUT_MS),
                BrokerConfig.get(given, MAX_SESSION_TIMEOUT_MS),
                BrokerConfig.get(given, MAX_SIZE),
                BrokerConfig.get(given, CONSUMER_SESSION_TIMEOUT_MS),
                BrokerConfig.get(given, CONSUMER_HEARTBEAT_MS),
                BrokerConfig.get(given, CONSUMER_MAX_SIZE));
        if (config.minSessionTimeoutMs() > config.maxSessionTimeoutMs()) {
            throw new ConfigException(MIN_SESSION_TIMEOUT_MS.name() + "=" + config.minSessionTimeoutMs()
                    + " is more than " + MAX_SESSION_TIMEOUT_MS.name() + "=" + config.maxSessionTimeoutMs()
                    + ": no member could join");
        }
        if (config.consumerHeartbeatMs() >= config.consumerSessionTimeoutMs()) {
            throw new ConfigException(CONSUMER_HEARTBEAT_MS.name() + "=" + config.consumerHeartbeatMs()
                    + " must be less than " + CONSUMER_SESSION_TIMEOUT_MS.name() + "="
                    + config.consumerSessionTimeoutMs() + ": members would be taken for gone between two heartbeats");
        }
        return config;
    }
}
