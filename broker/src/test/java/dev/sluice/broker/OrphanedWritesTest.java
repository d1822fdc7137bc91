package dev.sluice.broker;

import static dev.sluice.broker.TestClient.ALL;
import static dev.sluice.broker.TestClient.PRODUCE;
import static dev.sluice.broker.TestClient.produceRequest;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.Kernel;
import dev.sluice.testbase.LoopFileSystem;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.LeakCounter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.common.protocol.ApiKeys;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A broker on the direct engine that is killed with writes in flight, and started again at once: what the kernel still
/// writes for the dead one is not written over what the next one recovers and appends.
///
/// The disk is made slow by a control group (version 1, blkio), so that a write takes two seconds to land.
@ExtendWith(LeakCounter.class)
@Tag("root")
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class OrphanedWritesTest {
    private static final int LARGE_BYTES = 1 << 20;
    private static final long BYTES_PER_SECOND = 128 << 10;
    private static final int BLOCK_BYTES = 4096;

    private final Kernel kernel = new Kernel();

    @FunctionalInterface
    private interface Afterwards {
        /// @param data         the dead broker's
        /// @param segment      that it was writing to
        /// @param acknowledged the batch in it that was answered
        void check(Path data, Path segment, byte[] acknowledged) throws Exception;
    }

    private void killWhileWriting(Path folder, Afterwards afterwards) throws Exception {
        assumeTrue(Files.isDirectory(Path.of("/sys/fs/cgroup/blkio")), "no control group (version 1) for blkio");
        Path group = Path.of("/sys/fs/cgroup/blkio/sluice-orphaned-"
                + ProcessHandle.current().pid());
        // On ext4 a process stays until its writes that make files longer are over; not on xfs.
        try (LoopFileSystem disk = LoopFileSystem.create(folder, "xfs", LoopFileSystem.LEAST_XFS_BYTES)) {
            Path data = disk.folder().resolve("data");
            Path segment = data.resolve("topic-0/00000000000000000000.log");
            Files.createDirectory(group);
            try {
                byte[] acknowledged = killWhileWriting(data, group, deviceOf(disk));
                afterwards.check(data, segment, acknowledged);
            } finally {
                Awaitility.await()
                        .atMost(Duration.ofMinutes(1))
                        .ignoreExceptions()
                        .until(() -> {
                            Files.delete(group);
                            return true;
                        });
            }
        }
    }

    @Test
    void controlTheFileOfADeadBrokerStillChanges(@TempDir Path folder) throws Exception {
        killWhileWriting(folder, (data, segment, acknowledged) -> {
            assertThat(isLocked(data))
                    .as("the dead broker's write is under way")
                    .isTrue();
            byte[] atOnce = Files.readAllBytes(segment);

            Awaitility.await().atMost(Duration.ofMinutes(1)).until(() -> !isLocked(data));

            assertThat(Files.readAllBytes(segment)).isNotEqualTo(atOnce);
        });
    }

    /// @param engine of the broker that comes after
    @ParameterizedTest
    @ValueSource(strings = {"direct", "pwrite"})
    void whatADeadBrokerStillWritesDoesNotChangeWhatTheNextOneRecovers(String engine, @TempDir Path folder)
            throws Exception {
        killWhileWriting(folder, (data, segment, acknowledged) -> {
            byte[] next = Batches.of("next").bytes();
            TestBroker broker = TestBroker.stopped(data, "sluice.log.engine", engine);
            // Reserving blocks would wait for what is in flight, where the file system can do it.
            broker.faults.on(Call.FALLOCATE).fails(Errno.EOPNOTSUPP);
            broker.start();
            try (broker;
                    TestClient client = broker.client()) {
                TopicRef topic = client.find("topic");
                assertThat(client.append(topic, 0, next))
                        .as("behind what was acknowledged; the large batch was not")
                        .isEqualTo(1);
            }
            byte[] stored = Batches.stored(next, 1, 0);
            byte[] expected = Arrays.copyOf(acknowledged, acknowledged.length + stored.length);
            System.arraycopy(stored, 0, expected, acknowledged.length, stored.length);
            assertThat(Files.readAllBytes(segment)).isEqualTo(expected);
        });
    }

    /// @return what is stored of the batch that was answered
    private static byte[] killWhileWriting(Path data, Path group, String device) throws Exception {
        byte[] small = ofWholeBlock();
        byte[] large = Batches.random(new Random(1), 1, LARGE_BYTES).bytes();
        try (KilledBroker broker = KilledBroker.start(data, "sluice.log.engine", "direct");
                TestClient client = TestClient.connect(broker.address())) {
            TopicRef topic = client.create("topic", 1, "max.message.bytes", Integer.toString(8 << 20));
            assertThat(client.append(topic, 0, small)).isZero();
            Files.writeString(group.resolve("blkio.throttle.write_bps_device"), device + " " + BYTES_PER_SECOND);
            Files.writeString(group.resolve("cgroup.procs"), Long.toString(broker.pid()));
            client.raw.send(ApiKeys.PRODUCE, PRODUCE, produceRequest(PRODUCE, ALL, topic, 0, large));
            Awaitility.await()
                    .atMost(Duration.ofMinutes(1))
                    .pollInterval(Duration.ofMillis(1))
                    .until(() -> inFlight(broker.pid()) > 1); // one is the read that wakes the engine
            broker.kill();
        }
        return Batches.stored(small, 0, 0);
    }

    /// A batch of one block: behind it there is no padding to cut off, and cutting would wait for what is in
    /// flight.
    private static byte[] ofWholeBlock() {
        for (int length = BLOCK_BYTES - 200; ; length++) {
            byte[] batch = Batches.random(new Random(2), 1, length).bytes();
            if (batch.length == BLOCK_BYTES) {
                return batch;
            }
        }
    }

    /// Operations that the process's ring has taken and not answered.
    private static long inFlight(long pid) throws IOException {
        try (Stream<Path> files = Files.list(Path.of("/proc/" + pid + "/fdinfo"))) {
            for (Path file : files.toList()) {
                Map<String, Long> fields = new HashMap<>();
                for (String line : linesOf(file)) {
                    String[] parts = line.split(":\\s+", 2);
                    if (parts[0].equals("SqHead") || parts[0].equals("CqTail")) {
                        fields.put(parts[0], Long.parseLong(parts[1].strip()));
                    }
                }
                if (fields.size() == 2) {
                    return fields.get("SqHead") - fields.get("CqTail");
                }
            }
        }
        throw new AssertionError("no ring in process " + pid);
    }

    /// Nothing of what was closed since it was listed.
    private static List<String> linesOf(Path file) throws IOException {
        try {
            return Files.readAllLines(file);
        } catch (NoSuchFileException e) {
            return List.of();
        }
    }

    private boolean isLocked(Path data) throws IOException {
        try (Descriptor file = kernel.files()
                .open(data.resolve(".sluice-writes"), dev.sluice.io.linux.Files.O_RDWR, 0, kernel.account())
                .orThrow()) {
            return kernel.files().tryLock(file) == -Errno.EAGAIN;
        }
    }

    private static String deviceOf(LoopFileSystem disk) throws Exception {
        Process process =
                new ProcessBuilder("findmnt", "-nro", "MAJ:MIN", disk.folder().toString()).start();
        String number = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).isZero();
        return number.strip();
    }
}
