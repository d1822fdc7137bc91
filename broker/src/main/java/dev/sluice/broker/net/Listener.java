package dev.sluice.broker.net;

import dev.sluice.broker.config.ListenerAddress;
import dev.sluice.broker.config.NetConfig;
import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Epolls;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Opened;
import dev.sluice.io.linux.Sockets;
import dev.sluice.io.loop.ReadyListener;
import dev.sluice.io.loop.Timer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A listening socket: accepts connections on one loop and hands each to the least busy one.
///
/// [#bind] and the getters may be called from any thread; the rest belongs to the accepting loop.
public final class Listener implements ReadyListener, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Listener.class);

    /// How long to wait when descriptors ran out: accepting would fail again at once, and spin.
    private static final long OUT_OF_DESCRIPTORS_PAUSE_NS = 100_000_000;

    private final Kernel kernel;
    private final ListenerAddress address;
    private final @Nullable ListenerAddress advertised;
    private final Descriptor socket;
    private final InetSocketAddress bound;
    private final NetConfig config;
    private final Account connectionsAccount;

    /// Shared by all listeners of a broker: connections open now.
    private final AtomicInteger open;

    private List<NetworkLoop> loops = List.of();
    private @Nullable Timer retry;
    private int next;

    private Listener(
            Kernel kernel,
            ListenerAddress address,
            @Nullable ListenerAddress advertised,
            Descriptor socket,
            InetSocketAddress bound,
            NetConfig config,
            Account connectionsAccount,
            AtomicInteger open) {
        this.kernel = kernel;
        this.address = address;
        this.advertised = advertised;
        this.socket = socket;
        this.bound = bound;
        this.config = config;
        this.connectionsAccount = connectionsAccount;
        this.open = open;
    }

    /// Binds and listens; connections wait in the kernel until [#accept].
    ///
    /// @throws IOException in one line: the host is not known, the port is in use, …
    static Listener bind(
            Kernel kernel,
            ListenerAddress address,
            @Nullable ListenerAddress advertised,
            NetConfig config,
            Account listenersAccount,
            Account connectionsAccount,
            AtomicInteger open)
            throws IOException {
        InetSocketAddress wanted = resolve(address);
        Descriptor socket =
                kernel.sockets().stream(wanted, false, listenersAccount).orThrow();
        try {
            Sockets sockets = kernel.sockets();
            sockets.setOption(socket, Sockets.SOL_SOCKET, Sockets.SO_REUSEADDR, 1);
            if (address.isWildcard() && wanted.getAddress().getAddress().length > 4) {
                sockets.setOption(socket, Sockets.IPPROTO_IPV6, Sockets.IPV6_V6ONLY, 0);
            }
            long result = sockets.bind(socket, wanted);
            if (result == 0) {
                result = sockets.listen(socket, config.backlog());
            }
            if (result < 0) {
                throw new IOException(explain(address, (int) -result));
            }
            InetSocketAddress bound = (InetSocketAddress) sockets.localAddress(socket);
            return new Listener(kernel, address, advertised, socket, bound, config, connectionsAccount, open);
        } catch (IOException | RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    private static InetSocketAddress resolve(ListenerAddress address) throws IOException {
        try {
            InetAddress host =
                    address.host().isEmpty() ? InetAddress.getByName("0.0.0.0") : InetAddress.getByName(address.host());
            return new InetSocketAddress(host, address.port());
        } catch (UnknownHostException e) {
            throw new IOException(
                    "Can't listen on " + address + ": the host " + address.host()
                            + " is not known. Use an address of this machine, such as 127.0.0.1 or 0.0.0.0",
                    e);
        }
    }

    private static String explain(ListenerAddress address, int errno) {
        return "Can't listen on " + address + ": "
                + switch (errno) {
                    case Errno.EADDRINUSE ->
                        "port " + address.port()
                                + " is in use. Stop what uses it, or choose another with --listen HOST:PORT"
                                + " (port 0 takes a free one)";
                    case Errno.EADDRNOTAVAIL ->
                        "no interface of this machine has the address " + address.host()
                                + ". Use one that it has, or 0.0.0.0 for all";
                    case Errno.EACCES, Errno.EPERM ->
                        "ports below 1024 need root or CAP_NET_BIND_SERVICE. Choose a higher one";
                    default -> Errno.describe(errno);
                };
    }

    /// Where connections are taken, with the real port.
    public InetSocketAddress boundAddress() {
        return bound;
    }

    public String name() {
        return address.name();
    }

    /// What a client is told to connect to.
    ///
    /// @param connection the client's own connection: without a configured address it is told the one it came by
    public InetSocketAddress advertisedTo(Descriptor connection) throws ErrnoException {
        if (advertised != null) {
            int port = advertised.port() == 0 ? bound.getPort() : advertised.port();
            return InetSocketAddress.createUnresolved(advertised.host(), port);
        }
        if (!address.isWildcard()) {
            return InetSocketAddress.createUnresolved(address.host(), bound.getPort());
        }
        InetSocketAddress local = (InetSocketAddress) kernel.sockets().localAddress(connection);
        return InetSocketAddress.createUnresolved(unmapped(local.getAddress()), bound.getPort());
    }

    private static String unmapped(InetAddress address) {
        return address.getHostAddress(); // the JDK turns IPv4-mapped IPv6 addresses into IPv4 ones by itself
    }

    /// Begins to accept, on the first of the loops' thread.
    void accept(List<NetworkLoop> targets) throws ErrnoException {
        loops = targets;
        retry = targets.getFirst().loop().timer(this::acceptAll);
        targets.getFirst().loop().register(socket, Epolls.EPOLLIN | Epolls.EPOLLET, this);
        acceptAll();
    }

    @Override
    public void ready(int events) {
        acceptAll();
    }

    @Override
    public void failed(Throwable thrown) {
        LOG.error("Accepting on {} failed", address, thrown);
    }

    private void acceptAll() {
        while (socket.isOpen()) {
            Opened accepted = kernel.sockets().accept(socket, false, connectionsAccount);
            switch (accepted) {
                case Opened.Ok ok -> take(ok.descriptor());
                case Opened.Failed failed -> {
                    switch (failed.errno()) {
                        case Errno.EAGAIN -> {
                            return;
                        }
                        // The peer gave up before it was accepted, or a signal came: the next may be waiting.
                        case Errno.ECONNABORTED, Errno.EINTR -> {}
                        default -> {
                            LOG.warn(
                                    "Can't accept on {}: {}. Trying again soon",
                                    address,
                                    Errno.describe(failed.errno()));
                            if (retry != null) {
                                retry.set(OUT_OF_DESCRIPTORS_PAUSE_NS);
                            }
                            return;
                        }
                    }
                }
            }
        }
    }

    private void take(Descriptor connection) {
        if (open.incrementAndGet() > config.maxConnections()) {
            open.decrementAndGet();
            LOG.warn(
                    "{} was turned away: {} connections are open (max.connections)",
                    connection.name(),
                    config.maxConnections());
            discard(connection);
            return;
        }
        kernel.sockets().setOption(connection, Sockets.IPPROTO_TCP, Sockets.TCP_NODELAY, 1);
        kernel.sockets().setOption(connection, Sockets.SOL_SOCKET, Sockets.SO_KEEPALIVE, 1);
        NetworkLoop target = leastBusy();
        target.handOver(connection, () -> open(connection, target));
    }

    private void open(Descriptor connection, NetworkLoop on) {
        try {
            new Connection(on, connection, this, config).open();
        } catch (ErrnoException e) {
            LOG.warn("Can't serve {}: {}", connection.name(), e.getMessage());
            discard(connection);
            closed();
        }
    }

    private static void discard(Descriptor connection) {
        connection.close();
        connection.account().close();
    }

    /// The loop with the fewest connections; among equals they take turns.
    private NetworkLoop leastBusy() {
        NetworkLoop least = loops.get(next++ % loops.size());
        for (NetworkLoop loop : loops) {
            if (loop.connectionCount() < least.connectionCount()) {
                least = loop;
            }
        }
        return least;
    }

    /// A connection that came in here was closed. Called by any loop.
    void closed() {
        open.decrementAndGet();
    }

    @Override
    public void close() {
        socket.close();
    }
}
