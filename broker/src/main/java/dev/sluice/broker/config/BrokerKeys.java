package dev.sluice.broker.config;

import dev.sluice.log.DirectOptions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// The broker's own configuration keys. Those of consumer groups stand in [GroupKeys], those that every topic inherits
/// in [TopicKeys].
public final class BrokerKeys {
    /// Ten years: longer than anybody waits, and far from where nanoseconds overflow.
    static final long MOST_MS = TimeUnit.DAYS.toMillis(3650);

    static final ConfigKey<List<ListenerAddress>> LISTENERS = new ConfigKey<>(
            "listeners",
            "PLAINTEXT://127.0.0.1:9092",
            "a comma-separated list of NAME://HOST:PORT",
            "Where connections are taken. Port 0 lets the kernel choose; an empty host or 0.0.0.0 means every interface.",
            value -> ListenerAddress.parseList("listeners", value));
    static final ConfigKey<List<ListenerAddress>> ADVERTISED_LISTENERS = new ConfigKey<>(
            "advertised.listeners",
            "",
            "a comma-separated list of NAME://HOST:PORT",
            "What clients are told to connect to. Without it, the address that each client reached the broker by;"
                    + " needed behind NAT and port forwarding (containers).",
            value -> ListenerAddress.parseList("advertised.listeners", value));
    static final ConfigKey<String> LOG_DIRS = ConfigKey.text(
            "log.dirs", "./sluice-data", "one folder", "The folder of all data. Made if it does not exist.");
    static final ConfigKey<Integer> NODE_ID =
            ConfigKey.integer("node.id", 1, 0, Integer.MAX_VALUE, "The broker's number in what clients are told.");
    static final ConfigKey<Boolean> AUTO_CREATE_TOPICS = ConfigKey.bool(
            "auto.create.topics.enable", true, "Whether a client that asks for a topic that does not exist makes it.");
    static final ConfigKey<Integer> NUM_PARTITIONS =
            ConfigKey.integer("num.partitions", 1, 1, 10_000, "Partitions of a topic for which nobody said how many.");
    static final ConfigKey<Integer> FETCH_MAX_BYTES = ConfigKey.integer(
            "fetch.max.bytes",
            55 << 20,
            1024,
            Integer.MAX_VALUE,
            "The most bytes of records that one fetch is answered, whatever it asks for. A first batch that is larger is"
                    + " answered whole.");
    static final ConfigKey<Integer> FETCH_SESSIONS = ConfigKey.integer(
            "max.incremental.fetch.session.cache.slots",
            1000,
            0,
            1_000_000,
            "Fetch sessions that are kept, by which consumers of many partitions ask and are told of changes alone. Who gets"
                    + " none fetches without.");
    static final ConfigKey<Integer> NETWORK_THREADS = ConfigKey.integer(
            "num.network.threads", 0, 0, 64, "Event loops, each with its own thread; 0 means one for each processor.");
    static final ConfigKey<Integer> LARGEST_REQUEST = ConfigKey.integer(
            "socket.request.max.bytes",
            100 << 20,
            1 << 10,
            1 << 30,
            "Largest request taken, in bytes. A connection that announces a larger one is closed. APIs other than Produce"
                    + " take less.");
    static final ConfigKey<Long> UNFINISHED_BYTES = ConfigKey.longInteger(
            "queued.max.request.bytes",
            256 << 20,
            1 << 20,
            Long.MAX_VALUE,
            "The most bytes that requests take which have not come to their end yet, of all connections together. Above"
                    + " it, large requests wait for others to end, and one at a time goes on.");
    static final ConfigKey<Long> RECEIVE_TIMEOUT_MS = ConfigKey.longInteger(
            "sluice.request.receive.timeout.ms",
            30_000,
            100,
            MOST_MS,
            "A request that has begun brings 64 KiB or its end in so many ms, and its end in ten times as many, or its"
                    + " connection is closed.");
    static final ConfigKey<Long> IDLE_MS = ConfigKey.longInteger(
            "connections.max.idle.ms",
            600_000,
            1_000,
            MOST_MS,
            "A connection on which nothing moves for so long is closed.");
    static final ConfigKey<Integer> MAX_CONNECTIONS = ConfigKey.integer(
            "max.connections",
            10_000,
            1,
            1_000_000,
            "Connections open at once; those above it are closed at once, but for four from the broker's own host, so that who"
                    + " has set it too low can undo it there. A low limit of open files bounds them too.");
    static final ConfigKey<Integer> MAX_CONNECTIONS_PER_IP = ConfigKey.integer(
            "max.connections.per.ip",
            5_000,
            1,
            1_000_000,
            "Connections open at once from one address; those above it are closed at once, but for four from the broker's own"
                    + " host.");
    static final ConfigKey<Integer> BACKLOG = ConfigKey.integer(
            "socket.listen.backlog.size",
            128,
            1,
            65_535,
            "Connections that the kernel holds before they are accepted.");
    static final ConfigKey<Integer> SEND_BUFFER = bufferBytes(
            "socket.send.buffer.bytes",
            100 << 10,
            "The kernel's buffer for what a connection was answered and its peer has not confirmed (SO_SNDBUF). A short one is"
                    + " cheaper, above all where many read at once; a peer is sent at most so much in the time that a packet"
                    + " takes to it and back. -1 leaves it to the kernel, which lets it grow: for consumers that are far away."
                    + " More than net.core.wmem_max it can't be.");
    static final ConfigKey<Integer> RECEIVE_BUFFER = bufferBytes(
            "socket.receive.buffer.bytes",
            NetConfig.KERNELS_BUFFER,
            "The kernel's buffer for what a connection has sent and was not received yet (SO_RCVBUF); -1 leaves it to the"
                    + " kernel, which lets it grow with the connection's rate. More than net.core.rmem_max it can't be.");
    static final ConfigKey<Long> DISK_PATIENCE_MS = ConfigKey.longInteger(
            "sluice.disk.patience.ms",
            200,
            0,
            MOST_MS,
            "How long an event loop waits for a write to the disk before it counts as stalled: then another thread goes on"
                    + " with the loop's other connections, and what is produced waits. 0 for as long as it takes.");
    static final ConfigKey<Integer> COPIED_BYTES = ConfigKey.integer(
            "sluice.fetch.copied.bytes",
            64 << 10,
            0,
            1 << 20,
            "What a fetch gets of a partition is copied into its answer, and sent by one call, up to so many bytes; more"
                    + " goes by sendfile, uncopied. 0 for always by sendfile.");
    static final ConfigKey<Long> SHUTDOWN_GRACE_MS = ConfigKey.longInteger(
            "sluice.shutdown.grace.ms",
            10_000,
            0,
            MOST_MS,
            "How long a clean stop may take before connections are cut.");

