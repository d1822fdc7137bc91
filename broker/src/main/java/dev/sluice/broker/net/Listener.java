package dev.sluice.broker.net;

import dev.sluice.broker.config.ListenerAddress;
import dev.sluice.broker.config.NetConfig;
import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Epolls;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Opened;
import dev.sluice.io.linux.Sockets;
import dev.sluice.io.loop.EventLoop;
import dev.sluice.io.loop.ReadyListener;
import dev.sluice.io.loop.Timer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A listening socket: accepts connections on one loop and hands each to the least busy one.
///
/// [#bind] and the getters may be called from any thread; the rest belongs to the accepting loop.
public final class Listener implements ReadyListener, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Listener.class);

    /// How long to wait after accepting has failed, for want of descriptors say: it would fail again at once, and
    /// spin.
    private static final long PAUSE_NS = 100_000_000;

    /// Connections accepted before the loop's own have their turn.
    private static final int ACCEPTS_A_TURN = 64;

    private final Kernel kernel;
    private final ListenerAddress address;
    private final @Nullable ListenerAddress advertised;
    private final Descriptor socket;
    private final InetSocketAddress bound;
    private final Account connectionsAccount;

    /// Shared by all listeners of a broker: connections open now.
    private final ConnectionCount open;

    private @Nullable LeastBusy loops;
    private @Nullable EventLoop acceptingLoop;
    private EventLoop.@Nullable Registration registration;
    private @Nullable Timer retry;

    /// Keeps a descriptor for the moment when there are none.
    private @Nullable Descriptor spare;

    private final Seldom seldom = new Seldom(System::nanoTime);

    private Listener(
            Kernel kernel,
            ListenerAddress address,
            @Nullable ListenerAddress advertised,
            Descriptor socket,
            InetSocketAddress bound,
            Account connectionsAccount,
            ConnectionCount open) {
        this.kernel = kernel;
        this.address = address;
        this.advertised = advertised;
        this.socket = socket;
        this.bound = bound;
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
            ConnectionCount open)
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
            // Connections have what their listener has; set before it listens, as windows are agreed on from the first
            // packet.
            buffer(sockets, socket, Sockets.SO_SNDBUF, config.sendBufferBytes());
            buffer(sockets, socket, Sockets.SO_RCVBUF, config.receiveBufferBytes());
            long result = sockets.bind(socket, wanted);
            if (result == 0) {
                result = sockets.listen(socket, config.backlog());
            }
            if (result < 0) {
                throw new IOException(explain(address, (int) -result));
            }
            InetSocketAddress bound = (InetSocketAddress) sockets.localAddress(socket);
            return new Listener(kernel, address, advertised, socket, bound, connectionsAccount, open);
        } catch (IOException | RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    /// Sets the size of a buffer, if it is not the kernel's to choose. It takes as much as it allows to, and counts
    /// its own overhead in: what it says afterwards is twice what it was told.
    private static void buffer(Sockets sockets, Descriptor socket, int option, int bytes) throws IOException {
        if (bytes == NetConfig.KERNELS_BUFFER) {
            return;
        }
        boolean sending = option == Sockets.SO_SNDBUF;
        ErrnoException.check(
                sockets.setOption(socket, Sockets.SOL_SOCKET, option, bytes), Call.SETSOCKOPT, socket.name());
        long taken = sockets.getOption(socket, Sockets.SOL_SOCKET, option) / 2;
        if (taken < bytes) {
            LOG.warn(
                    "{}={} is more than the kernel allows: connections have {} bytes. Raise net.core.{}",
                    sending ? "socket.send.buffer.bytes" : "socket.receive.buffer.bytes",
                    bytes,
                    taken,
                    sending ? "wmem_max" : "rmem_max");
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
        EventLoop loop = targets.getFirst().loop();
        loops = new LeastBusy(targets);
        acceptingLoop = loop;
        retry = loop.timer(this::acceptDeferred);
        keepSpare();
        registration = loop.register(socket, Epolls.EPOLLIN | Epolls.EPOLLET, this);
        acceptSome();
    }

    @Override
    public void ready(int events) {
        acceptSome();
    }

    @Override
    public void failed(Throwable thrown) {
        LOG.error("Accepting on {} failed; trying again soon", address, thrown);
        tryAgainSoon();
    }

    private void tryAgainSoon() {
        if (retry != null) {
            retry.set(PAUSE_NS);
        }
    }

    /// Accepts what waits, up to the turn's share: the loop has connections of its own.
    private void acceptSome() {
        for (int left = ACCEPTS_A_TURN; left > 0; left--) {
            if (!acceptOne()) {
                return;
            }
        }
        if (acceptingLoop != null) {
            acceptingLoop.defer(this::acceptDeferred);
        }
    }

    private void acceptDeferred() {
        try {
            acceptSome();
        } catch (RuntimeException | Error e) {
            failed(e);
        }
    }

    /// @return whether the next may be waiting
    private boolean acceptOne() {
        if (!socket.isOpen()) {
            return false;
        }
        return switch (kernel.sockets().accept(socket, false, connectionsAccount)) {
            case Opened.Ok ok -> {
                takeOrDiscard(ok.descriptor());
                yield true;
            }
            case Opened.Failed failed ->
                switch (failed.errno()) {
                    case Errno.EAGAIN -> false;
                    // The peer gave up before it was accepted, or a signal came: the next may be waiting.
                    case Errno.ECONNABORTED, Errno.EINTR -> true;
                    case Errno.EMFILE, Errno.ENFILE -> turnAwayWithTheSpare(failed.errno());
                    default -> {
                        cannotAccept(failed.errno());
                        yield false;
                    }
                };
        };
    }

    private void takeOrDiscard(Descriptor connection) {
        boolean handedOver = false;
        try {
            handedOver = take(connection);
        } finally {
            if (!handedOver) {
                discard(connection);
            }
        }
    }

    /// @return whether a loop has it now; if not, also when this throws, it is still to be closed
    private boolean take(Descriptor connection) {
        NetworkLoop target = loops == null ? null : loops.choose();
        String refusal = target == null ? "no event loop runs" : open.admit(connection);
        if (target == null || refusal != null) {
            tellTurnedAway(connection, refusal);
            return false;
        }
        try {
            kernel.sockets().setOption(connection, Sockets.IPPROTO_TCP, Sockets.TCP_NODELAY, 1);
            kernel.sockets().setOption(connection, Sockets.SOL_SOCKET, Sockets.SO_KEEPALIVE, 1);
            target.handOver(connection, this);
            return true;
        } catch (RuntimeException | Error e) {
            open.left(connection);
            throw e;
        }
    }

    private void tellTurnedAway(Descriptor connection, @Nullable String why) {
        if (seldom.mayTell()) {
            LOG.warn("{} was turned away: {}{}", connection.name(), why, seldom.leftOut());
        }
    }

    private void cannotAccept(int errno) {
        if (seldom.mayTell()) {
            LOG.warn("Can't accept on {}: {}. Trying again soon{}", address, Errno.describe(errno), seldom.leftOut());
        }
        tryAgainSoon();
    }

    /// There is no descriptor for the next connection. The spare one makes room to take it and to close it, so that
    /// its peer is told; left waiting it would time out, and its readiness come back again and again.
    ///
    /// @return whether that succeeded, and the next may be waiting
    private boolean turnAwayWithTheSpare(int errno) {
        Descriptor freed = spare;
        if (freed != null) {
            freed.close();
            spare = null;
            Opened next = kernel.sockets().accept(socket, false, connectionsAccount);
            if (next instanceof Opened.Ok ok) {
                try {
                    tellTurnedAway(ok.descriptor(), "no descriptors are left (ulimit -n)");
                } finally {
                    discard(ok.descriptor());
                }
            }
            keepSpare();
            if (next instanceof Opened.Ok && spare != null) {
                return true;
            }
        }
        cannotAccept(errno);
        keepSpare();
        return false;
    }

    private void keepSpare() {
        if (spare == null && kernel.epolls().eventfd(connectionsAccount) instanceof Opened.Ok ok) {
            spare = ok.descriptor();
        }
    }

    static void discard(Descriptor connection) {
        connection.close();
        connection.account().close();
    }

    /// A connection that came in here was closed. Called by any loop.
    void closed(Descriptor connection) {
        open.left(connection);
    }

    /// Takes no more connections; on the accepting loop's thread.
    void stopAccepting() {
        if (retry != null) {
            retry.cancel();
        }
        if (registration != null) {
            registration.cancel();
        }
        close();
    }

    @Override
    public void close() {
        if (spare != null) {
            spare.close();
            spare = null;
        }
        socket.close();
    }
}
