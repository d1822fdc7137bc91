package dev.sluice.systemtest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testbase.LoopFileSystem;
import dev.sluice.testkit.History;
import dev.sluice.testkit.NumberedRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What befalls a broker for real: a device that loses what it had taken, a process that is stopped for a while, too
/// little memory.
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class RealFaultsTest {
    private static final Path HOME = Path.of(System.getProperty("sluice.home"));
    private static final Duration BOUND = Duration.ofSeconds(30);
    private static final int RECORD_BYTES = 64 << 10;

    @TempDir
    Path temporary;

    private final History history = new History(10);

    private static void command(String... command) {
        Processes.run(BOUND, List.of(command)).orThrow(String.join(" ", command));
    }

    /// Produces numbered records into partition 0 until one is refused, or there are enough.
    ///
    /// @return how many were acknowledged
    private long produce(CrashClient client, CrashClient.ProducerIdentity producer, long from, long most)
            throws IOException {
        for (long number = from; number < from + most; number++) {
            NumberedRecord record = new NumberedRecord(0, number);
            CrashClient.Stored stored =
                    client.produce(0, producer, (int) number, List.of(record.content(RECORD_BYTES)));
            if (stored.error() != Errors.NONE) {
                return number - from;
            }
            history.acknowledged(0, stored.baseOffset(), record, System.nanoTime());
        }
        return most;
    }

    private void readBack(CrashClient client) throws IOException {
        long end = client.endOffset(0);
        History.Reading reading = history.reading(0, 0);
        for (long next = 0; next < end; ) {
            CrashClient.Fetched fetched = client.fetch(0, next, 0, reading);
            assertThat(fetched.error()).isEqualTo(Errors.NONE);
            assertThat(fetched.nextOffset()).isGreaterThan(next);
            next = fetched.nextOffset();
        }
        reading.endsAfterCrash(end, System.nanoTime());
        assertThat(history.anomalies()).isEmpty();
    }

    /// The device is a file on a tmpfs that is too small for it: writes go into the page cache, and are lost when
    /// the kernel writes them back.
    @Test
    @Tag("root")
    void aWriteThatTheDeviceLosesIsNotAcknowledgedNorAnyAfterIt() throws Exception {
        try (Tmpfs small = Tmpfs.mount(Files.createDirectory(temporary.resolve("small")), "48m");
                LoopFileSystem disk = LoopFileSystem.create(small.folder(), "ext4", 256L << 20)) {
            Path data = disk.folder().resolve("data");
            int port = BrokerProcess.lastingPort();
            List<String> options = List.of("--set", "sluice.flush.policy=ack");
            try (BrokerProcess broker = BrokerProcess.start(HOME, data, port, options, Map.of())) {
                long stored;
                try (CrashClient client = CrashClient.connect(port)) {
                    client.createTopic(1);
                    CrashClient.ProducerIdentity producer = client.newProducer();
                    stored = produce(client, producer, 0, 4_000);
                    assertThat(stored).isBetween(1L, 3_999L);
                    for (int retry = 0; retry < 3; retry++) {
                        assertThat(produce(client, producer, stored, 1)).isZero();
                    }
                }
                assertThat(broker.isAlive()).isTrue();
                broker.kill();
            }
            command("mount", "-o", "remount,size=512m", small.folder().toString());
            disk.remount();
            try (BrokerProcess broker = BrokerProcess.start(HOME, data, port, options, Map.of());
                    CrashClient client = CrashClient.connect(port)) {
                readBack(client);
                assertThat(broker.isAlive()).isTrue();
            }
        }
    }

    private record Tmpfs(Path folder) implements AutoCloseable {
        static Tmpfs mount(Path folder, String size) {
            command("mount", "-t", "tmpfs", "-o", "size=" + size, "tmpfs", folder.toString());
            return new Tmpfs(folder);
        }

        @Override
        public void close() {
            command("umount", folder.toString());
        }
    }

    @Test
    void aProcessThatIsStoppedForAWhileGoesOnWhereItWas() throws Exception {
        int port = BrokerProcess.lastingPort();
        try (BrokerProcess broker = BrokerProcess.start(HOME, temporary.resolve("data"), port, List.of(), Map.of())) {
            try (CrashClient client = CrashClient.connect(port)) {
                client.createTopic(CrashLoad.PARTITIONS);
            }
            try (CrashLoad load = new CrashLoad(port, history, 1)) {
                load.up(new long[CrashLoad.PARTITIONS]);
                for (int pause = 0; pause < 3; pause++) {
                    load.awaitAcknowledged(200, BOUND.toNanos());
                    broker.halt();
                    Thread.sleep(300); // the fault itself, and none that anything is hoped to be done in
                    broker.goOn();
                }
                load.awaitAcknowledged(200, BOUND.toNanos());
                load.requireNoComplaint();
            }
            assertThat(history.anomalies()).isEmpty();
        }
    }

    /// The kernel gives the broker less memory than it is sent: the page cache of its data counts too.
    @Test
    @Tag("root")
    void aBrokerInLittleMemoryTakesAndGivesMoreThanThat() throws Exception {
        Path group = Path.of(
                "/sys/fs/cgroup/memory/sluice-" + ProcessHandle.current().pid());
        if (!Files.isDirectory(group.getParent())) {
            org.junit.jupiter.api.Assumptions.abort("there is no memory controller of cgroup v1");
        }
        Files.createDirectory(group);
        int port = BrokerProcess.lastingPort();
        try (BrokerProcess broker = BrokerProcess.start(HOME, temporary.resolve("data"), port, List.of(), Map.of())) {
            Files.writeString(group.resolve("memory.limit_in_bytes"), "192M");
            Files.writeString(group.resolve("cgroup.procs"), Long.toString(broker.pid()));
            try (CrashClient client = CrashClient.connect(port)) {
                client.createTopic(1);
                assertThat(produce(client, client.newProducer(), 0, 4_000)).isEqualTo(4_000); // 250 MB
                readBack(client);
            }
            assertThat(broker.isAlive()).isTrue();
            broker.kill();
        } finally {
            Files.delete(group);
        }
    }
}
