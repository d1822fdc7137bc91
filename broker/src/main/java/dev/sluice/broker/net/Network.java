package dev.sluice.broker.net;

import dev.sluice.broker.config.ListenerAddress;
import dev.sluice.broker.config.NetConfig;
import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The listeners and loops of a broker together: how they start and how they stop.
///
/// [#start], [#drain] and [#close] are called by the broker's owner, one after the other.
public final class Network implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Network.class);
    private static final long DRAIN_LOOK_MS = 5;
    private static final long STOP_MS = 2_000;

    private final Account connectionsAccount = Account.root("connections");
    private final Account loopsAccount = Account.root("loops");
    private final AtomicInteger open = new AtomicInteger();
    private final ReceiveBudget receiveBudget;
    private final List<Listener> listeners = new ArrayList<>();
    private final List<NetworkLoop> loops = new ArrayList<>();

    /// Binds all listeners, so that a port in use is told before anything runs.
    ///
    /// @throws IOException in one line that says what to do
    public Network(
            Kernel kernel, List<ListenerAddress> addresses, Map<String, ListenerAddress> advertised, NetConfig config)
            throws IOException {
        receiveBudget = new ReceiveBudget(config.unfinishedBytes());
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
            for (int i = 0; i < config.loops(); i++) {
                loops.add(new NetworkLoop(kernel, i, config, receiveBudget, loopsAccount));
            }
        } catch (IOException | RuntimeException e) {
            close();
            throw e;
        }
    }

    /// Starts the loops and takes connections.
    ///
    /// @param handlerOf makes the handler of each loop, which that loop alone calls
    /// @throws IOException when connections can't be taken on one of the listeners
    public void start(Function<NetworkLoop, RequestHandler> handlerOf) throws IOException {
        for (NetworkLoop loop : loops) {
            loop.start(handlerOf.apply(loop));
        }
        for (Listener listener : listeners) {
            FutureTask<Void> accepting = new FutureTask<>(() -> {
                listener.accept(loops);
                return null;
            });
            loops.getFirst().execute(accepting);
            try {
                accepting.get();
            } catch (ExecutionException e) {
                throw new IOException(
                        "Can't take connections on " + listener.name() + ": "
                                + Objects.requireNonNullElse(e.getCause(), e).getMessage(),
                        e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted while the broker was being started");
            }
        }
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

    /// Counts the calls of the loops themselves: waiting, waking up, accepting.
    public Account loopsAccount() {
        return loopsAccount;
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
                        listeners.forEach(Listener::close);
                    }
                    loop.drain();
                } finally {
                    stopped.countDown();
                }
            });
        }
        long deadlineNs = System.nanoTime() + graceMs * 1_000_000;
        while (open.get() > 0 || stopped.getCount() > 0) {
            if (System.nanoTime() - deadlineNs >= 0) {
                return false;
            }
            Thread.sleep(DRAIN_LOOK_MS);
        }
        return true;
    }

    /// Cuts all connections and ends the loops.
    @Override
    public void close() {
        listeners.forEach(Listener::close);
        loops.forEach(NetworkLoop::stop);
        try {
            for (NetworkLoop loop : loops) {
                if (loop.join(STOP_MS)) {
                    loop.close();
                } else {
                    LOG.error("An event loop did not stop in {} ms; its memory is not freed", STOP_MS);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
