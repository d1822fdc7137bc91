package dev.sluice.broker;

import dev.sluice.broker.api.Dispatcher;
import dev.sluice.broker.api.FetchSessions;
import dev.sluice.broker.api.OffLoop;
import dev.sluice.broker.api.Services;
import dev.sluice.broker.catalogue.Catalogue;
import dev.sluice.broker.config.BrokerConfig;
import dev.sluice.broker.config.LiveConfig;
import dev.sluice.broker.coordinator.Groups;
import dev.sluice.broker.local.LocalServer;
import dev.sluice.broker.net.Listener;
import dev.sluice.broker.net.Network;
import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Kernel;
import dev.sluice.log.Identity;
import dev.sluice.log.LogDirectory;
import dev.sluice.log.RecoveryReport;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A broker: a data folder, its catalogue, and the network in front of them.
///
/// [#start] answers when connections are taken. Several brokers may run in one JVM, each with its own [Kernel], folder
/// and ports. Stop it with [#shutdown] and then [#close], or with [#close] alone, which cuts connections; both leave
/// the folder cleanly closed.
///
/// ```
///   start ──▶ RUNNING ──shutdown──▶ DRAINED ──close──▶ CLOSED   the folder has its marker: no recovery at the next
/// start
///                ├──────────────close────────────────▶   ▲
///                └──an event loop died──▶ closes itself ─┘      without the marker; failure() is completed
/// ```
public final class Broker implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Broker.class);

    /// Threads for work that may block: topics, searches by time, producer ids.
    private static final int CONTROL_THREADS = 2;

    /// Threads for work that takes long and needs no disk: there is one when there is any, so that it is not behind
    /// a topic that waits to be created on a disk that stalls.
    private static final int ASIDE_THREADS = 1;

    private static final long IDLE_S = 30;
    private static final long CONTROL_STOP_MS = 5_000;

    private final LiveConfig config;
    private final LogDirectory directory;
    private final Network network;
    private final ThreadPoolExecutor control = threads("sluice-control-", CONTROL_THREADS);
    private final ThreadPoolExecutor aside = threads("sluice-aside-", ASIDE_THREADS);
    private final Groups groups;
    private final @Nullable LocalServer local;
    private final Checkpointer checkpointer;
    private final Retention retention;
    private final CompletableFuture<Throwable> failure = new CompletableFuture<>();

    // Guarded by this.
    private boolean closed;

    private Broker(
            LiveConfig live,
            LogDirectory directory,
            Network network,
            Groups groups,
            @Nullable LocalServer local,
            InstantSource clock) {
        this.config = live;
        BrokerConfig config = live.now();
        this.directory = directory;
        this.network = network;
        this.groups = groups;
        this.local = local;
        this.checkpointer = new Checkpointer(directory, config.checkpointIntervalMs());
        this.retention = new Retention(
                directory,
                new SteadyClock(clock, System::nanoTime, config.clockHoldMs()),
                System::nanoTime,
                config.retentionCheckIntervalMs());
    }

    // ---- How it starts

    /// Starts a broker on the machine it runs on.
    ///
    /// @throws IOException in one line that says what to do: the port is in use, the folder belongs to somebody
    ///                     else, …
    public static Broker start(BrokerConfig config) throws IOException {
        return start(config, new Kernel(), InstantSource.system());
    }

    /// Starts a broker whose native calls pass `kernel`, and whose clock is `clock`.
    ///
    /// @throws IOException as above
    public static Broker start(BrokerConfig config, Kernel kernel, InstantSource clock) throws IOException {
        // The ports first: a port in use is the commonest mistake, and must be told before a long recovery.
        Network network = new Network(kernel, config.listeners(), config.advertised(), config.net());
        Account segments = Account.root("segments");
        LogDirectory directory;
        Broker broker;
        String clusterId;
        Catalogue catalogue;
        LiveConfig live = new LiveConfig(config);
        try {
            Identity identity = ClusterIdentity.of(config.dataDir(), config.nodeId());
            clusterId = identity.clusterId();
            directory = LogDirectory.open(
                    kernel,
                    config.dataDir(),
                    identity,
                    _ -> config.log(),
                    clock,
                    segments,
                    LogDirectory.Options.standard()
                            .withRecoveryThreads(config.recoveryThreads())
                            .withReserveBytes(config.reserveBytes())
                            .withEngine(config.engine()));
        } catch (IOException | RuntimeException | Error e) {
            network.close();
            throw e;
        }
        try {
            catalogue = Catalogue.open(kernel, directory, live, clock);
            Groups groups = new Groups(kernel, config, catalogue, clock);
            LocalServer local = LocalServer.start(kernel, config.local(), config.dataDir(), catalogue);
            broker = new Broker(live, directory, network, groups, local, clock);
        } catch (IOException | RuntimeException | Error e) {
            network.close();
            closeAfter(e, directory);
            throw e;
        }
        try {
            broker.open(catalogue, clusterId, segments, clock);
            return broker;
        } catch (IOException | RuntimeException | Error e) {
            closeAfter(e, broker);
            throw e;
        }
    }

    private static void closeAfter(Throwable cause, AutoCloseable opened) {
        try {
            opened.close();
        } catch (Exception | Error e) {
            cause.addSuppressed(e);
        }
    }

    private static ThreadPoolExecutor threads(String name, int count) {
        ThreadPoolExecutor threads = new ThreadPoolExecutor(
                count,
                count,
                IDLE_S,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(), // bounded by OffLoop
                Thread.ofPlatform().name(name, 0).daemon().factory());
        threads.allowCoreThreadTimeOut(true);
        return threads;
    }

    private void open(Catalogue catalogue, String clusterId, Account segments, InstantSource clock) throws IOException {
        config.follow(now -> network.configure(now.net()));
        BrokerStatus status = new BrokerStatus(
                config,
                catalogue,
                network.connectionsAccount(),
                segments,
                directory.engine(),
                retention::isDiskFull,
                local,
                network.disk(),
                System.nanoTime());
        Services services = new Services(
                catalogue,
                config,
                clusterId,
                groups,
                new FetchSessions(config.now().fetchSessions(), new SecureRandom()),
                clock,
                new OffLoop(control),
                new OffLoop(aside),
                status::json);
        network.start(_ -> Dispatcher.of(services), this::fail);
    }

    // ---- What it is

    /// Where connections are taken, with real ports, in the order of the configuration.
    public List<InetSocketAddress> addresses() {
        return network.listeners().stream().map(Listener::boundAddress).toList();
    }

    public Path dataDir() {
        return config.now().dataDir();
    }

    /// Where programs of this host read logs in place; empty when nowhere.
    public Optional<Path> localSocket() {
        return Optional.ofNullable(local).map(LocalServer::path);
    }

    /// The flush policy that topics have unless they say otherwise, beginning with its name.
    public String flushPolicy() {
        return config.now().log().describeFlushPolicy();
    }

    /// What opening the data folder found and did.
    public RecoveryReport recoveryReport() {
        return directory.recoveryReport();
    }

    /// Completed with the cause when the broker could not go on: it has closed itself by then.
    public CompletionStage<Throwable> failure() {
        return failure.minimalCompletionStage();
    }

    // ---- How it ends

    /// An event loop has died, on whose thread this is called. Half a broker helps nobody: its clients wait, and
    /// whoever would start another does not know that it should.
    private void fail(Throwable cause) {
        Thread.ofPlatform().name("sluice-failure").start(() -> {
            LOG.error("The broker can't go on and closes itself", cause);
            try {
                close(false);
            } catch (IOException | RuntimeException | Error e) {
                cause.addSuppressed(e);
            }
            failure.complete(cause);
        });
    }

    /// Takes no more connections, answers what is under way, and closes every connection when it has its answers.
    /// Follow with [#close].
    ///
    /// @return whether all connections ended within `grace`
    public boolean shutdown(Duration grace) throws InterruptedException {
        return network.drain(grace.toMillis());
    }

    /// Cuts what connections are left, and closes the data folder so that the next start needs no recovery. Closing
    /// twice changes nothing; the second call waits for the first.
    ///
    /// @throws IOException when the folder could not be closed cleanly, and the next start will have to recover it
    @Override
    public void close() throws IOException {
        close(true);
    }

    /// Loops first, for they use everything else; then what works beside them; then the loops' descriptors, to
    /// which that may have sent tasks until then; the folder last.
    private synchronized void close(boolean clean) throws IOException {
        if (closed) {
            return;
        }
        closed = true;
        boolean ended = network.stop();
        ended &= stop(control);
        ended &= stop(aside);
        ended &= groups.close();
        ended &= local == null || local.stop();
        ended &= checkpointer.stop();
        ended &= retention.stop();
        if (!ended) {
            // The folder stays locked: a thread that comes back from the disk must not write beside another broker.
            throw new IOException("Not everything ended, so " + dataDir() + " was left as it is, and locked until this"
                    + " process ends; the next start recovers it");
        }
        network.close();
        if (clean) {
            directory.close();
        } else {
            directory.abandon();
        }
    }

    private static boolean stop(ThreadPoolExecutor threads) {
        threads.shutdown();
        threads.getQueue().clear(); // nobody waits for its answers any more
        boolean ended = Ending.await(threads, CONTROL_STOP_MS);
        if (!ended) {
            LOG.error("Work of the control plane did not end in {} ms", CONTROL_STOP_MS);
        }
        return ended;
    }
}