    static final ConfigKey<Long> CHECKPOINT_INTERVAL_MS = ConfigKey.longInteger(
            "log.flush.offset.checkpoint.interval.ms",
            60_000,
            1,
            MOST_MS,
            "How often the recovery points are written down, producers that are gone are forgotten, and files of resting"
                    + " partitions are let go.");
    static final ConfigKey<Long> RETENTION_CHECK_INTERVAL_MS = ConfigKey.longInteger(
            "log.retention.check.interval.ms",
            300_000,
            1,
            MOST_MS,
            "How often it is looked for segments that are to be deleted.");
    static final ConfigKey<Long> CLOCK_HOLD_MS = ConfigKey.longInteger(
            "sluice.retention.clock.hold.ms",
            TimeUnit.DAYS.toMillis(1),
            0,
            MOST_MS,
            "When the machine's clock was set forward by more than a minute, nothing is deleted by age for so long, or"
                    + " until it was set back; 0 to believe it at once.");
    static final ConfigKey<Long> RESERVE_BYTES = ConfigKey.longInteger(
            "sluice.log.reserve.bytes",
            16 << 20,
            0,
            1L << 40,
            "Disk space kept for what must be written on a full disk too: checkpoints, committed offsets, the deletion of"
                    + " topics. At most a 64th of the file system.");

