package dev.sluice.broker.net;

import dev.sluice.broker.config.NetConfig;
import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.loop.EventLoop;
import dev.sluice.io.memory.ReceiveBufferPool;
import dev.sluice.io.memory.SlabPool;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One event loop with its thread, the connections it serves, and the memory they take turns with.
///
/// Everything but [#start], [#handOver], [#execute], [#stop], [#join] and [#connectionCount] belongs to the loop's own
/// thread.
public final class NetworkLoop implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NetworkLoop.class);

    private final Kernel kernel;
    private final EventLoop loop;
    private final ReceiveBufferPool receiveBuffers;
    private final ReceiveBudget receiveBudget;
    private final SlabPool slabs = new SlabPool();
    private final Set<Connection> connections = new HashSet<>();

    /// Accepted on another loop and not opened on this one yet. Added to by the acceptor, taken from by this loop.
    private final Set<Descriptor> arriving = ConcurrentHashMap.newKeySet();

    private final Thread thread;
    private @Nullable RequestHandler handler;
    private boolean draining;

    /// Written by the loop, read by the acceptor to find the least busy loop.
    private final AtomicInteger connectionCount = new AtomicInteger();

    NetworkLoop(Kernel kernel, int number, NetConfig config, ReceiveBudget receiveBudget, Account account)
            throws ErrnoException {
        this.kernel = kernel;
        this.loop = new EventLoop(
                kernel, account, System::nanoTime, thrown -> LOG.error("A task of the event loop failed", thrown));
        this.receiveBudget = receiveBudget;
        this.receiveBuffers = new ReceiveBufferPool(kernel, config.largestFrameBytes());
        this.thread = new Thread(this::run, "sluice-loop-" + number);
    }

    void start(RequestHandler requestHandler) {
        handler = requestHandler;
        thread.start();
    }

    private void run() {
        try {
            loop.run();
        } catch (ErrnoException e) {
            LOG.error("Event loop {} ended: its connections are lost", thread.getName(), e);
        } finally {
            List.copyOf(connections).forEach(connection -> connection.close("the broker stops"));
            receiveBuffers.close();
        }
    }

    Kernel kernel() {
        return kernel;
    }

    RequestHandler handler() {
        return Objects.requireNonNull(handler, "the loop was not started");
    }

    /// The event loop itself, for timers.
    public EventLoop loop() {
        return loop;
    }

    ReceiveBufferPool receiveBuffers() {
        return receiveBuffers;
    }

    /// Shared by all loops.
    ReceiveBudget receiveBudget() {
        return receiveBudget;
    }

    /// Memory for answers; taken and given back on this loop's thread.
    public SlabPool slabs() {
        return slabs;
    }

    void add(Connection connection) {
        connections.add(connection);
        connectionCount.set(connections.size());
    }

    /// Lets every connection end with the answers it waits for; those that come later end at once.
    void drain() {
        draining = true;
        for (Connection connection : List.copyOf(connections)) {
            try {
                connection.finish();
            } catch (RuntimeException | Error e) {
                LOG.error("A connection could not be ended; the others are", e);
            }
        }
    }

    /// Whether the broker is stopping: nothing should wait any more.
    public boolean isDraining() {
        return draining;
    }

    void remove(Connection connection) {
        connections.remove(connection);
        connectionCount.set(connections.size());
    }

    int connectionCount() {
        return connectionCount.get();
    }

    /// Hands over a connection that was accepted. `open` runs on this loop's thread; if the loop ends before, the
    /// connection is closed with it.
    void handOver(Descriptor connection, Runnable open) {
        arriving.add(connection);
        loop.execute(() -> {
            if (arriving.remove(connection)) {
                open.run();
            }
        });
    }

    /// Runs a task on the loop's thread; any thread may call this.
    public void execute(Runnable task) {
        loop.execute(task);
    }

    void stop() {
        loop.stop();
    }

    /// Waits until the thread has ended, at most `timeoutMs`.
    boolean join(long timeoutMs) throws InterruptedException {
        thread.join(Math.max(1, timeoutMs));
        return !thread.isAlive();
    }

    /// Frees what is left, after this loop and the one that accepts have ended.
    @Override
    public void close() {
        arriving.forEach(connection -> {
            connection.close();
            connection.account().close();
        });
        loop.close();
    }
}
