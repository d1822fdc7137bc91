package dev.sluice.broker.config;

import dev.sluice.log.Compression;
import dev.sluice.log.FlushPolicy;
import dev.sluice.log.LogConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// The configuration of a topic: Kafka's names for a topic, and for the broker-wide default of each.
public final class TopicKeys {
    private static final int MOST = Integer.MAX_VALUE;

    /// Sets one value of a log's configuration.
    @FunctionalInterface
    private interface LogSetter<T> {
        LogConfig set(LogConfig config, T value);
    }

    /// Sets one of the rules for records.
    @FunctionalInterface
    private interface RecordSetter<T> {
        void set(RecordRules.Draft rules, T value);
    }

    /// A value that is set for the broker.
    record Inherited(String name, String value) {}

    @FunctionalInterface
    private interface Setter<T> {
        TopicSettings set(TopicSettings settings, T value);
    }

    /// Another of the broker's keys for the same default, in a larger unit.
    private record InUnits(ConfigKey<Long> key, long unitMs) {
        static InUnits of(String name, long least, TimeUnit unit, String meaning) {
            long unitMs = unit.toMillis(1);
            ConfigKey<Long> key = ConfigKey.longInteger(name, 0, least, Long.MAX_VALUE / unitMs, meaning);
            return new InUnits(
                    new ConfigKey<>(name, "", key.kind(), key.allowed(), key.meaning(), key.parser()), unitMs);
        }

        /// The value in the unit of the key that it stands for, as text.
        String inMs(String value) {
            long parsed = key.parse(value);
            return Long.toString(parsed < 0 ? parsed : parsed * unitMs);
        }
    }

    /// @param larger keys of the same default; the first that is given holds, unless `brokerDefault` itself is
    private record TopicKey<T>(String name, ConfigKey<T> brokerDefault, Setter<T> setter, List<InUnits> larger) {
        TopicKey(String name, ConfigKey<T> brokerDefault, Setter<T> setter) {
            this(name, brokerDefault, setter, List.of());
        }

        static <T> TopicKey<T> ofLog(String name, ConfigKey<T> brokerDefault, LogSetter<T> setter, InUnits... larger) {
            return new TopicKey<>(
                    name,
                    brokerDefault,
                    (settings, value) -> settings.withLog(setter.set(settings.log(), value)),
                    List.of(larger));
        }

        static <T> TopicKey<T> ofRecords(String name, ConfigKey<T> brokerDefault, RecordSetter<T> setter) {
            return new TopicKey<>(
                    name,
                    brokerDefault,
                    (settings, value) ->
                            settings.withRecords(settings.records().with(rules -> setter.set(rules, value))));
        }

        TopicSettings apply(TopicSettings settings, String value) {
            return setter.set(settings, brokerDefault.named(name).parse(value));
        }

        TopicSettings applyDefault(TopicSettings settings, Map<String, String> given) {
            List<Inherited> said = inherited(given);
            return setter.set(
                    settings,
                    said.isEmpty()
                            ? BrokerConfig.get(given, brokerDefault)
                            : brokerDefault
                                    .named(said.getFirst().name())
                                    .parse(said.getFirst().value()));
        }

        /// What is set for the broker, the first of which holds; each in the unit of the topic's key.
        List<Inherited> inherited(Map<String, String> given) {
            List<Inherited> said = new ArrayList<>(1);
            String value = given.get(brokerDefault.name());
            if (value != null) {
                said.add(new Inherited(brokerDefault.name(), value));
            }
            for (InUnits each : larger) {
                String inUnits = given.get(each.key().name());
                if (inUnits != null) {
                    said.add(new Inherited(each.key().name(), each.inMs(inUnits)));
                }
            }
            return said;
        }
    }

