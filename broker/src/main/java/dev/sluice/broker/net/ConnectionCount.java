package dev.sluice.broker.net;

import dev.sluice.broker.config.NetConfig;
import dev.sluice.io.linux.Descriptor;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// How many connections a broker has open, in all and from each address; shared by its listeners and loops.
///
/// Thread-safe. Connections are admitted on one thread, the accepting loop's, and leave on any.
final class ConnectionCount {
    private record Limits(int most, String mostKey, int mostOfAddress) {}

    private final int mostDescriptors;

    /// Replaced when somebody changes the configuration; read by who admits.
    private volatile Limits limits;

    private final AtomicInteger open = new AtomicInteger();
    private final ConcurrentHashMap<String, Integer> openByAddress = new ConcurrentHashMap<>();

    /// @param mostDescriptors the most connections that the process's limit of descriptors leaves room for
    ConnectionCount(NetConfig config, int mostDescriptors) {
        this.mostDescriptors = mostDescriptors;
        this.limits = limits(config);
    }

    private Limits limits(NetConfig config) {
        int most = Math.min(config.maxConnections(), mostDescriptors);
        String mostKey = most == config.maxConnections()
                ? "max.connections"
                : "the limit of open files (ulimit -n) leaves room for no more";
        return new Limits(most, mostKey, config.maxConnectionsOfAddress());
    }

    /// Holds for connections that are admitted from now on; none that is open is closed.
    void configure(NetConfig config) {
        limits = limits(config);
    }

    /// Counts a connection in.
    ///
    /// @return null, or why there may be no more of them: it was not counted then
    @Nullable String admit(Descriptor connection) {
        Limits now = limits;
        if (open.get() >= now.most()) {
            return now.most() + " connections are open (" + now.mostKey() + ")";
        }
        String address = addressOf(connection);
        if (openByAddress.getOrDefault(address, 0) >= now.mostOfAddress()) {
            return now.mostOfAddress() + " connections of its address are open (max.connections.per.ip)";
        }
        openByAddress.merge(address, 1, Integer::sum);
        open.incrementAndGet();
        return null;
    }

    /// A connection that was counted in was closed.
    void left(Descriptor connection) {
        openByAddress.computeIfPresent(addressOf(connection), (_, count) -> count == 1 ? null : count - 1);
        open.decrementAndGet();
    }

    int open() {
        return open.get();
    }

    /// A connection's name is its peer's address and port.
    private static String addressOf(Descriptor connection) {
        String peer = connection.name();
        return peer.substring(0, Math.max(0, peer.lastIndexOf(':')));
    }
}
