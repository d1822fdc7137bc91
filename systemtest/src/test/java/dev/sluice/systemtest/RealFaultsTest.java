package dev.sluice.systemtest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.testbase.LastingPort;
import dev.sluice.testbase.LoopFileSystem;
import dev.sluice.testbase.RequiresProgram;
import dev.sluice.testkit.History;
import dev.sluice.testkit.NumberedRecord;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.common.protocol.Errors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What befalls a broker for real: a device that loses what it had taken, a process that is stopped for a while, too
/// little memory.
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class RealFaultsTest {
    private static final Path HOME = Path.of(System.getProperty("sluice.home"));
    private static final Duration BOUND = Duration.ofMinutes(2);
    private static final int RECORD_BYTES = 64 << 10;
    private static final int FEW = 20;
    private static final int MANY = 4_000;

    @TempDir
    Path temporary;

    private final History history = new History(10);

    private static void command(String... command) {
        Processes.run(BOUND, List.of(command)).orThrow(String.join(" ", command));
    }

    /// Produces numbered records into a partition until one is refused, or there are enough.
    ///
    /// @return how many were acknowledged
    private long produce(CrashClient client, int partition, CrashClient.ProducerIdentity producer, long from, long most)
            throws IOException {
        for (long number = from; number < from + most; number++) {
            NumberedRecord record = new NumberedRecord(partition, number);
            CrashClient.Stored stored =
                    client.produce(partition, producer, (int) number, List.of(record.content(RECORD_BYTES)));
            if (stored.error() != Errors.NONE) {
                return number - from;
            }
            history.acknowledged(partition, stored.baseOffset(), record, System.nanoTime());
        }
        return most;
    }

    private void readBack(CrashClient client) throws IOException {
        client.readBack(history, 0);
        assertThat(history.anomalies()).isEmpty();
    }

    /// A part of what befalls a broker.
    @FunctionalInterface
    private interface Step {
        void run(BrokerProcess broker, CrashClient client) throws Exception;
    }

    /// With the flush policy `ack`: what was acknowledged before the first failure is there after the next start,
    /// and nothing is acknowledged between the two, also when the fault is over. Then it goes on.
    ///
    /// @param fault     brings about that a flush fails, at once or by and by
    /// @param over      ends that
    /// @param unmounted run when no broker is there
    private void assertFenced(Path data, Step fault, Step over, Runnable unmounted) throws Exception {
        int port = LastingPort.find();
        List<String> options = List.of("--set", "sluice.flush.policy=ack");
        CrashClient.ProducerIdentity producer;
        long stored;
        try (BrokerProcess broker = BrokerProcess.start(HOME, data, port, options, Map.of())) {
            try (CrashClient client = CrashClient.connect(port)) {
                client.createTopic(2);
                producer = client.newProducer();
                assertThat(produce(client, 0, producer, 0, FEW)).isEqualTo(FEW);
                fault.run(broker, client);
                stored = FEW + produce(client, 0, producer, FEW, MANY);
                assertThat(stored).as("refused").isLessThan(FEW + MANY);
                over.run(broker, client);
                for (int retry = 0; retry < 3; retry++) {
                    assertThat(produce(client, 0, producer, stored, 1))
                            .as("acknowledged after the failure")
                            .isZero();
                }
            }
            assertThat(broker.isAlive()).isTrue();
            broker.kill();
        }
        unmounted.run();
        try (BrokerProcess broker = BrokerProcess.start(HOME, data, port, options, Map.of());
                CrashClient client = CrashClient.connect(port)) {
            readBack(client);
            assertThat(produce(client, 0, producer, stored, 5)).isEqualTo(5);
            readBack(client);
            assertThat(broker.isAlive()).isTrue();
        }
    }

    /// The device is a file on a tmpfs that is too small for it: writes go into the page cache, and are lost when
    /// the kernel writes them back.
    @Test
    @Tag("root")
    void aWriteThatTheDeviceLosesIsNotAcknowledgedNorAnyAfterIt() throws Exception {
        try (Tmpfs small = Tmpfs.mount(Files.createDirectory(temporary.resolve("small")), "48m");
                LoopFileSystem disk = LoopFileSystem.create(small.folder(), "ext4", 256L << 20)) {
            assertFenced(disk.folder().resolve("data"), (_, _) -> {}, (_, _) -> {}, () -> {
                command("mount", "-o", "remount,size=512m", small.folder().toString());
                remount(disk);
            });
        }
    }

    private static void remount(LoopFileSystem disk) {
        try {
            disk.remount();
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /// The device refuses for a while, and takes everything again afterwards: the kernel has told the loss once,
    /// and would call the next flush a success.
    @Test
    @Tag("root")
    void aDeviceThatFailedAndHealedIsNotTrustedBeforeItWasRead() throws Exception {
        try (ZramDisk disk = ZramDisk.create(temporary)) {
            assertFenced(
                    disk.folder().resolve("data"),
                    (_, _) -> disk.refuse(),
                    (_, client) -> {
                        disk.heal();
                        assertThat(produce(client, 1, client.newProducer(), 0, 5))
                                .as("on the partition beside it, on the same device")
                                .isEqualTo(5);
                    },
                    () -> {});
        }
    }

    @Test
    @Tag("root")
    void theControlThatFlushesAgainIsToldThatLostBytesAreThere() throws Exception {
        try (ZramDisk disk = ZramDisk.create(temporary)) {
            Path path = disk.folder().resolve("file");
            byte[] bytes = new byte[1 << 20];
            new Random(1).nextBytes(bytes);
            disk.refuse();
            try (FileChannel file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                file.write(ByteBuffer.wrap(bytes));
                assertThatThrownBy(() -> file.force(false)).isInstanceOf(IOException.class);
                disk.heal();
                file.force(false); // and nobody complains
            }
            disk.remount();
            assertThat(Files.readAllBytes(path)).isNotEqualTo(bytes);
        }
    }

    @Test
    @Tag("root")
    @RequiresProgram("strace")
    void afterOneFlushThatTheKernelCallsFailedNothingIsAcknowledged() throws Exception {
        AtomicReference<Strace> attached = new AtomicReference<>();
        assertFenced(
                temporary.resolve("data"),
                (broker, _) -> attached.set(Strace.inject(broker.pid(), "fdatasync", "error=EIO:when=1")),
                (_, _) -> attached.get().close(),
                () -> {});
    }

    /// A file may not become longer: the kernel writes a part of a batch, or nothing of it. As for a full disk,
    /// that passes.
    @Test
    @Tag("root")
    void aBatchThatTheKernelDoesNotWriteWholeIsNoPartOfTheLog() throws Exception {
        Path data = temporary.resolve("data");
        Path segment = data.resolve(CrashClient.TOPIC + "-0/00000000000000000000.log");
        int port = LastingPort.find();
        try (BrokerProcess broker = BrokerProcess.start(HOME, data, port, List.of(), Map.of());
                CrashClient client = CrashClient.connect(port)) {
            client.createTopic(1);
            CrashClient.ProducerIdentity producer = client.newProducer();
            assertThat(produce(client, 0, producer, 0, 20)).isEqualTo(20);
            limitFiles(broker, Long.toString(Files.size(segment) + RECORD_BYTES / 2));
            long stored = 20 + produce(client, 0, producer, 20, 500);
            assertThat(stored).as("refused").isLessThan(520);
            readBack(client);

            limitFiles(broker, "unlimited");
            assertThat(produce(client, 0, producer, stored, 20)).isEqualTo(20);
            broker.kill();
        }
        try (BrokerProcess broker = BrokerProcess.start(HOME, data, port, List.of(), Map.of());
                CrashClient client = CrashClient.connect(port)) {
            readBack(client);
            assertThat(broker.isAlive()).isTrue();
        }
    }

    private static void limitFiles(BrokerProcess broker, String bytes) {
        command("prlimit", "--pid", Long.toString(broker.pid()), "--fsize=" + bytes + ":");
    }

    private record Tmpfs(Path folder) implements AutoCloseable {
        static Tmpfs mount(Path folder, String size) {
            command("mount", "-t", "tmpfs", "-o", "size=" + size, "tmpfs", folder.toString());
            return new Tmpfs(folder);
        }

        @Override
        public void close() throws IOException, InterruptedException {
            LoopFileSystem.unmount(folder);
        }
    }

    @Test
    void aProcessThatIsStoppedForAWhileGoesOnWhereItWas() throws Exception {
        int port = LastingPort.find();
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
        int port = LastingPort.find();
        try (BrokerProcess broker = BrokerProcess.start(HOME, temporary.resolve("data"), port, List.of(), Map.of())) {
            Files.writeString(group.resolve("memory.limit_in_bytes"), "192M");
            Files.writeString(group.resolve("cgroup.procs"), Long.toString(broker.pid()));
            try (CrashClient client = CrashClient.connect(port)) {
                client.createTopic(1);
                assertThat(produce(client, 0, client.newProducer(), 0, MANY)).isEqualTo(MANY); // 250 MB
                readBack(client);
            }
            assertThat(broker.isAlive()).isTrue();
            broker.kill();
        } finally {
            Awaitility.await()
                    .ignoreExceptions()
                    .until(
                            () -> { // what the process had in the kernel may be there still
                                Files.delete(group);
                                return true;
                            });
        }
    }
}