    private static final List<TopicKey<?>> KEYS = List.of(
            new TopicKey<>(
                    "cleanup.policy",
                    new ConfigKey<>(
                            "log.cleanup.policy",
                            "delete",
                            ConfigKey.Kind.LIST,
                            "delete, compact, or both with a comma between them",
                            "What becomes of old records. With delete, segments go by `log.retention.ms` and"
                                    + " `log.retention.bytes`. With compact, records need a key; this version does not compact"
                                    + " yet, so a topic with compact alone keeps all its records.",
                            TopicKeys::policies),
                    TopicKeys::withPolicies),
            TopicKey.ofRecords(
                    "compression.type",
                    new ConfigKey<>(
                            "compression.type",
                            "producer",
                            "one of producer, uncompressed, gzip, snappy, lz4, zstd",
                            "How records are stored: as the producer sent them, which costs nothing, or so; batches that come"
                                    + " otherwise are written anew.",
                            TopicKeys::compression),
                    (rules, type) -> rules.compression = type.orElse(null)),
            TopicKey.ofRecords(
                    "compression.gzip.level",
                    ConfigKey.integer(
                            "compression.gzip.level",
                            RecordRules.DEFAULT.gzipLevel(),
                            -1,
                            9,
                            "The level for compression.type=gzip; -1 is gzip's own default."),
                    (rules, level) -> rules.gzipLevel = level),
            TopicKey.ofRecords(
                    "compression.lz4.level",
                    ConfigKey.integer(
                            "compression.lz4.level",
                            RecordRules.DEFAULT.lz4Level(),
                            1,
                            17,
                            "The level for compression.type=lz4."),
                    (rules, level) -> rules.lz4Level = level),
            TopicKey.ofRecords(
                    "compression.zstd.level",
                    ConfigKey.integer(
                            "compression.zstd.level",
                            RecordRules.DEFAULT.zstdLevel(),
                            -131_072,
                            22,
                            "The level for compression.type=zstd."),
                    (rules, level) -> rules.zstdLevel = level),
            TopicKey.ofRecords(
                    "message.timestamp.type",
                    ConfigKey.oneOf(
                            "log.message.timestamp.type",
                            false,
                            List.of(false, true),
                            append -> append ? "LogAppendTime" : "CreateTime",
                            "Whose clock a record's timestamp is of: its producer's, or the broker's when it is stored."),
                    (rules, append) -> rules.logAppendTime = append),
            TopicKey.ofRecords(
                    "message.timestamp.before.max.ms",
                    ConfigKey.longInteger(
                            "log.message.timestamp.before.max.ms",
                            RecordRules.DEFAULT.beforeMaxMs(),
                            0,
                            Long.MAX_VALUE,
                            "How far in ms a producer's timestamp may lie behind the broker's clock. Any but the default makes"
                                    + " the broker look at each record."),
                    (rules, ms) -> rules.beforeMaxMs = ms),
            TopicKey.ofRecords(
                    "message.timestamp.after.max.ms",
                    ConfigKey.longInteger(
                            "log.message.timestamp.after.max.ms",
                            RecordRules.DEFAULT.afterMaxMs(),
                            0,
                            Long.MAX_VALUE,
                            "How far in ms a producer's timestamp may lie before the broker's clock."),
                    (rules, ms) -> rules.afterMaxMs = ms),
            TopicKey.ofLog(
                    "segment.bytes",
                    ConfigKey.integer(
                            "log.segment.bytes",
                            LogConfig.DEFAULT.segmentBytes(),
                            61,
                            MOST,
                            "Size in bytes at which a segment is closed and a new one begun."),
                    LogConfig::withSegmentBytes),
            TopicKey.ofLog(
                    "segment.ms",
                    ConfigKey.longInteger(
                            "log.roll.ms",
                            LogConfig.DEFAULT.segmentMs(),
                            1,
                            Long.MAX_VALUE,
                            "Age in ms, by the records' timestamps, at which a segment is closed and a new one begun."),
                    LogConfig::withSegmentMs,
                    InUnits.of("log.roll.hours", 1, TimeUnit.HOURS, "The same as `log.roll.ms`, in hours.")),
            TopicKey.ofLog(
                    "segment.jitter.ms",
                    ConfigKey.longInteger(
                            "log.roll.jitter.ms",
                            LogConfig.DEFAULT.segmentJitterMs(),
                            0,
                            Long.MAX_VALUE,
                            "The most by which a segment is closed earlier than `log.roll.ms` says, so that not all are at once."),
                    LogConfig::withSegmentJitterMs,
                    InUnits.of(
                            "log.roll.jitter.hours", 0, TimeUnit.HOURS, "The same as `log.roll.jitter.ms`, in hours.")),
            TopicKey.ofLog(
                    "retention.ms",
                    ConfigKey.longInteger(
                            "log.retention.ms",
                            LogConfig.DEFAULT.retentionMs(),
                            LogConfig.UNLIMITED,
                            Long.MAX_VALUE,
                            "A segment is deleted when its youngest record, by its timestamp, is older than so many ms; -1 for"
                                    + " never."),
                    LogConfig::withRetentionMs,
                    InUnits.of(
                            "log.retention.minutes",
                            LogConfig.UNLIMITED,
                            TimeUnit.MINUTES,
                            "The same as `log.retention.ms`, in minutes."),
                    InUnits.of(
                            "log.retention.hours",
                            LogConfig.UNLIMITED,
                            TimeUnit.HOURS,
                            "The same as `log.retention.ms`, in hours; minutes win over it.")),
            TopicKey.ofLog(
                    "retention.bytes",
                    ConfigKey.longInteger(
                            "log.retention.bytes",
                            LogConfig.DEFAULT.retentionBytes(),
                            LogConfig.UNLIMITED,
                            Long.MAX_VALUE,
                            "The oldest segments of a partition are deleted while the others hold as many bytes as this; -1"
                                    + " for never."),
                    LogConfig::withRetentionBytes),
            TopicKey.ofLog(
                    "index.interval.bytes",
                    ConfigKey.integer(
                            "log.index.interval.bytes",
                            LogConfig.DEFAULT.indexIntervalBytes(),
                            0,
                            MOST,
                            "About how many bytes of records lie between two index entries."),
                    LogConfig::withIndexIntervalBytes),
            TopicKey.ofLog(
                    "segment.index.bytes",
                    ConfigKey.integer(
                            "log.index.size.max.bytes",
                            LogConfig.DEFAULT.indexBytes(),
                            12,
                            MOST,
                            "The most that an index file holds; a full one begins a new segment."),
                    LogConfig::withIndexBytes),
            TopicKey.ofLog(
                    "max.message.bytes",
                    ConfigKey.integer(
                            "message.max.bytes",
                            LogConfig.DEFAULT.maxMessageBytes(),
                            0,
                            MOST,
                            "The largest record batch that is taken, in bytes."),
                    LogConfig::withMaxMessageBytes),
            TopicKey.ofLog(
                    "sluice.flush.policy",
                    ConfigKey.oneOf(
                            "sluice.flush.policy",
                            FlushPolicy.OS,
                            List.of(FlushPolicy.values()),
                            policy -> policy.name().toLowerCase(Locale.ROOT),
                            "What an acknowledged record survives. os: the end of the process; interval: also a power loss,"
                                    + " but for those of the last second; ack: a power loss, as each is on the device before"
                                    + " it is acknowledged or read. Kafka's keys for it make it stricter, never looser."),
                    LogConfig::withFlushPolicy),
            TopicKey.ofLog(
                    "flush.messages",
                    ConfigKey.longInteger(
                            "log.flush.interval.messages",
                            LogConfig.NEVER,
                            1,
                            Long.MAX_VALUE,
                            "A partition is flushed when so many of its records are not, which makes the policy interval; 1"
                                    + " makes it ack."),
                    LogConfig::withFlushMessages),
            TopicKey.ofLog(
                    "flush.ms",
                    ConfigKey.longInteger(
                            "log.flush.interval.ms",
                            LogConfig.NEVER,
                            0,
                            Long.MAX_VALUE,
                            "A partition is flushed when a record of it was not for so many ms, which makes the policy"
                                    + " interval. Where the policy is interval and neither this nor the number of records is"
                                    + " set, it is 1000."),
                    LogConfig::withFlushMs));

