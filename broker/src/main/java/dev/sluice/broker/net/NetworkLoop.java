package dev.sluice.broker.net;

import dev.sluice.broker.config.NetConfig;
import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Scheduling;
import dev.sluice.io.loop.EventLoop;
import dev.sluice.io.memory.ReceiveBufferPool;
import dev.sluice.io.memory.SlabPool;
import dev.sluice.io.transfer.SpanCopies;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One event loop with its thread, the connections it serves, and the memory they take turns with.
///
/// There are two kinds. Most never wait for the disk to send what consumers want; a connection that comes to what is
/// not in memory goes to a *cold loop*, which does, beside others that read from the disk too, and comes back when it
/// has caught up ([Connection]).
///
/// ```
///   made ──start──▶ RUNNING ──stop──────────────────▶ ENDED ──close──▶ closed
///                      └──anything thrown by the loop──▲   tells who started it
/// ```
///
/// Everything belongs to the loop's own thread, except [#start], [#execute], [#handOver], [#isRunning],
/// [#connectionCount], [#takeOver], [#stop], [#join] and [#close]. Which thread that is changes when one does not come
/// back from the disk, see [EventLoop].
public final class NetworkLoop implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NetworkLoop.class);

    /// For how long a loop runs before others have their turn: the least that Linux grants.
    private static final long SLICE_NS = 100_000;

    /// By how much cold loops are nicer than the broker: a tenth of what others get of a processor that both want.
    private static final int COLD_NICE = 10;

    /// A connection that was given to this loop, and not taken up yet.
    ///
    /// @param luggage what it brings from another loop; null when it was just accepted
    private record Arrival(Descriptor socket, Listener listener, Connection.@Nullable Luggage luggage) {}

    /// What the loops of a broker have in common.
    ///
    /// @param config  of connections
    /// @param budget  what may be held of unfinished requests
    /// @param cold    what is open to be read from the disk
    /// @param disk    whether it is stalled
    /// @param account counts the loops' own calls
    record Shared(
            Kernel kernel, NetConfig config, ReceiveBudget budget, ColdReads cold, DiskStall disk, Account account) {}

    private final Shared shared;
    private final boolean isCold;
    private final Supplier<@Nullable NetworkLoop> otherKind;
    private final EventLoop loop;
    private final ReceiveBufferPool receiveBuffers;
    private final SlabPool slabs = new SlabPool();
    private final SpanCopies spanCopies;
    private final Seldom seldom = new Seldom(System::nanoTime);
    private final Set<Connection> connections = new HashSet<>();
    private final Set<DiskStall.Waiter> waitingForDisk = new LinkedHashSet<>();
    private final Queue<Arrival> arrivals = new ConcurrentLinkedQueue<>();
    private final String name;
    private final LoopThreads threads;

    private @Nullable RequestHandler handler;
    private Consumer<Throwable> died = _ -> {};
    private boolean draining;

    /// Connections given to this loop; raised by the acceptor, lowered by the loop.
    private final AtomicInteger connectionCount = new AtomicInteger();

    // Written by whoever stops the loop, and by the loop when it ends; read by the acceptor.
    private volatile boolean stopping;
    private volatile boolean running;

    /// @param name      of its threads
    /// @param isCold    whether it may wait for the disk to send what consumers want
    /// @param otherKind chooses a loop for a connection that leaves this one because of that; null when none runs
    NetworkLoop(Shared shared, String name, boolean isCold, Supplier<@Nullable NetworkLoop> otherKind)
            throws ErrnoException {
        Kernel kernel = shared.kernel;
        this.shared = shared;
        this.isCold = isCold;
        this.otherKind = otherKind;
        this.loop = new EventLoop(
                kernel,
                shared.account,
                System::nanoTime,
                thrown -> LOG.error("A task of the event loop failed", thrown));
        this.receiveBuffers = new ReceiveBufferPool(kernel, shared.config.largestFrameBytes());
        this.spanCopies = new SpanCopies(kernel, isCold ? 0 : shared.config.copiedBytes());
        this.name = name;
        this.threads = new LoopThreads(name);
    }

    /// @param whenDied told, on the loop's thread, when the loop ends without having been stopped
    void start(RequestHandler requestHandler, Consumer<Throwable> whenDied) {
        handler = requestHandler;
        died = whenDied;
        running = true;
        threads.newThread(this::run).start();
    }

    private void run() {
        Throwable cause = null;
        try {
            schedule();
            if (!loop.run(this::closeConnections)) {
                shared.disk.letsGoOfOne(); // another thread turns the loop
                return;
            }
        } catch (Throwable t) { // an error too: whoever started this must know that it has ended
            cause = t;
        }
        running = false;
        if (!stopping) {
            Throwable told = cause != null ? cause : new IllegalStateException("the loop returned");
            LOG.error("Event loop {} has ended by itself; its connections are lost", name, told);
            died.accept(told);
        }
    }

    /// Who waits for what is in memory comes first: it is little work at a time, and felt at once. What the kernel
    /// does not take is left as it is.
    private void schedule() {
        Scheduling scheduling = shared.kernel.scheduling();
        long result = isCold ? scheduling.giveWay(COLD_NICE) : scheduling.runShortly(SLICE_NS);
        if (result < 0) {
            LOG.debug("{} is scheduled as any thread: {}", name, Errno.describe((int) -result));
        }
    }

    /// At the loop's end, and once more when a thread has come back from the disk after that: what it wrote from
    /// was not to be freed before.
    private void closeConnections() {
        List.copyOf(connections).forEach(connection -> connection.close("the broker stops"));
        if (connections.isEmpty()) {
            receiveBuffers.close();
        }
    }

    /// Has another thread go on with the loop, when its own is still away on this stay. By the watcher.
    void takeOver(long stay) {
        loop.takeOver(stay, threads, () -> {
            shared.disk.holdsOne(); // before anything else is written on this loop
            run();
        });
    }

    /// Whether the disk is stalled, so that nothing should be written on a loop.
    public DiskStall disk() {
        return shared.disk;
    }

    /// Tells it when the disk goes on, which is stalled.
    public void awaitDisk(DiskStall.Waiter waiter) {
        waitingForDisk.add(waiter);
    }

    void forgetDisk(DiskStall.Waiter waiter) {
        waitingForDisk.remove(waiter);
    }

    /// The disk goes on.
    void diskGoesOn() {
        List<DiskStall.Waiter> waited = List.copyOf(waitingForDisk);
        waitingForDisk.clear();
        waited.forEach(DiskStall.Waiter::diskGoesOn);
    }

    Kernel kernel() {
        return shared.kernel;
    }

    RequestHandler handler() {
        return Objects.requireNonNull(handler, "the loop was not started");
    }

    /// The event loop itself, for timers.
    public EventLoop loop() {
        return loop;
    }

    /// Asked before a line is logged that a stranger could bring about again and again.
    Seldom seldom() {
        return seldom;
    }

    ReceiveBufferPool receiveBuffers() {
        return receiveBuffers;
    }

    SpanCopies spanCopies() {
        return spanCopies;
    }

    /// Shared by all loops.
    ReceiveBudget receiveBudget() {
        return shared.budget;
    }

    /// Shared by all loops.
    ColdReads coldReads() {
        return shared.cold;
    }

    /// Whether it may wait for the disk to send what consumers want.
    boolean isCold() {
        return isCold;
    }

    /// For a connection that wants the other kind of loop from now on; null when none runs.
    @Nullable NetworkLoop otherKind() {
        return otherKind.get();
    }

    /// Memory for answers; taken and given back on this loop's thread.
    public SlabPool slabs() {
        return slabs;
    }

    // ---- Connections

    boolean isRunning() {
        return running;
    }

    /// Connections that this loop has, those included that are on their way to it.
    int connectionCount() {
        return connectionCount.get();
    }

    /// Gives a connection to this loop, which closes it in the end. When this throws, the caller still has it.
    void handOver(Descriptor socket, Listener listener) {
        handOver(new Arrival(socket, listener, null));
    }

    /// The same for one that another loop has served.
    void handOver(Descriptor socket, Listener listener, Connection.Luggage luggage) {
        handOver(new Arrival(socket, listener, luggage));
    }

    private void handOver(Arrival arrival) {
        connectionCount.incrementAndGet();
        try {
            arrivals.add(arrival);
            loop.execute(this::takeUp);
        } catch (RuntimeException | Error e) {
            if (arrivals.remove(arrival)) { // else the loop has taken it up already
                connectionCount.decrementAndGet();
                throw e;
            }
        }
    }

    private void takeUp() {
        Arrival arrival = arrivals.poll();
        if (arrival == null) {
            return;
        }
        Connection connection;
        try {
            connection = new Connection(this, arrival.socket, arrival.listener, shared.config, arrival.luggage);
        } catch (RuntimeException | Error e) {
            discard(arrival);
            throw e;
        }
        connections.add(connection);
        connection.open();
    }

    private void discard(Arrival arrival) {
        connectionCount.decrementAndGet();
        if (arrival.luggage != null) {
            arrival.luggage.release(shared.budget);
        }
        Listener.discard(arrival.socket);
        arrival.listener.closed(arrival.socket);
    }

    /// A connection has ended, or gone to another loop.
    void remove(Connection connection) {
        connections.remove(connection);
        connectionCount.decrementAndGet();
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

    /// Runs a task on the loop's thread; any thread may call this.
    public void execute(Runnable task) {
        loop.execute(task);
    }

    // ---- How it ends

    void stop() {
        stopping = true;
        loop.stop();
    }

    /// Waits until its threads have ended.
    ///
    /// @return false when they have not by then
    boolean join(long timeoutNs) throws InterruptedException {
        return threads.join(timeoutNs);
    }

    /// Frees what is left. Only when its threads have ended, and nobody accepts connections or sends tasks any
    /// more.
    @Override
    public void close() {
        for (Arrival arrival = arrivals.poll(); arrival != null; arrival = arrivals.poll()) {
            discard(arrival);
        }
        loop.close();
    }
}
