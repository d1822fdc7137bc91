package dev.sluice.broker.net;

import dev.sluice.broker.config.ListenerAddress;
import dev.sluice.broker.config.NetConfig;
import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Limits;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The listeners and loops of a broker together: how they start and how they stop.
///
/// [#start], [#drain], [#stop] and [#close] are called by the broker's owner, one after the other.
public final class Network implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Network.class);
    private static final long DRAIN_LOOK_MS = 5;
    private static final long START_MS = 10_000;
    private static final long STOP_MS = 5_000;
    /// As many loops as wait for the disk; disks answer several requests at once.
    private static final int MOST_COLD_LOOPS = 4;
    private static final int DESCRIPTORS_FOR_FILES = 4_096;

    /// The part of them that cold reads may have at rest, as a divisor.
    private static final int COLD_PART = 8;

    private final Account connectionsAccount = Account.root("connections");
    /// The calls of the loops themselves: waiting, waking up, accepting.
    private final Account loopsAccount = Account.root("loops");
    private final ConnectionCount open;
    private final ReceiveBudget receiveBudget;
    private final ColdReads coldReads;
    private final DiskStall disk = new DiskStall(System::nanoTime, this::diskGoesOn);
    private final LoopWatch watch;
    private final List<Listener> listeners = new ArrayList<>();
    private final List<NetworkLoop> warmLoops = new ArrayList<>();
    private final List<NetworkLoop> coldLoops = new ArrayList<>();

    /// Both kinds; the first accepts connections.
    private final List<NetworkLoop> loops = new ArrayList<>();

    /// Binds all listeners, so that a port in use is told before anything runs.
    ///
    /// @throws IOException in one line that says what to do
    public Network(
            Kernel kernel, List<ListenerAddress> addresses, Map<String, ListenerAddress> advertised, NetConfig config)
            throws IOException {
        receiveBudget = new ReceiveBudget(config.unfinishedBytes());
        open = new ConnectionCount(kernel, config, mostConnections(kernel));
        coldReads = new ColdReads(kernel, (int) descriptorsForFiles(kernel) / COLD_PART);
        watch = new LoopWatch(loops, disk, config.diskPatienceMs());
        try {
            for (ListenerAddress address : addresses) {
                listeners.add(Listener.bind(
                        kernel,
                        address,
                        advertised.get(address.name()),
                        config,
                        loopsAccount,
                        connectionsAccount,
                        open));
            }
            NetworkLoop.Shared shared =
                    new NetworkLoop.Shared(kernel, config, receiveBudget, coldReads, disk, loopsAccount);
            for (int i = 0; i < config.loops(); i++) {
                add(warmLoops, new NetworkLoop(shared, "sluice-loop-" + i, false, new LeastBusy(coldLoops)::choose));
            }
            for (int i = 0; i < Math.min(config.loops(), MOST_COLD_LOOPS); i++) {
                add(coldLoops, new NetworkLoop(shared, "sluice-cold-" + i, true, new LeastBusy(warmLoops)::choose));
            }
        } catch (IOException | RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private void add(List<NetworkLoop> kind, NetworkLoop loop) {
        kind.add(loop);
        loops.add(loop);
    }

    /// What the limit of open files leaves for connections: half of it at least, for files need some too.
    private static int mostConnections(Kernel kernel) {
        long limit = kernel.limits().current(Limits.RLIMIT_NOFILE);
        return limit < 0
                ? Integer.MAX_VALUE // not known: the spare descriptor of the listeners then has to do
                : (int) Math.min(Integer.MAX_VALUE, limit - descriptorsForFiles(kernel));
    }

    private static long descriptorsForFiles(Kernel kernel) {
        long limit = kernel.limits().current(Limits.RLIMIT_NOFILE);
        return limit < 0 ? DESCRIPTORS_FOR_FILES : Math.min(limit / 2, DESCRIPTORS_FOR_FILES);
    }

    /// Starts the loops and takes connections. When it throws, [#stop] and [#close] are still the caller's to call.
    ///
    /// @param handlerOf makes the handler of each loop, which that loop alone calls
    /// @param loopDied  told, on the loop's thread, when a loop ends by itself: the others go on without it, but
    ///     its connections are lost, and if it was the first nobody accepts any more
    /// @throws IOException when connections can't be taken
    public void start(Function<NetworkLoop, RequestHandler> handlerOf, Consumer<Throwable> loopDied)
            throws IOException {
        for (NetworkLoop loop : loops) {
            loop.start(handlerOf.apply(loop), loopDied);
        }
        for (Listener listener : listeners) {
            CompletableFuture<Void> accepting = new CompletableFuture<>();
            loops.getFirst().execute(() -> {
                try {
                    listener.accept(warmLoops);
                    accepting.complete(null);
                } catch (Throwable t) {
                    accepting.completeExceptionally(t);
                }
            });
            await(accepting, listener);
        }
        watch.start();
    }

    /// From the thread that has come back from the disk last.
    private void diskGoesOn() {
        loops.forEach(loop -> loop.execute(loop::diskGoesOn));
    }

    /// Whether the disk holds up who writes to it.
    public DiskStall disk() {
        return disk;
    }

    private static void await(CompletableFuture<Void> accepting, Listener listener) throws IOException {
        String what = "Can't take connections on " + listener.name() + ": ";
        try {
            accepting.get(START_MS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            Throwable cause = Objects.requireNonNullElse(e.getCause(), e);
            throw new IOException(what + Objects.requireNonNullElse(cause.getMessage(), cause.toString()), cause);
        } catch (TimeoutException e) {
            throw new IOException(what + "the event loop did not start in " + START_MS + " ms", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(what + "interrupted", e);
        }
    }

    /// Takes what may change while connections are open: how many there may be.
    public void configure(NetConfig config) {
        open.configure(config);
    }

    public List<Listener> listeners() {
        return List.copyOf(listeners);
    }

    /// Bytes held of requests that have not come to their end.
    long unfinishedBytes() {
        return receiveBudget.heldBytes();
    }

    /// Counts what the connections' sockets carried, closed ones included; each open connection is a child.
    public Account connectionsAccount() {
        return connectionsAccount;
    }

    /// Takes no more connections, answers what is under way (long polls at once, with what there is), and closes
    /// every connection when it has its answers.
    ///
    /// @return whether all were closed within `graceMs`
    public boolean drain(long graceMs) throws InterruptedException {
        CountDownLatch stopped = new CountDownLatch(loops.size());
        for (NetworkLoop loop : loops) {
            loop.execute(() -> {
                try {
                    if (loop == loops.getFirst()) {
                        listeners.forEach(Listener::stopAccepting);
                    }
                    loop.drain();
                } finally {
                    stopped.countDown();
                }
            });
        }
        long startNs = System.nanoTime();
        long graceNs = TimeUnit.MILLISECONDS.toNanos(graceMs);
        while (open.open() > 0 || stopped.getCount() > 0) {
            if (System.nanoTime() - startNs >= graceNs) {
                return false;
            }
            Thread.sleep(DRAIN_LOOK_MS);
        }
        return true;
    }

    /// Ends the loops, which cuts all connections. Their descriptors and the listeners' stay open, so that nobody
    /// who still sends a task to a loop meets a descriptor that stands for something else by now. An interrupt does
    /// not cut the waiting short.
    ///
    /// @return whether all loops have ended
    public boolean stop() {
        loops.forEach(NetworkLoop::stop);
        long startNs = System.nanoTime();
        boolean allEnded = true;
        boolean interrupted = false;
        for (NetworkLoop loop : loops) {
            while (true) {
                long leftNs = TimeUnit.MILLISECONDS.toNanos(STOP_MS) - (System.nanoTime() - startNs);
                try {
                    allEnded &= loop.join(leftNs);
                    break;
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (!allEnded) {
            LOG.error("An event loop did not stop in {} ms; what it holds is not freed", STOP_MS);
        }
        return allEnded;
    }

    /// Closes the listeners and what the loops hold, after [#stop] and after the end of all who send tasks to
    /// loops. Does nothing while a loop still runs.
    @Override
    public void close() {
        if (stop()) {
            watch.close();
            coldReads.close();
            listeners.forEach(Listener::close);
            loops.forEach(NetworkLoop::close);
        }
    }
}
