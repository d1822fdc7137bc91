package dev.sluice.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/// `sluice broker`: runs a broker in this process until it is told to stop.
///
/// ```
///   starting ──▶ running ──Ctrl-C, SIGTERM──▶ draining ──all answered──▶ stopped, exit 0
///      │                                         ├──the time is over──▶ stopped, exit 1
///      └──it can't──▶ exit 1 or 2                └──Ctrl-C again──▶ ended at once, exit 130
/// ```
final class BrokerCommand implements Command {
    private final BrokerLauncher launcher;

    BrokerCommand() {
        this(SluiceBroker::start);
    }

    /// @param launcher starts the broker; tests hand in one that opens no port
    BrokerCommand(BrokerLauncher launcher) {
        this.launcher = launcher;
    }

    @Override
    public CommandSpec spec() {
        CommandSpec spec = Specs.of(this, "Run a broker until Ctrl-C or SIGTERM.");
        spec.addOption(Specs.text("--data", "DIR", "Where the records are kept (log.dirs). Default: ./sluice-data."));
        spec.addOption(Specs.text(
                "--listen",
                "HOST:PORT",
                "Where to listen (listeners), by default 127.0.0.1:9092; port 0 takes a free one."));
        spec.addOption(Specs.text("--config", "FILE", "A properties file with settings by Kafka's names."));
        spec.addOption(
                Specs.repeated("--set", "KEY=VALUE", "One setting; wins over every other source. May be repeated."));
        spec.addOption(Specs.flag("-v, --verbose", "Log what the broker does, and show the stack of a failure."));
        Specs.example(spec, "sluice broker --data /var/lib/sluice --listen 127.0.0.1:9092");
        Specs.exitCodes(
                spec,
                Ordered.map(
                        Map.entry("0", "stopped when told so, everything received was answered"),
                        Map.entry("1", "could not start, or not finish answering in time; standard error says why"),
                        Map.entry("2", "bad arguments or configuration; nothing was started"),
                        Map.entry("130", "stopped at once by a second Ctrl-C")));
        return spec;
    }

    @Override
    public int run(ParseResult parsed, Surroundings surroundings) throws CommandFailure {
        return run(BrokerArguments.from(parsed), surroundings);
    }

    int run(BrokerArguments arguments, Surroundings surroundings) throws CommandFailure {
        RunningBroker broker = start(BrokerSettings.from(arguments, surroundings.environment()));
        CountDownLatch stopAsked = new CountDownLatch(1);
        surroundings.signals().onStop(_ -> {
            stopAsked.countDown();
            return true;
        });
        AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        broker.onFailure(cause -> {
            failure.set(cause);
            stopAsked.countDown();
        });
        surroundings.out().print(FirstScreen.text(broker, surroundings.calledAs()));
        surroundings.out().flush();
        try {
            stopAsked.await();
            Throwable cause = failure.get();
            if (cause != null) {
                throw CommandFailure.failed("the broker could not go on and has closed itself: " + cause, cause);
            }
            return stop(broker, surroundings.err());
        } catch (InterruptedException e) {
            throw CommandFailure.failed("interrupted while the broker ran", e);
        } catch (IOException e) {
            throw CommandFailure.failed("the data folder could not be closed: " + e.getMessage(), e);
        } finally {
            closeQuietly(broker);
        }
    }

    private RunningBroker start(Map<String, String> properties) throws CommandFailure {
        try {
            return launcher.start(properties);
        } catch (IOException e) {
            throw CommandFailure.failed(e.getMessage() == null ? e.toString() : e.getMessage(), e);
        }
    }

    private static int stop(RunningBroker broker, PrintStream err) throws InterruptedException, IOException {
        Duration grace = broker.shutdownGrace();
        err.println("sluice: stopping; what was received is answered first, for at most " + HumanFormat.duration(grace)
                + " (Ctrl-C again stops at once)");
        boolean drained = broker.shutdown(grace);
        broker.close();
        if (drained) {
            err.println("sluice: stopped");
            return ExitCode.OK;
        }
        err.println(
                "sluice: stopped with connections that were still waiting for an answer; their clients will ask again");
        return ExitCode.FAILURE;
    }

    private static void closeQuietly(RunningBroker broker) {
        try {
            broker.close();
        } catch (IOException _) {
            // It was closed before and told of it, or what ends the command is worse.
        }
    }

    /// A broker that runs, as far as this command needs to know it.
    interface RunningBroker extends AutoCloseable {
        List<InetSocketAddress> addresses();

        String dataDir();

        /// `os`, `interval` or `ack`.
        String flushPolicy();

        /// Where programs of this host read logs in place; empty for nowhere.
        String localSocket();

        /// What opening the logs found, a sentence each; empty if there was nothing to find.
        List<String> recovery();

        /// How long a clean stop may take.
        Duration shutdownGrace();

        /// Has `told` called, with the cause, when the broker can't go on and has closed itself.
        void onFailure(Consumer<Throwable> told);

        /// Answers what was received.
        ///
        /// @return false if the time was over before everything was answered
        boolean shutdown(Duration grace) throws InterruptedException;

        /// Stops at once. Closing twice changes nothing.
        @Override
        void close() throws IOException;
    }

    /// Starts a broker from its settings.
    @FunctionalInterface
    interface BrokerLauncher {
        /// @throws CommandFailure when a setting is wrong
        /// @throws IOException    when it can't start; the message says why and what to do
        RunningBroker start(Map<String, String> properties) throws CommandFailure, IOException;
    }
}
