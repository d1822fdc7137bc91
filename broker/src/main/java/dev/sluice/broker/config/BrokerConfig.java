package dev.sluice.broker.config;

import dev.sluice.log.LogConfig;
import dev.sluice.log.SegmentWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Everything a broker is told when it starts. Immutable; parts of the broker get the values they need, never the
/// whole.
///
/// @param dataDir            the log folder; Kafka's `log.dirs`
/// @param listeners          where connections are taken
/// @param advertised         what clients are told to connect to, by listener name; a listener without an entry
///                           advertises the address that the client reached it by
/// @param nodeId             this broker's number
/// @param autoCreateTopics   whether asking for a topic makes it
/// @param defaultPartitions  partitions of a topic for which nobody said how many
/// @param fetchMaxBytes      the most that one fetch is answered, but for a first batch that is larger
/// @param fetchSessions      the most fetch sessions that are kept
/// @param log                defaults of every topic's log
/// @param records            defaults of every topic's rules for records
/// @param groups             what holds for consumer groups
/// @param net                bounds of the network side
/// @param shutdownGraceMs    how long a clean stop may take
/// @param recoveryThreads    partitions recovered at a time
/// @param checkpointIntervalMs how often recovery points are written down
/// @param retentionCheckIntervalMs how often it is looked for segments to be deleted
/// @param clockHoldMs        how long nothing goes by age after the clock was set forward
/// @param reserveBytes       disk space kept for what must be written on a full disk too
/// @param local              how local readers are taken
/// @param engine             how records get to the disk
/// @param given              what was set, as it was written, by key
public record BrokerConfig(
        Path dataDir,
        List<ListenerAddress> listeners,
        Map<String, ListenerAddress> advertised,
        int nodeId,
        boolean autoCreateTopics,
        int defaultPartitions,
        int fetchMaxBytes,
        int fetchSessions,
        LogConfig log,
        RecordRules records,
        GroupConfig groups,
        NetConfig net,
        long shutdownGraceMs,
        int recoveryThreads,
        long checkpointIntervalMs,
        long retentionCheckIntervalMs,
        long clockHoldMs,
        long reserveBytes,
        LocalConfig local,
        SegmentWriter.Engine engine,
        Map<String, String> given) {

    private static final int MOST_LOOPS = 64;

    /// @param properties keys of [BrokerKeys], as text
    /// @throws ConfigException for a key that is not known or a value that is not allowed
    public static BrokerConfig load(Map<String, String> properties) {
        Map<String, String> given = new LinkedHashMap<>(properties);
        given.keySet().forEach(BrokerKeys::requireKnown);

        List<ListenerAddress> listeners = get(given, BrokerKeys.LISTENERS);
        if (listeners.isEmpty()) {
            throw new ConfigException("listeners is empty: name at least one, such as PLAINTEXT://127.0.0.1:9092");
        }
        Map<String, ListenerAddress> advertised = new LinkedHashMap<>();
        for (ListenerAddress address : get(given, BrokerKeys.ADVERTISED_LISTENERS)) {
            if (listeners.stream().noneMatch(listener -> listener.name().equals(address.name()))) {
                throw new ConfigException("advertised.listeners names " + address.name()
                        + ", which listeners does not: use the same names in both");
            }
            if (address.isWildcard()) {
                throw new ConfigException("advertised.listeners=" + address
                        + ": clients can't connect to a wildcard address; name a host that they can reach");
            }
            advertised.put(address.name(), address);
        }
        String dataDir = get(given, BrokerKeys.LOG_DIRS);
        if (dataDir.isBlank() || dataDir.indexOf(',') >= 0) {
            throw new ConfigException("log.dirs=" + dataDir + ": name exactly one folder");
        }
        TopicSettings topics = TopicKeys.defaults(given);
        int loops = get(given, BrokerKeys.NETWORK_THREADS);
        return new BrokerConfig(
                Path.of(dataDir),
                listeners,
                Map.copyOf(advertised),
                get(given, BrokerKeys.NODE_ID),
                get(given, BrokerKeys.AUTO_CREATE_TOPICS),
                get(given, BrokerKeys.NUM_PARTITIONS),
                get(given, BrokerKeys.FETCH_MAX_BYTES),
                get(given, BrokerKeys.FETCH_SESSIONS),
                topics.log(),
                topics.records(),
                GroupKeys.load(given),
                new NetConfig(
                        loops > 0 ? loops : Math.clamp(Runtime.getRuntime().availableProcessors(), 1, MOST_LOOPS),
                        get(given, BrokerKeys.LARGEST_REQUEST),
                        get(given, BrokerKeys.UNFINISHED_BYTES),
                        get(given, BrokerKeys.RECEIVE_TIMEOUT_MS),
                        get(given, BrokerKeys.IDLE_MS),
                        get(given, BrokerKeys.MAX_CONNECTIONS),
                        get(given, BrokerKeys.MAX_CONNECTIONS_PER_IP),
                        get(given, BrokerKeys.BACKLOG),
                        get(given, BrokerKeys.SEND_BUFFER),
                        get(given, BrokerKeys.RECEIVE_BUFFER),
                        get(given, BrokerKeys.DISK_PATIENCE_MS),
                        get(given, BrokerKeys.COPIED_BYTES)),
                get(given, BrokerKeys.SHUTDOWN_GRACE_MS),
                get(given, BrokerKeys.RECOVERY_THREADS),
                get(given, BrokerKeys.CHECKPOINT_INTERVAL_MS),
                get(given, BrokerKeys.RETENTION_CHECK_INTERVAL_MS),
                get(given, BrokerKeys.CLOCK_HOLD_MS),
                get(given, BrokerKeys.RESERVE_BYTES),
                new LocalConfig(
                        get(given, BrokerKeys.LOCAL_SOCKET),
                        given.containsKey(BrokerKeys.LOCAL_SOCKET.name()),
                        Set.copyOf(get(given, BrokerKeys.LOCAL_USERS)),
                        Set.copyOf(get(given, BrokerKeys.LOCAL_GROUPS)),
                        get(given, BrokerKeys.LOCAL_CONNECTIONS)),
                get(given, BrokerKeys.LOG_ENGINE).make(get(given, BrokerKeys.DIRECT_POOL_BYTES)),
                Map.copyOf(given));
    }

    /// What holds for a topic for which nothing is set.
    public TopicSettings topics() {
        return new TopicSettings(log, records);
    }

    static <T> T get(Map<String, String> given, ConfigKey<T> key) {
        return key.parse(given.getOrDefault(key.name(), key.defaultValue()));
    }
}
