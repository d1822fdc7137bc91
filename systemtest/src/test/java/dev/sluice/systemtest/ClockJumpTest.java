package dev.sluice.systemtest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.sluice.testbase.RequiresProgram;
import dev.sluice.testkit.History;
import dev.sluice.testkit.NumberedRecord;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The clock of a running broker's machine is set by a month, ahead and back: libfaketime stands between the process
/// and its wall clock, and leaves the monotonic one alone, as the kernel does.
@RequiresProgram("faketime")
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class ClockJumpTest {
    private static final Path HOME = Path.of(System.getProperty("sluice.home"));
    private static final Duration BOUND = Duration.ofMinutes(2);
    private static final int RECORDS = 20;
    private static final int RECORD_BYTES = 64 << 10;

    /// Of a topic that keeps nothing: what is deleted of it tells that retention has looked.
    private static final String CANARY = "canary";

    @TempDir
    Path temporary;

    private final History history = new History(10);
    private final List<Path> left = new ArrayList<>();
    private int canaries;

    /// Not by a process whose clock is not its own: everything under it is slow.
    @BeforeAll
    static void build() {
        Processes.run(Duration.ofMinutes(5), List.of(HOME.resolve("bin/sluice").toString(), "--version"))
                .orThrow("sluice --version");
    }

    private static Path library() throws IOException {
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(Path.of("/usr/lib"), "*-linux-gnu*")) {
            for (Path folder : folders) {
                Path library = folder.resolve("faketime/libfaketimeMT.so.1");
                if (Files.exists(library)) {
                    return library;
                }
            }
        }
        return abort("libfaketime is not where Debian has it");
    }

    private BrokerProcess start(long holdMs) throws IOException, InterruptedException {
        set("+0");
        List<String> options = new ArrayList<>();
        for (String setting : List.of(
                "log.segment.bytes=262144",
                "log.retention.check.interval.ms=50",
                "sluice.retention.clock.hold.ms=" + holdMs)) {
            options.addAll(List.of("--set", setting));
        }
        BrokerProcess broker = BrokerProcess.start(
                HOME,
                temporary.resolve("data"),
                options,
                Map.of(
                        "LD_PRELOAD", library().toString(),
                        "FAKETIME_TIMESTAMP_FILE", clock().toString(),
                        "FAKETIME_NO_CACHE", "1",
                        "FAKETIME_DONT_FAKE_MONOTONIC", "1",
                        "NO_FAKE_STAT", "1"));
        left.add(Path.of("/dev/shm/faketime_shm_" + broker.pid()));
        left.add(Path.of("/dev/shm/sem.faketime_sem_" + broker.pid()));
        return broker;
    }

    /// The library makes these for its process, and leaves them there when that becomes another program.
    @AfterEach
    void tidy() throws IOException {
        for (Path each : left) {
            Files.deleteIfExists(each);
        }
    }

    private Path clock() {
        return temporary.resolve("clock");
    }

    /// @param by from the right time: `+30d`
    private void set(String by) throws IOException {
        Path next = Files.writeString(temporary.resolve("clock.next"), by + "\n");
        Files.move(next, clock(), StandardCopyOption.ATOMIC_MOVE);
    }

    private void fill(CrashClient client) throws IOException {
        client.createTopic(1);
        CrashClient.ProducerIdentity producer = client.newProducer();
        for (int number = 0; number < RECORDS; number++) {
            NumberedRecord record = new NumberedRecord(0, number);
            CrashClient.Stored stored = client.produce(0, producer, number, List.of(record.content(RECORD_BYTES)));
            assertThat(stored.error()).isEqualTo(Errors.NONE);
            history.acknowledged(0, stored.baseOffset(), record, System.nanoTime());
        }
    }

    /// Waits until retention has looked once more, and deleted what is to go by size.
    private void awaitRetention(BrokerProcess broker) throws IOException, InterruptedException {
        Path content = Files.writeString(temporary.resolve("canary"), "sings\n");
        Processes.run(
                        BOUND,
                        List.of(
                                HOME.resolve("bin/sluice").toString(),
                                "produce",
                                "--bootstrap",
                                broker.bootstrap(),
                                CANARY,
                                content.toString()))
                .orThrow("sluice produce");
        canaries++;
        await(() -> broker.hasShown(CANARY + "-0: 1 segments", canaries));
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        long deadlineNs = System.nanoTime() + BOUND.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("given up waiting").isLessThan(deadlineNs);
            Thread.sleep(10);
        }
    }

    private void assertNothingExpired(CrashClient client) throws IOException {
        assertThat(client.startOffset(0)).as("records wrongly expired").isZero();
        client.readBack(history, 0);
        assertThat(history.anomalies()).isEmpty();
    }

    @Test
    void aMonthAheadAndAMonthBackCostNoRecord() throws Exception {
        try (BrokerProcess broker = start(TimeUnit.DAYS.toMillis(1));
                CrashClient client = CrashClient.connect(broker.port())) {
            Processes.run(
                            BOUND,
                            List.of(
                                    HOME.resolve("bin/sluice").toString(),
                                    "topic",
                                    "create",
                                    CANARY,
                                    "--config",
                                    "retention.bytes=0",
                                    "--config",
                                    "message.timestamp.after.max.ms=" + Long.MAX_VALUE,
                                    "--bootstrap",
                                    broker.bootstrap()))
                    .orThrow("sluice topic create");
            fill(client);

            set("+30d");
            await(() -> broker.hasShown("was set forward by", 1));
            awaitRetention(broker);
            assertNothingExpired(client);

            for (String by : List.of("-30d", "+0")) {
                set(by);
                awaitRetention(broker);
                assertNothingExpired(client);
            }
            assertThat(broker.stop()).isZero();
        }
    }

    @Test
    void theControlThatBelievesTheClockLosesThemAll() throws Exception {
        try (BrokerProcess broker = start(0);
                CrashClient client = CrashClient.connect(broker.port())) {
            fill(client);
            set("+30d");
            await(() -> broker.hasShown(CrashClient.TOPIC + "-0: ", 1));
            assertThat(client.startOffset(0)).isEqualTo(RECORDS);
        }
    }
}
