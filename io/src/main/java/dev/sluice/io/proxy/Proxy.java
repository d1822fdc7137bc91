package dev.sluice.io.proxy;

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
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// Takes TCP connections and passes their bytes to one upstream and back, by splice(2): the kernel hands page
/// references from socket to pipe to socket, and no byte of a payload enters user space. It knows nothing of what is
/// said, so it serves any protocol, TLS included; the upstream sees the proxy's address as its peer.
///
/// It runs on event loops that somebody else runs; the first one accepts, and all take connections in turn. A client's
/// end of sending is passed on while the answer still flows (half-close), and a reset is passed on as one. A slow
/// reader stops its sender, by way of the sockets' windows: at most a pipe (256 KiB) and two socket buffers lie
/// between. [#open], [#stopAccepting], [#close] and the figures may be used by any thread.
public final class Proxy implements AutoCloseable {
    private static final int BACKLOG = 1024;

    /// How soon accepting is tried again after descriptors ran out.
    private static final long AGAIN_NS = TimeUnit.SECONDS.toNanos(1);

    private final Kernel kernel;
    private final Account account;
    private final ProxyConfig config;
    private final Consumer<ConnectionReport> listener;
    private final Descriptor socket;
    private final InetSocketAddress address;
    private final List<ProxyLoop> loops;
    private final AtomicInteger connections = new AtomicInteger();

    // Owned by the first loop's thread.
    private EventLoop.@Nullable Registration registration;
    private final Timer again;
    private int nextLoop;

    private Proxy(
            Kernel kernel,
            List<EventLoop> loops,
            Descriptor socket,
            InetSocketAddress address,
            InetSocketAddress upstream,
            ProxyConfig config,
            LongSupplier clockNs,
            Consumer<ConnectionReport> listener,
            Account account) {
        this.kernel = kernel;
        this.account = account;
        this.config = config;
        this.listener = listener;
        this.socket = socket;
        this.address = address;
        this.loops = loops.stream()
                .map(loop -> new ProxyLoop(this, loop, kernel, upstream, config, clockNs, account))
                .toList();
        this.again = loops.getFirst().timer(this::accept);
    }

    /// Listens, and takes connections as soon as the loops run.
    ///
    /// @param loops    at least one, run by the caller until after [#close]
    /// @param listen   where to; port 0 for a free one, see [#address]
    /// @param upstream resolved
    /// @param ended    told of each connection when it is over, on its loop's thread
    /// @param account  what all connections are counted below
    public static Proxy open(
            Kernel kernel,
            List<EventLoop> loops,
            InetSocketAddress listen,
            InetSocketAddress upstream,
            ProxyConfig config,
            LongSupplier clockNs,
            Consumer<ConnectionReport> ended,
            Account account)
            throws ErrnoException {
        Sockets sockets = kernel.sockets();
        String name = Sockets.show(listen);
        Descriptor socket = sockets.stream(listen, false, account).orThrow();
        try {
            sockets.setOption(socket, Sockets.SOL_SOCKET, Sockets.SO_REUSEADDR, 1);
            ErrnoException.check(sockets.bind(socket, listen), Call.BIND, name);
            ErrnoException.check(sockets.listen(socket, BACKLOG), Call.LISTEN, name);
            InetSocketAddress bound = (InetSocketAddress) sockets.localAddress(socket);
            Proxy proxy = new Proxy(kernel, loops, socket, bound, upstream, config, clockNs, ended, account);
            loops.getFirst().execute(proxy::register);
            return proxy;
        } catch (ErrnoException | RuntimeException | Error e) {
            socket.close();
            throw e;
        }
    }

    /// Where it listens, with the port that the kernel chose.
    public InetSocketAddress address() {
        return address;
    }

    /// Connections that are open, to either side.
    public int connections() {
        return connections.get();
    }

    /// Pipes that connections hold now. Only on the loop's thread, when there is one loop.
    int pipesTaken() {
        return loops.stream().mapToInt(ProxyLoop::pipesTaken).sum();
    }

    private void register() {
        try {
            registration = loops.getFirst()
                    .loop()
                    .register(socket, Epolls.EPOLLIN | Epolls.EPOLLET, new ReadyListener() {
                        @Override
                        public void ready(int events) {
                            accept();
                        }

                        @Override
                        public void failed(Throwable thrown) {
                            again.set(AGAIN_NS);
                        }
                    });
        } catch (ErrnoException e) {
            throw new IllegalStateException(e);
        }
        accept();
    }

    /// Takes all connections that wait, up to the limit. Called again when one has ended.
    private void accept() {
        while (socket.isOpen() && connections.get() < config.maxConnections()) {
            Opened opened = kernel.sockets().accept(socket, false, account);
            switch (opened) {
                case Opened.Ok(Descriptor client) -> {
                    connections.incrementAndGet();
                    kernel.sockets().setOption(client, Sockets.IPPROTO_TCP, Sockets.TCP_NODELAY, 1);
                    ProxyLoop loop = loops.get(nextLoop++ % loops.size());
                    if (loop == loops.getFirst()) {
                        loop.begin(client);
                    } else {
                        loop.loop().execute(() -> loop.begin(client));
                    }
                }
                case Opened.Failed failed -> {
                    switch (failed.errno()) {
                        case Errno.EAGAIN -> {
                            return;
                        }
                        case Errno.EINTR, Errno.ECONNABORTED -> {} // it went away before we had it
                        default -> {
                            // Out of descriptors or memory: the connection stays in the backlog. No edge will tell of
                            // it again, so look when one of ours has ended, or after a while.
                            again.set(AGAIN_NS);
                            return;
                        }
                    }
                }
            }
        }
    }

    /// A connection is over. On its loop's thread.
    void ended(ConnectionReport report) {
        boolean wasFull = connections.getAndDecrement() == config.maxConnections();
        listener.accept(report);
        if (wasFull) {
            loops.getFirst().loop().execute(this::accept);
        }
    }

    /// Takes no more connections; those that are there go on. Waits until the listener is closed.
    public void stopAccepting() {
        onLoop(loops.getFirst(), () -> {
            again.cancel();
            if (registration != null) {
                registration.cancel();
                registration = null;
            }
            socket.close();
        });
    }

    /// Resets all connections and frees everything, by way of the loops, which must still run. Closing twice
    /// changes nothing.
    @Override
    public void close() {
        stopAccepting();
        for (ProxyLoop loop : loops) {
            onLoop(loop, () -> {
                loop.closeAll();
                loop.close();
            });
        }
    }

    private static void onLoop(ProxyLoop loop, Runnable task) {
        CountDownLatch done = new CountDownLatch(1);
        loop.loop().execute(() -> {
            try {
                task.run();
            } finally {
                done.countDown();
            }
        });
        try {
            done.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
