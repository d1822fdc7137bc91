package dev.sluice.broker.config;

import dev.sluice.log.LogConfig;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// The configuration of a topic: Kafka's names for a topic, and for the broker-wide default of each.
public final class TopicKeys {
    private static final int MOST = Integer.MAX_VALUE;

    /// Sets one value of a log's configuration.
    @FunctionalInterface
    private interface Setter<T> {
        LogConfig set(LogConfig config, T value);
    }

    /// Another of the broker's keys for the same default, in a larger unit.
    private record InUnits(ConfigKey<Long> key, long unitMs, Setter<Long> setter) {
        static InUnits of(String name, long least, TimeUnit unit, String meaning, Setter<Long> setter) {
            long unitMs = unit.toMillis(1);
            ConfigKey<Long> key = ConfigKey.longInteger(name, 0, least, Long.MAX_VALUE / unitMs, meaning);
            return new InUnits(new ConfigKey<>(name, "", key.allowed(), key.meaning(), key.parser()), unitMs, setter);
        }

        LogConfig apply(LogConfig config, Map<String, String> given) {
            long value = BrokerConfig.get(given, key);
            return setter.set(config, value < 0 ? value : value * unitMs);
        }
    }

    /// @param larger keys of the same default; the first that is given holds, unless `brokerDefault` itself is
    private record TopicKey<T>(String name, ConfigKey<T> brokerDefault, Setter<T> setter, List<InUnits> larger) {
        TopicKey(String name, ConfigKey<T> brokerDefault, Setter<T> setter) {
            this(name, brokerDefault, setter, List.of());
        }

        LogConfig apply(LogConfig config, String value) {
            ConfigKey<T> own = new ConfigKey<>(
                    name,
                    brokerDefault.defaultValue(),
                    brokerDefault.allowed(),
                    brokerDefault.meaning(),
                    brokerDefault.parser());
            return setter.set(config, own.parse(value));
        }

        LogConfig applyDefault(LogConfig config, Map<String, String> given) {
            for (InUnits each : larger) {
                if (!given.containsKey(brokerDefault.name())
                        && given.containsKey(each.key().name())) {
                    return each.apply(config, given);
                }
            }
            return setter.set(config, BrokerConfig.get(given, brokerDefault));
        }
    }

    private static final List<TopicKey<?>> KEYS = List.of(
            new TopicKey<>(
                    "segment.bytes",
                    ConfigKey.integer(
                            "log.segment.bytes",
                            LogConfig.DEFAULT.segmentBytes(),
                            61,
                            MOST,
                            "Size in bytes at which a segment is closed and a new one begun."),
                    LogConfig::withSegmentBytes),
            new TopicKey<>(
                    "segment.ms",
                    ConfigKey.longInteger(
                            "log.roll.ms",
                            LogConfig.DEFAULT.segmentMs(),
                            1,
                            Long.MAX_VALUE,
                            "Age in ms, by the records' timestamps, at which a segment is closed and a new one begun."),
                    LogConfig::withSegmentMs,
                    List.of(InUnits.of(
                            "log.roll.hours",
                            1,
                            TimeUnit.HOURS,
                            "The same as `log.roll.ms`, in hours.",
                            LogConfig::withSegmentMs))),
            new TopicKey<>(
                    "segment.jitter.ms",
                    ConfigKey.longInteger(
                            "log.roll.jitter.ms",
                            LogConfig.DEFAULT.segmentJitterMs(),
                            0,
                            Long.MAX_VALUE,
                            "The most by which a segment is closed earlier than `log.roll.ms` says, so that not all are at once."),
                    LogConfig::withSegmentJitterMs,
                    List.of(InUnits.of(
                            "log.roll.jitter.hours",
                            0,
                            TimeUnit.HOURS,
                            "The same as `log.roll.jitter.ms`, in hours.",
                            LogConfig::withSegmentJitterMs))),
            new TopicKey<>(
                    "cleanup.policy",
                    new ConfigKey<>(
                            "log.cleanup.policy",
                            "delete",
                            "delete; this version does not compact",
                            "Segments are deleted by `log.retention.ms` and `log.retention.bytes`.",
                            TopicKeys::deletePolicy),
                    LogConfig::withDeleted),
            new TopicKey<>(
                    "retention.ms",
                    ConfigKey.longInteger(
                            "log.retention.ms",
                            LogConfig.DEFAULT.retentionMs(),
                            LogConfig.UNLIMITED,
                            Long.MAX_VALUE,
                            "A segment is deleted when its youngest record, by its timestamp, is older than so many ms; -1 for"
                                    + " never."),
                    LogConfig::withRetentionMs,
                    List.of(
                            InUnits.of(
                                    "log.retention.minutes",
                                    LogConfig.UNLIMITED,
                                    TimeUnit.MINUTES,
                                    "The same as `log.retention.ms`, in minutes.",
                                    LogConfig::withRetentionMs),
                            InUnits.of(
                                    "log.retention.hours",
                                    LogConfig.UNLIMITED,
                                    TimeUnit.HOURS,
                                    "The same as `log.retention.ms`, in hours; minutes win over it.",
                                    LogConfig::withRetentionMs))),
            new TopicKey<>(
                    "retention.bytes",
                    ConfigKey.longInteger(
                            "log.retention.bytes",
                            LogConfig.DEFAULT.retentionBytes(),
                            LogConfig.UNLIMITED,
                            Long.MAX_VALUE,
                            "The oldest segments of a partition are deleted while the others hold as many bytes as this; -1"
                                    + " for never."),
                    LogConfig::withRetentionBytes),
            new TopicKey<>(
                    "index.interval.bytes",
                    ConfigKey.integer(
                            "log.index.interval.bytes",
                            LogConfig.DEFAULT.indexIntervalBytes(),
                            0,
                            MOST,
                            "About how many bytes of records lie between two index entries."),
                    LogConfig::withIndexIntervalBytes),
            new TopicKey<>(
                    "segment.index.bytes",
                    ConfigKey.integer(
                            "log.index.size.max.bytes",
                            LogConfig.DEFAULT.indexBytes(),
                            12,
                            MOST,
                            "The most that an index file holds; a full one begins a new segment."),
                    LogConfig::withIndexBytes),
            new TopicKey<>(
                    "max.message.bytes",
                    ConfigKey.integer(
                            "message.max.bytes",
                            LogConfig.DEFAULT.maxMessageBytes(),
                            0,
                            MOST,
                            "The largest record batch that is taken, in bytes."),
                    LogConfig::withMaxMessageBytes));