    private static final ConfigKey<Long> PRODUCER_EXPIRATION_MS = ConfigKey.longInteger(
            "producer.id.expiration.ms",
            LogConfig.DEFAULT.producerIdExpirationMs(),
            1,
            Long.MAX_VALUE,
            "How long in ms after its last batch an idempotent producer is remembered. Of a partition the 10,000 that"
                    + " were heard of last are, at most.");

    private TopicKeys() {}

    private static List<String> policies(String value) {
        List<String> policies =
                Arrays.stream(value.split(",", -1)).map(String::strip).toList();
        if (!Set.of("delete", "compact").containsAll(policies)
                || policies.size() > Set.copyOf(policies).size()) {
            throw new IllegalArgumentException(value);
        }
        return policies;
    }

    private static TopicSettings withPolicies(TopicSettings settings, List<String> policies) {
        return settings.withLog(settings.log().withDeleted(policies.contains("delete")))
                .withRecords(settings.records().with(rules -> rules.keysRequired = policies.contains("compact")));
    }

    /// Empty for the producer's own.
    private static Optional<Compression> compression(String value) {
        return switch (value) {
            case "producer" -> Optional.empty();
            case "uncompressed" -> Optional.of(Compression.NONE);
            case "gzip", "snappy", "lz4", "zstd" -> Optional.of(Compression.valueOf(value.toUpperCase(Locale.ROOT)));
            default -> throw new IllegalArgumentException(value);
        };
    }

