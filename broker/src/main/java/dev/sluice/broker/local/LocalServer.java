package dev.sluice.broker.local;

import dev.sluice.broker.catalogue.Catalogue;
import dev.sluice.broker.config.LocalConfig;
import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Epolls;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Opened;
import dev.sluice.io.linux.PeerCredentials;
import dev.sluice.io.loop.EventLoop;
import dev.sluice.io.loop.ReadyListener;
import dev.sluice.io.loop.Timer;
import dev.sluice.log.local.LocalLogException.Reason;
import dev.sluice.log.local.LocalReply;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Takes local readers at a UNIX socket, on one thread of its own: what they ask for may wait for the disk, and then it
/// is they who wait, not the event loops.
///
/// Who may: the user that the broker runs as, root, and whoever is named in the configuration, by what the kernel says
/// of the peer (SO_PEERCRED, SO_PEERGROUPS). The socket's mode keeps others away too, unless somebody is named. There
/// are as many connections as configured, each says who it is within [#HELLO_NS], and what each holds of ours is
/// counted.
///
/// A socket that a broker left behind that was killed is replaced; one that somebody answers at is not, nor is anything
/// that is no socket.
public final class LocalServer implements ReadyListener, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LocalServer.class);

    /// sizeof(sun_path) less the zero behind it, unix(7).
    private static final int MOST_PATH_BYTES = 107;

    private static final int BACKLOG = 64;
    private static final int ACCEPTS_A_TURN = 16;
    private static final int OWN_MODE = 0600;
    /// Everybody may connect, and is told whether he is let in: the kernel's word decides, not the mode.
    private static final int SHARED_MODE = 0666;

    private static final long HELLO_NS = TimeUnit.SECONDS.toNanos(5);
    private static final long TICK_NS = TimeUnit.SECONDS.toNanos(1);
    private static final long PAUSE_NS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long STOP_MS = 5_000;

    private final Kernel kernel;
    private final LocalConfig config;
    private final Catalogue catalogue;
    private final Path path;
    private final int ownUid;
    private final Descriptor listener;
    private final Account account;
    private final EventLoop loop;
    private final Thread thread;
    private final MemorySegment scratch = Arena.ofAuto().allocate(LocalReply.MAX_BYTES, 8);
    private final Timer tick;
    private final Timer resume;

    // The thread's own.
    private final Set<LocalConnection> connections = new LinkedHashSet<>();
    private EventLoop.@Nullable Registration registration;

    /// Changed by the thread, read by whoever asks for the status.
    private final List<Subscription> open = new CopyOnWriteArrayList<>();

    private LocalServer(
            Kernel kernel,
            LocalConfig config,
            Catalogue catalogue,
            Path path,
            int ownUid,
            Descriptor listener,
            Account account)
            throws ErrnoException {
        this.kernel = kernel;
        this.config = config;
        this.catalogue = catalogue;
        this.path = path;
        this.ownUid = ownUid;
        this.listener = listener;
        this.account = account;
        this.loop = new EventLoop(kernel, account, System::nanoTime, LocalServer::stray);
        this.tick = loop.timer(this::tick);
        this.resume = loop.timer(() -> listenFor(Epolls.EPOLLIN));
        this.thread = Thread.ofPlatform().name("sluice-local").daemon().unstarted(this::run);
    }

    // ---- How it starts

    /// Begins to take readers.
    ///
    /// @param dataDir what the socket's path is relative to; locked by us already
    /// @return null when there is to be none, or none can be where nobody asked for one: the log says why
    /// @throws IOException in one line: where one was asked for and can't be
    public static @Nullable LocalServer start(Kernel kernel, LocalConfig config, Path dataDir, Catalogue catalogue)
            throws IOException {
        if (config.socket().isEmpty()) {
            return null;
        }
        Path path = dataDir.resolve(config.socket()).toAbsolutePath().normalize();
        try {
            return bind(kernel, config, path, catalogue);
        } catch (IOException e) {
            if (config.isAsked()) {
                throw e;
            }
            LOG.warn("{}; there are no local readers", e.getMessage());
            return null;
        }
    }

    private static LocalServer bind(Kernel kernel, LocalConfig config, Path path, Catalogue catalogue)
            throws IOException {
        if (path.toString().getBytes(StandardCharsets.UTF_8).length > MOST_PATH_BYTES) {
            throw new IOException("sluice.local.socket=" + path + " has more than the " + MOST_PATH_BYTES
                    + " bytes that a socket's path may have: set a shorter one");
        }
        Account account = Account.root("local readers");
        Descriptor listener = listen(kernel, path, config.isShared() ? SHARED_MODE : OWN_MODE, account);
        try {
            LocalServer server =
                    new LocalServer(kernel, config, catalogue, path, ownUid(kernel, account), listener, account);
            server.thread.start();
            return server;
        } catch (ErrnoException | RuntimeException | Error e) {
            listener.close();
            kernel.files().unlink(path);
            throw e;
        }
    }

    private static Descriptor listen(Kernel kernel, Path path, int mode, Account account) throws IOException {
        Descriptor socket = kernel.unixSockets().seqpacket(false, account).orThrow();
        try {
            UnixDomainSocketAddress address = UnixDomainSocketAddress.of(path);
            long result = kernel.files().changeMode(socket, mode); // before the bind, so that it never has another
            if (result == 0) {
                result = kernel.sockets().bind(socket, address);
            }
            if (result == -Errno.EADDRINUSE && isLeftOver(kernel, path, account)) {
                kernel.files().unlink(path);
                result = kernel.sockets().bind(socket, address);
            }
            if (result == 0) {
                if (mode == SHARED_MODE) { // the umask has taken from it
                    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-rw-rw-"));
                }
                result = kernel.sockets().listen(socket, BACKLOG);
            }
            if (result < 0) {
                throw new IOException("Can't take local readers at " + path + " (sluice.local.socket): "
                        + (result == -Errno.EADDRINUSE
                                ? "another process listens there, or it is no socket"
                                : Errno.describe((int) -result)));
            }
            return socket;
        } catch (IOException | RuntimeException | Error e) {
            socket.close();
            throw e;
        }
    }

    /// Whether a socket is there that nobody listens at.
    private static boolean isLeftOver(Kernel kernel, Path path, Account account) throws ErrnoException {
        if (!kernel.files().status(path).isSocket()) {
            return false;
        }
        try (Descriptor probe = kernel.unixSockets().seqpacket(false, account).orThrow()) {
            return kernel.sockets().connect(probe, UnixDomainSocketAddress.of(path)) == -Errno.ECONNREFUSED;
        }
    }

    private static int ownUid(Kernel kernel, Account account) throws ErrnoException {
        Descriptor[] pair = kernel.unixSockets().seqpacketPair(true, account);
        try {
            return kernel.unixSockets().peerCredentials(pair[0]).uid();
        } finally {
            pair[0].close();
            pair[1].close();
        }
    }

    /// Where readers connect.
    public Path path() {
        return path;
    }

    /// What readers have open.
    public List<LocalReaderStatus> readers() {
        return open.stream().map(Subscription::status).toList();
    }

    // ---- Its thread

    private void run() {
        try {
            registration = loop.register(listener, Epolls.EPOLLIN, this);
            loop.run();
        } catch (ErrnoException | RuntimeException | Error e) {
            LOG.error("Local readers are taken no more", e);
        }
        List.copyOf(connections).forEach(LocalConnection::stop);
    }

    private static void stray(Throwable thrown) {
        LOG.error("Work for local readers failed", thrown);
    }

    @Override
    public void ready(int events) {
        for (int left = ACCEPTS_A_TURN; left > 0; left--) {
            Opened accepted = kernel.sockets().accept(listener, false, account);
            if (accepted instanceof Opened.Ok(Descriptor socket)) {
                take(socket);
            } else {
                if (accepted.errno() != Errno.EAGAIN && accepted.errno() != Errno.ECONNABORTED) {
                    listenFor(0); // out of descriptors: the listener stays ready, so it must not be asked for a while
                    resume.set(PAUSE_NS);
                }
                return;
            }
        }
    }

    @Override
    public void failed(Throwable thrown) {
        stray(thrown);
    }

    private void listenFor(int events) {
        try {
            if (registration != null) {
                registration.listenFor(events);
            }
        } catch (ErrnoException e) {
            stray(e);
        }
    }

    private void take(Descriptor socket) {
        try {
            PeerCredentials peer = kernel.unixSockets().peerCredentials(socket);
            if (!isAllowed(socket, peer)) {
                turnAway(
                        socket,
                        Reason.NOT_ALLOWED,
                        "User " + peer.uid()
                                + " may not read here: run as the broker's user, or name this one in sluice.local.users");
            } else if (connections.size() >= config.maxConnections()) {
                turnAway(
                        socket,
                        Reason.BUSY,
                        "The broker has as many local readers as it takes" + " (sluice.local.max.connections="
                                + config.maxConnections() + ")");
            } else {
                LocalConnection connection =
                        new LocalConnection(kernel, this, catalogue, socket, peer, scratch, System.nanoTime());
                connection.begin(loop.register(socket, Epolls.EPOLLIN, connection));
                connections.add(connection);
                if (!tick.isSet()) {
                    tick.set(TICK_NS);
                }
            }
        } catch (ErrnoException | RuntimeException | Error e) {
            stray(e);
            drop(socket);
        }
    }

    private boolean isAllowed(Descriptor socket, PeerCredentials peer) throws ErrnoException {
        return peer.uid() == 0
                || peer.uid() == ownUid
                || config.users().contains(peer.uid())
                || config.groups().contains(peer.gid())
                || (!config.groups().isEmpty()
                        && !Collections.disjoint(
                                config.groups(), kernel.unixSockets().peerGroups(socket)));
    }

    private void turnAway(Descriptor socket, Reason reason, String sentence) {
        LocalConnection.send(kernel, socket, scratch, new LocalReply.Refused(reason, sentence), List.of());
        drop(socket);
    }

    private static void drop(Descriptor socket) {
        socket.close();
        socket.account().close();
    }

    /// Ends who has not said who it is, and tells pages what no append does.
    private void tick() {
        long nowNs = System.nanoTime();
        for (LocalConnection connection : List.copyOf(connections)) {
            if (connection.isLate(nowNs, HELLO_NS)) {
                connection.close();
            }
        }
        open.forEach(Subscription::refresh);
        if (!connections.isEmpty()) {
            tick.set(TICK_NS);
        }
    }

    void opened(Subscription subscription) {
        open.add(subscription);
    }

    void closed(Subscription subscription) {
        open.remove(subscription);
    }

    void closed(LocalConnection connection) {
        connections.remove(connection);
    }

    // ---- The end

    /// Tells the readers that the broker stops, and takes no more.
    ///
    /// @return whether the thread has ended; where not, it waits for the disk, and may still read
    public boolean stop() {
        loop.stop();
        boolean interrupted = false;
        long startNs = System.nanoTime();
        while (thread.isAlive()) {
            long leftMs = STOP_MS - TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs);
            if (leftMs <= 0) {
                break;
            }
            try {
                thread.join(leftMs);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (thread.isAlive()) {
            LOG.error("Work for local readers did not end in {} ms", STOP_MS);
            return false;
        }
        close();
        return true;
    }

    /// Frees what it holds, once its thread has ended. Closing twice changes nothing.
    @Override
    public void close() {
        if (listener.isOpen()) {
            kernel.files().unlink(path);
            listener.close();
            loop.close();
        }
    }
}
