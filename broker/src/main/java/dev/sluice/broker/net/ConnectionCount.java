package dev.sluice.broker.net;

import dev.sluice.broker.config.NetConfig;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Sockets;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// How many connections a broker has open, in all and from each address; shared by its listeners and loops.
///
/// Clients may change the limits while the broker runs, and what they set outlives it. So that nobody locks himself
/// out, [#FOR_OWN_HOST] more are taken from the broker's own host: Kafka's admin client, which needs two, can undo it
/// there.
///
/// Thread-safe. Connections are admitted on one thread, the accepting loop's, and leave on any.
final class ConnectionCount {
    /// How many connections there may be above either limit, when they come from the broker's own host.
    static final int FOR_OWN_HOST = 4;

    private record Limits(int most, int mostOfAddress) {}

    private final Kernel kernel;
    private final int mostDescriptors;

    /// Replaced when somebody changes the configuration; read by who admits.
    private volatile Limits limits;

    private final AtomicInteger open = new AtomicInteger();
    private final ConcurrentHashMap<String, Integer> openByAddress = new ConcurrentHashMap<>();

    /// @param mostDescriptors the most connections that the process's limit of descriptors leaves room for
    ConnectionCount(Kernel kernel, NetConfig config, int mostDescriptors) {
        this.kernel = kernel;
        this.mostDescriptors = mostDescriptors;
        this.limits = limits(config);
    }

    private static Limits limits(NetConfig config) {
        return new Limits(config.maxConnections(), config.maxConnectionsOfAddress());
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
        int all = open.get();
        String address = addressOf(connection.name());
        int ofAddress = openByAddress.getOrDefault(address, 0);
        if (all >= mostDescriptors) {
            return all + " connections are open (the limit of open files (ulimit -n) leaves room for no more)";
        }
        if (all >= now.most() && !isSpared(connection, all - now.most())) {
            return all + " connections are open (max.connections)";
        }
        if (ofAddress >= now.mostOfAddress() && !isSpared(connection, ofAddress - now.mostOfAddress())) {
            return ofAddress + " connections of its address are open (max.connections.per.ip)";
        }
        openByAddress.merge(address, 1, Integer::sum);
        open.incrementAndGet();
        return null;
    }

    /// Whether a connection is taken though there are so many above a limit.
    private boolean isSpared(Descriptor connection, int above) {
        return above < FOR_OWN_HOST && isOfOwnHost(connection);
    }

    /// Whoever reaches an address from itself is where it is: by the loopback, or by the host's own address.
    private boolean isOfOwnHost(Descriptor connection) {
        try {
            String local = Sockets.show(kernel.sockets().localAddress(connection));
            return addressOf(local).equals(addressOf(connection.name()));
        } catch (ErrnoException e) {
            return false; // it is gone already
        }
    }

    /// A connection that was counted in was closed.
    void left(Descriptor connection) {
        openByAddress.computeIfPresent(addressOf(connection.name()), (_, count) -> count == 1 ? null : count - 1);
        open.decrementAndGet();
    }

    int open() {
        return open.get();
    }

    /// @param name an address with a port; a connection's name is its peer's
    private static String addressOf(String name) {
        return name.substring(0, Math.max(0, name.lastIndexOf(':')));
    }
}