    static List<ConfigKey<?>> brokerDefaults() {
        Stream<ConfigKey<?>> keys = KEYS.stream()
                .flatMap(key -> Stream.concat(
                        Stream.of(key.brokerDefault()), key.larger().stream().map(InUnits::key)));
        return Stream.concat(keys, Stream.of(PRODUCER_EXPIRATION_MS)).toList();
    }

    /// The broker's keys for topics' defaults that clients may change. As in Kafka, those in larger units are not
    /// among them.
    static List<String> dynamicDefaults() {
        return Stream.concat(
                        KEYS.stream().map(key -> key.brokerDefault().name()), Stream.of(PRODUCER_EXPIRATION_MS.name()))
                .toList();
    }

    /// The key that clients may change, for one that sets the same default in a larger unit.
    static Optional<String> dynamicFor(String inLargerUnit) {
        return KEYS.stream()
                .filter(key ->
                        key.larger().stream().anyMatch(each -> each.key().name().equals(inLargerUnit)))
                .map(key -> key.brokerDefault().name())
                .findFirst();
    }

    /// The keys of topics, under their own names.
    static List<ConfigKey<?>> all() {
        List<ConfigKey<?>> keys = new ArrayList<>(UnusedTopicKeys.keys());
        KEYS.forEach(key -> keys.add(key.brokerDefault().named(key.name())));
        return keys;
    }

    /// Which of the broker's keys a topic's key takes its default from, by the topic's key.
    static Map<String, String> inherited() {
        Map<String, String> names = new TreeMap<>();
        KEYS.forEach(key -> names.put(key.name(), key.brokerDefault().name()));
        return names;
    }

    /// What is set for the broker that a topic's key inherits, the first of which holds.
    static List<Inherited> inherited(String name, Map<String, String> given) {
        return KEYS.stream()
                .filter(key -> key.name().equals(name))
                .flatMap(key -> key.inherited(given).stream())
                .toList();
    }

    static TopicSettings defaults(Map<String, String> given) {
        TopicSettings settings = TopicSettings.DEFAULT.withLog(
                LogConfig.DEFAULT.withProducerIdExpirationMs(BrokerConfig.get(given, PRODUCER_EXPIRATION_MS)));
        for (TopicKey<?> key : KEYS) {
            settings = key.applyDefault(settings, given);
        }
        return settings;
    }

    /// What holds for a topic.
    ///
    /// @param configs what was set for the topic
    /// @throws ConfigException for a key that is not offered or a value that is not allowed
    public static TopicSettings settings(TopicSettings defaults, Map<String, String> configs) {
        TopicSettings settings = defaults;
        for (Map.Entry<String, String> entry : configs.entrySet()) {
            settings = apply(settings, entry.getKey(), entry.getValue());
        }
        return settings;
    }

    private static TopicSettings apply(TopicSettings settings, String name, String value) {
        for (TopicKey<?> key : KEYS) {
            if (key.name().equals(name)) {
                return key.apply(settings, value);
            }
        }
        for (ConfigKey<?> unused : UnusedTopicKeys.keys()) {
            if (unused.name().equals(name)) {
                var _ = unused.parse(value);
                return settings;
            }
        }
        throw new ConfigException("Unknown topic configuration " + name + "; the nearest is "
                + Nearest.of(name, all().stream().map(ConfigKey::name)) + " (all are listed in docs/CONFIGURATION.md)");
    }
}
