package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `sluice broker` around a broker that opens no port: what it hands over, what it shows, how it stops.
class BrokerCommandTest {
    static {
        TestLogs.start();
    }

    private static final Duration GRACE = Duration.ofSeconds(7);

    @TempDir
    Path folder;

    @Test
    void theFirstScreenTellsWhatRunsWhereAndWhatItPromises() throws Exception {
        Run run = run(new StandIn("127.0.0.1", 9092, List.of("not stopped cleanly before; checked 3 batches")));

        assertThat(run.out)
                .startsWith("Sluice ")
                .contains("listens on  127.0.0.1:9092", "data in     /var/lib/sluice")
                .contains("recovery    not stopped cleanly before; checked 3 batches")
                .contains("flush       os: ", "survives kill -9", "power loss")
                .contains("try         echo hello | bin/sluice produce first\n")
                .contains("then        bin/sluice consume first --to-end\n");
    }

    @Test
    void theCommandsToTryNameAnAddressThatIsNotTheDefaultOne() throws Exception {
        assertThat(run(new StandIn("127.0.0.1", 41234, List.of())).out)
                .contains("sluice produce first --bootstrap 127.0.0.1:41234\n");
        assertThat(run(new StandIn("0.0.0.0", 41234, List.of())).out)
                .contains("listens on  0.0.0.0:41234", "--bootstrap 127.0.0.1:41234\n");
        assertThat(run(new StandIn("::1", 9092, List.of())).out).contains("--bootstrap [0:0:0:0:0:0:0:1]:9092\n");
    }

    @Test
    void aNewFolderHasNothingToTellOfRecovery() throws Exception {
        assertThat(run(new StandIn("127.0.0.1", 9092, List.of())).out).doesNotContain("recovery");
    }

    @Test
    void aStopAnswersWhatWasReceivedAndThenCloses() throws Exception {
        StandIn broker = new StandIn("127.0.0.1", 9092, List.of());
        Run run = run(broker);

        assertThat(run.exitCode).isZero();
        assertThat(broker.calls).startsWith("shutdown " + GRACE, "close");
        assertThat(run.err).contains("at most 7.00 s", "sluice: stopped");
    }

    @Test
    void aStopThatRanOutOfTimeIsAFailure() throws Exception {
        StandIn broker = new StandIn("127.0.0.1", 9092, List.of());
        broker.drains = false;
        Run run = run(broker);

        assertThat(run.exitCode).isEqualTo(ExitCode.FAILURE);
        assertThat(broker.calls).contains("close");
    }

    @Test
    void aBrokerThatCanNotGoOnEndsTheCommandWithAFailure() throws Exception {
        StandIn broker = new StandIn("127.0.0.1", 9092, List.of());
        broker.failure = new IOException("epoll_wait: EBADF");
        Run run = run(broker);

        assertThat(run.exitCode).isEqualTo(ExitCode.FAILURE);
        assertThat(run.err).contains("could not go on", "epoll_wait: EBADF");
        assertThat(broker.calls).contains("close");
    }

    @Test
    void whyItCouldNotStartIsOneLine() throws Exception {
        Run run = run(_ -> {
            throw new IOException("127.0.0.1:9092 is in use; choose another with --listen");
        });
        assertThat(run.exitCode).isEqualTo(ExitCode.FAILURE);
        assertThat(run.err).isEqualTo("sluice: 127.0.0.1:9092 is in use; choose another with --listen\n");
        assertThat(run.out).isEmpty();
    }

    @Test
    void setWinsOverOptionsWhichWinOverTheFile() throws Exception {
        Path file = folder.resolve("broker.properties");
        Files.writeString(
                file, "log.dirs=/from/file\nlisteners=PLAINTEXT://h:1\nnum.partitions=2\nnode.id=5\n# no comment\n");
        StandIn broker = new StandIn("127.0.0.1", 9092, List.of());

        run(
                broker,
                "--set",
                "num.partitions=4",
                "--config",
                file.toString(),
                "--data",
                "/from/option",
                "--listen",
                "127.0.0.1:0",
                "--set",
                "listeners=PLAINTEXT://h:2");

        assertThat(broker.settings)
                .isEqualTo(Map.of(
                        "log.dirs", "/from/option",
                        "listeners", "PLAINTEXT://h:2",
                        "num.partitions", "4",
                        "node.id", "5"));
    }

    @Test
    void whatNobodySetIsLeftToTheBroker() throws Exception {
        StandIn broker = new StandIn("127.0.0.1", 9092, List.of());
        run(broker);
        assertThat(broker.settings).isEmpty();
    }

    @Test
    void theLogLevelIsTheCommandsOwnSetting() throws Exception {
        StandIn broker = new StandIn("127.0.0.1", 9092, List.of());
        run(broker, "--set", "sluice.log.level=debug");
        assertThat(broker.settings).isEmpty();
        assertThat(System.getProperty(LogLevel.OWN_PROPERTY)).isEqualTo("DEBUG");
    }

    private record Run(int exitCode, String out, String err) {}

    private static Run run(StandIn broker, String... arguments) {
        return run(
                settings -> {
                    broker.settings = settings;
                    return broker;
                },
                arguments);
    }

    /// Starts the command, and has it stopped as soon as it listens to signals.
    private static Run run(BrokerCommand.BrokerLauncher launcher, String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        PrintStream errors = new PrintStream(err, true, StandardCharsets.UTF_8);
        Surroundings surroundings = new Surroundings(
                InputStream.nullInputStream(),
                false,
                new PrintStream(out, true, StandardCharsets.UTF_8),
                errors,
                false,
                _ -> {
                    throw new AssertionError("a broker writes no records");
                },
                Map.of("SLUICE_COMMAND", "bin/sluice"),
                request -> assertThat(request.stop(143)).isTrue());
        BrokerArguments parsed = BrokerArguments.plain(List.of(arguments));
        assertThat(parsed).isNotNull();
        int exitCode = Sluice.ended(() -> new BrokerCommand(launcher).run(parsed, surroundings), false, errors);
        return new Run(exitCode, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    /// Looks like a broker, and only notes what is asked of it.
    private static final class StandIn implements BrokerCommand.RunningBroker {
        private final InetSocketAddress address;
        private final List<String> recovery;
        private final List<String> calls = new ArrayList<>();
        private boolean drains = true;
        private Throwable failure;
        private Map<String, String> settings = Map.of();

        StandIn(String host, int port, List<String> recovery) throws IOException {
            this.address = new InetSocketAddress(InetAddress.getByName(host), port);
            this.recovery = recovery;
        }

        @Override
        public List<InetSocketAddress> addresses() {
            return List.of(address);
        }

        @Override
        public String dataDir() {
            return "/var/lib/sluice";
        }

        @Override
        public String localSocket() {
            return "/data/local.sock";
        }

        @Override
        public String flushPolicy() {
            return "os";
        }

        @Override
        public List<String> recovery() {
            return recovery;
        }

        @Override
        public void onFailure(Consumer<Throwable> told) {
            if (failure != null) {
                told.accept(failure);
            }
        }

        @Override
        public Duration shutdownGrace() {
            return GRACE;
        }

        @Override
        public boolean shutdown(Duration grace) {
            calls.add("shutdown " + grace);
            return drains;
        }

        @Override
        public void close() {
            calls.add("close");
        }
    }
}