    private static final ConfigKey<Long> PRODUCER_EXPIRATION_MS = ConfigKey.longInteger(
            "producer.id.expiration.ms",
            LogConfig.DEFAULT.producerIdExpirationMs(),
            1,
            Long.MAX_VALUE,
            "How long in ms after its last batch an idempotent producer is remembered.");

    private TopicKeys() {}

    private static boolean deletePolicy(String value) {
        if (!value.equals("delete")) {
            throw new IllegalArgumentException(value);
        }
        return true;
    }

    static List<ConfigKey<?>> brokerDefaults() {
        Stream<ConfigKey<?>> keys = KEYS.stream()
                .flatMap(key -> Stream.concat(
                        Stream.of(key.brokerDefault()), key.larger().stream().map(InUnits::key)));
        return Stream.concat(keys, Stream.of(PRODUCER_EXPIRATION_MS)).toList();
    }

    /// Which of the broker's keys a topic's key takes its default from, by the topic's key.
    static Map<String, String> inherited() {
        Map<String, String> names = new TreeMap<>();
        KEYS.forEach(key -> names.put(key.name(), key.brokerDefault().name()));
        return names;
    }

    static LogConfig logDefaults(Map<String, String> given) {
        LogConfig config =
                LogConfig.DEFAULT.withProducerIdExpirationMs(BrokerConfig.get(given, PRODUCER_EXPIRATION_MS));
        for (TopicKey<?> key : KEYS) {
            config = key.applyDefault(config, given);
        }
        return config;
    }

    /// The configuration of a topic's log.
    ///
    /// @param configs what was set for the topic
    /// @throws ConfigException for a key that is not offered or a value that is not allowed
    public static LogConfig topicConfig(LogConfig defaults, Map<String, String> configs) {
        LogConfig config = defaults;
        for (Map.Entry<String, String> entry : configs.entrySet()) {
            TopicKey<?> key = KEYS.stream()
                    .filter(known -> known.name().equals(entry.getKey()))
                    .findFirst()
                    .orElseThrow(() -> new ConfigException("The topic configuration " + entry.getKey()
                            + " is not offered by this version; offered are "
                            + String.join(
                                    ", ", KEYS.stream().map(TopicKey::name).toList())));
            config = key.apply(config, entry.getValue());
        }
        return config;
    }
}
