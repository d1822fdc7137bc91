package dev.sluice.broker;

import dev.sluice.broker.api.Dispatcher;
import dev.sluice.broker.api.OffLoop;
import dev.sluice.broker.api.Services;
import dev.sluice.broker.catalogue.Catalogue;
import dev.sluice.broker.config.BrokerConfig;
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
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A broker: a data folder, its catalogue, and the network in front of them.
///
/// [#start] answers when connections are taken. Several brokers may run in one JVM, each with its own [Kernel], folder
/// and ports. Stop it with [#shutdown] and then [#close], or with [#close] alone, which cuts connections; both leave
/// the folder cleanly closed.
public final class Broker implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Broker.class);

    /// Threads for work that may block: topics, searches by time, producer ids.
    private static final int CONTROL_THREADS = 2;

    private static final long CONTROL_STOP_MS = 2_000;

    private final BrokerConfig config;
    private final LogDirectory directory;
    private final Network network;
    private final ExecutorService control;
    private final Checkpointer checkpointer;
    private final AtomicBoolean closed = new AtomicBoolean();

    private Broker(BrokerConfig config, LogDirectory directory, Network network, ExecutorService control) {
        this.config = config;
        this.directory = directory;
        this.network = network;
        this.control = control;
        this.checkpointer = new Checkpointer(directory, config.checkpointIntervalMs());
    }

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
        LogDirectory directory = null;
        ExecutorService control = null;
        try {
            Identity identity = ClusterIdentity.of(config.dataDir(), config.nodeId());
            directory = LogDirectory.open(kernel, config.dataDir(), identity, config.log(), clock, segments);
            Catalogue catalogue = Catalogue.open(kernel, directory, config.log(), clock);
            control = Executors.newFixedThreadPool(
                    CONTROL_THREADS,
                    Thread.ofPlatform().name("sluice-control-", 0).daemon().factory());
            BrokerStatus status =
                    new BrokerStatus(config, catalogue, network.connectionsAccount(), segments, System.nanoTime());
            Services services =
                    new Services(catalogue, config, identity.clusterId(), new OffLoop(control), status::json);
            network.start(_ -> Dispatcher.of(services));
            return new Broker(config, directory, network, control);
        } catch (IOException | RuntimeException e) {
            network.close();
            if (control != null) {
                control.shutdownNow();
            }
            if (directory != null) {
                directory.close();
            }
            throw e;
        }
    }

    /// Where connections are taken, with real ports, in the order of the configuration.
    public List<InetSocketAddress> addresses() {
        return network.listeners().stream().map(Listener::boundAddress).toList();
    }

    public Path dataDir() {
        return config.dataDir();
    }

    /// The flush policy's name.
    public String flushPolicy() {
        return BrokerStatus.FLUSH_POLICY;
    }

    /// What opening the data folder found and did.
    public RecoveryReport recoveryReport() {
        return directory.recoveryReport();
    }

    /// Takes no more connections, answers what is under way, and closes every connection when it has its answers.
    /// Follow with [#close].
    ///
    /// @return whether all connections ended within `grace`
    public boolean shutdown(Duration grace) throws InterruptedException {
        return network.drain(grace.toMillis());
    }

    /// Cuts what connections are left, and closes the data folder so that the next start needs no recovery. Closing
    /// twice changes nothing.
    @Override
    public void close() throws IOException {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        network.close();
        checkpointer.close();
        control.shutdown();
        try {
            if (!control.awaitTermination(CONTROL_STOP_MS, TimeUnit.MILLISECONDS)) {
                LOG.warn("Work of the control plane did not end in {} ms", CONTROL_STOP_MS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        directory.close();
    }
}