    static final ConfigKey<LogEngine> LOG_ENGINE = ConfigKey.oneOf(
            "sluice.log.engine",
            LogEngine.PWRITE,
            List.of(LogEngine.values()),
            LogEngine::word,
            "How records get to the disk: `pwrite`, through the page cache; `mapped`, the same by stores into the mapped"
                    + " file, where a stalled disk can hold up the whole broker; or `direct`, past it, by io_uring from a"
                    + " pool of the broker's own, where what others keep in the page cache must stay there. With `direct`"
                    + " an acknowledgement waits for the write's end. The broker's own topics are written by pwrite"
                    + " always.");
    static final ConfigKey<Long> DIRECT_POOL_BYTES = ConfigKey.longInteger(
            "sluice.log.direct.pool.bytes",
            DirectOptions.DEFAULT_POOL_BYTES,
            DirectOptions.LEAST_POOL_BYTES,
            DirectOptions.MOST_POOL_BYTES,
            "Memory of the engine `direct`: what is on its way to the disk, and the newest records for consumers. 256 KiB"
                    + " at least for each partition that is written to at the same time; a batch must fit into it. Pinned"
                    + " where RLIMIT_MEMLOCK allows it.");

    static final ConfigKey<Integer> RECOVERY_THREADS = ConfigKey.integer(
            "num.recovery.threads.per.data.dir",
            2,
            1,
            64,
            "Partitions that are recovered at a time after a broker that did not stop cleanly.");

    static final ConfigKey<String> LOCAL_SOCKET = ConfigKey.text(
            "sluice.local.socket",
            "local.sock",
            "a path of at most 107 bytes, or nothing",
            "The UNIX socket where programs of this host read logs in place; relative to the data folder. With nothing there"
                    + " is none. Only the broker's user and root may connect, unless others are named.");
    static final ConfigKey<List<Integer>> LOCAL_USERS = ids(
            "sluice.local.users",
            "Numbers of further users that may read all logs in place. They need access to the socket's folder too.");
    static final ConfigKey<List<Integer>> LOCAL_GROUPS = ids(
            "sluice.local.groups",
            "Numbers of groups that may read all logs in place: of members by their effective or a supplementary group, when they connected.");
    static final ConfigKey<Integer> LOCAL_CONNECTIONS = ConfigKey.integer(
            "sluice.local.max.connections",
            64,
            1,
            1024,
            "Local readers connected at once; those above it are turned away. Each may have 63 partitions open.");

    private static final List<ConfigKey<?>> OWN = List.of(
            LISTENERS,
            ADVERTISED_LISTENERS,
            LOG_DIRS,
            NODE_ID,
            AUTO_CREATE_TOPICS,
            NUM_PARTITIONS,
            FETCH_MAX_BYTES,
            FETCH_SESSIONS,
            NETWORK_THREADS,
            LARGEST_REQUEST,
            UNFINISHED_BYTES,
            RECEIVE_TIMEOUT_MS,
            IDLE_MS,
            MAX_CONNECTIONS,
            MAX_CONNECTIONS_PER_IP,
            BACKLOG,
            SEND_BUFFER,
            RECEIVE_BUFFER,
            DISK_PATIENCE_MS,
            COPIED_BYTES,
            SHUTDOWN_GRACE_MS,
            RECOVERY_THREADS,
            CHECKPOINT_INTERVAL_MS,
            RETENTION_CHECK_INTERVAL_MS,
            CLOCK_HOLD_MS,
            RESERVE_BYTES,
            LOCAL_SOCKET,
            LOCAL_USERS,
            LOCAL_GROUPS,
            LOCAL_CONNECTIONS,
            LOG_ENGINE,
            DIRECT_POOL_BYTES);

