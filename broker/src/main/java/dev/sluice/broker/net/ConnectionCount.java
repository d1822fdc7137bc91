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
    private final int most;
    private final String mostKey;
    private final int mostOfAddress;
    private final AtomicInteger open = new AtomicInteger();
    private final ConcurrentHashMap<String, Integer> openByAddress = new ConcurrentHashMap<>();

    /// @param mostDescriptors the most connections that the process's limit of descriptors leaves room for
    ConnectionCount(NetConfig config, int mostDescriptors) {
        this.most = Math.min(config.maxConnections(), mostDescriptors);
        this.mostKey = most == config.maxConnections()
                ? "max.connections"
                : "the limit of open files (ulimit -n) leaves room for no more";
        this.mostOfAddress = config.maxConnectionsOfAddress();
    }

    /// Counts a connection in.
    ///
    /// @return null, or why there may be no more of them: it was not counted then
    @Nullable String admit(Descriptor connection) {
        if (open.get() >= most) {
            return most + " connections are open (" + mostKey + ")";
        }
        String address = addressOf(connection);
        if (openByAddress.getOrDefault(address, 0) >= mostOfAddress) {
            return mostOfAddress + " connections of its address are open (max.connections.per.ip)";
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