    /// Keys of Kafka that somebody who brings a `server.properties` along will have, and why they mean nothing
    /// here.
    private static final Map<String, String> OF_KAFKA_ALONE = Map.ofEntries(
            Map.entry("process.roles", "there is no separate controller"),
            Map.entry("controller.quorum.voters", "there is no separate controller"),
            Map.entry("controller.quorum.bootstrap.servers", "there is no separate controller"),
            Map.entry("controller.listener.names", "there is no separate controller"),
            Map.entry("zookeeper.connect", "there is no ZooKeeper"),
            Map.entry("broker.id", "it is called node.id"),
            Map.entry("log.dir", "it is called log.dirs"),
            Map.entry("num.io.threads", "event loops do the work; see num.network.threads"),
            Map.entry("log.segment.delete.delay.ms", "files are deleted at once, and who reads one still can"),
            Map.entry("inter.broker.listener.name", "there are no other brokers"),
            Map.entry("offsets.topic.replication.factor", "there is one broker, so it is 1"),
            Map.entry("group.coordinator.threads", "one thread serves all groups"),
            Map.entry("group.coordinator.rebalance.protocols", "classic and consumer are both offered"),
            Map.entry("listener.security.protocol.map", "every listener is PLAINTEXT in this version"));

    /// Each either is read anew when it is needed, or whoever needs it follows [LiveConfig].
    private static final Set<String> DYNAMIC = dynamic();

    private BrokerKeys() {}

    private static Set<String> dynamic() {
        Set<String> names = new HashSet<>(TopicKeys.dynamicDefaults());
        names.add(MAX_CONNECTIONS.name());
        names.add(MAX_CONNECTIONS_PER_IP.name());
        return Set.copyOf(names);
    }

    private static ConfigKey<Integer> bufferBytes(String name, int defaultBytes, String meaning) {
        return new ConfigKey<>(
                name,
                Integer.toString(defaultBytes),
                ConfigKey.Kind.INT,
                "-1, or an integer from 1 to " + Integer.MAX_VALUE,
                meaning,
                value -> {
                    int bytes = Integer.parseInt(value);
                    if (bytes < 1 && bytes != NetConfig.KERNELS_BUFFER) {
                        throw new IllegalArgumentException(value);
                    }
                    return bytes;
                });
    }

    private static ConfigKey<List<Integer>> ids(String name, String meaning) {
        return new ConfigKey<>(
                name,
                "",
                ConfigKey.Kind.LIST,
                "a comma-separated list of numbers",
                meaning,
                value -> Stream.of(value.split(","))
                        .map(String::strip)
                        .filter(id -> !id.isEmpty())
                        .map(Integer::parseUnsignedInt)
                        .toList());
    }

    /// All keys, those that topics inherit included.
    public static List<ConfigKey<?>> all() {
        List<ConfigKey<?>> keys = new ArrayList<>(OWN);
        keys.addAll(GroupKeys.ALL);
        keys.addAll(TopicKeys.brokerDefaults());
        return List.copyOf(keys);
    }

    /// Whether clients may change the key of a running broker: those that Kafka calls dynamic, as far as there are
    /// such things here.
    public static boolean isDynamic(String name) {
        return DYNAMIC.contains(name);
    }

    /// @throws ConfigException for a key that is not known, or that clients can't change
    static void requireDynamic(String name) {
        requireKnown(name);
        if (!isDynamic(name)) {
            throw new ConfigException(name + " can't be changed while the broker runs: "
                    + TopicKeys.dynamicFor(name)
                            .map(other -> "set " + other + " instead")
                            .orElse("set it in its properties file or with --set, and restart it"));
        }
    }

    static void requireKnown(String name) {
        if (all().stream().anyMatch(key -> key.name().equals(name))) {
            return;
        }
        String kafkas = OF_KAFKA_ALONE.get(name);
        if (kafkas != null) {
            throw new ConfigException(name + " is Kafka's and has no effect here (" + kafkas + "): remove it");
        }
        throw new ConfigException("Unknown configuration key " + name + "; the nearest is "
                + Nearest.of(name, all().stream().map(ConfigKey::name))
                + " (all keys are listed in docs/CONFIGURATION.md)");
    }
}
