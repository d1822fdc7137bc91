package dev.sluice.broker;

import static dev.sluice.broker.TestClient.ALL;
import static dev.sluice.broker.TestClient.FETCH;
import static dev.sluice.broker.TestClient.fetchRequest;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.Kernel;
import dev.sluice.testbase.LoopFileSystem;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.GateFaults;
import dev.sluice.testkit.LeakCounter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A disk that is full, or fails: the partitions that it hits answer an error, all else goes on.
@Timeout(180)
@ExtendWith(LeakCounter.class)
class DiskTroubleTest {
    @TempDir
    Path folder;

    private static Errors error(int code) {
        return Errors.forCode((short) code);
    }

    private static byte[] batch(Random random, int bytes) {
        return Batches.random(random, 1, bytes).bytes();
    }

    // ---- Reading

    @Test
    void aReadErrorHitsItsPartitionAlone() throws IOException {
        try (TestBroker broker = TestBroker.start(folder);
                TestClient client = broker.client()) {
            TopicRef bad = client.create("bad", 1);
            TopicRef good = client.create("good", 1);
            byte[] records = batch(new Random(1), 100_000);
            client.append(bad, 0, records);
            client.append(good, 0, records);
            GateFaults.Fault unsent =
                    broker.faults.on(Call.SENDFILE).of("*/bad-0/*.log").times(1).fails(Errno.EIO);
            GateFaults.Fault unread =
                    broker.faults.on(Call.PREAD).of("*/bad-0/*.log").fails(Errno.EIO);

            // The first is found out in mid-answer, when it is too late for an error code.
            try (TestClient unlucky = broker.client()) {
                assertThatThrownBy(() -> unlucky.read(bad, 0, 0)).isInstanceOf(IOException.class);
            }
            assertThat(unsent.hits()).isEqualTo(1);

            // From then on it has one, and whoever asks for others too gets those.
            var both = fetchRequest(FETCH, bad, 0, 0);
            TestClient.add(both, FETCH, good, 0, 0, Integer.MAX_VALUE);
            FetchResponseData answer = client.raw.ask(ApiKeys.FETCH, FETCH, both, FetchResponseData.class);
            PartitionData ofBad = answer.responses().get(0).partitions().getFirst();
            PartitionData ofGood = answer.responses().get(1).partitions().getFirst();
            assertThat(error(ofBad.errorCode())).isEqualTo(Errors.KAFKA_STORAGE_ERROR);
            assertThat(TestClient.bytes(ofGood.records())).hasSize(records.length);
            assertThat(Status.of(client).problems()).singleElement().asString().contains("bad-0", "EIO", ".log");

            unread.heal();
            assertThat(client.read(bad, 0, 0)).hasSize(records.length);
        }
    }

    /// The upper half of the device is gone; what lies there is what was written last.
    @Test
    @Tag("root")
    void aDeviceOfWhichAPartCannotBeReadCostsWhatLiesThereAlone() throws Exception {
        long sizeBytes = 64L << 20;
        try (LoopFileSystem disk = LoopFileSystem.create(folder, "ext4", sizeBytes)) {
            Path data = disk.folder().resolve("data");
            try (TestBroker broker = TestBroker.start(data);
                    TestClient client = broker.client()) {
                TopicRef good = client.create("good", 1);
                TopicRef bad = client.create("bad", 1);
                Random random = new Random(1);
                List<byte[]> kept = new ArrayList<>();
                List<byte[]> large = new ArrayList<>();
                for (int i = 0; i < 40; i++) {
                    kept.add(batch(random, 1000));
                    client.append(good, 0, kept.getLast());
                    large.add(batch(random, 1_000_000));
                    client.append(bad, 0, large.getLast());
                }
                drop(data.resolve("bad-0/00000000000000000000.log"));
                drop(data.resolve("good-0/00000000000000000000.log"));
                disk.truncateDevice(sizeBytes / 2);

                int readable = 0;
                int lost = 0;
                for (int offset = 0; offset < large.size(); offset++) {
                    byte[] answered = tryRead(broker, bad, offset);
                    if (answered == null) {
                        lost++;
                    } else {
                        assertThat(answered).isEqualTo(Batches.stored(large.get(offset), offset, 0));
                        readable++;
                    }
                }
                assertThat(readable).isPositive();
                assertThat(lost).isPositive();
                assertKept(client, good, kept);
                assertThat(Status.of(client).problems()).anyMatch(problem -> problem.contains("bad-0"));

                disk.restoreDevice();
                broker.broker().close();
            }
        }
    }

    /// Out of the page cache, so that it has to be read.
    private static void drop(Path path) throws IOException {
        Kernel kernel = new Kernel();
        try (Descriptor file = kernel.files()
                .open(path, dev.sluice.io.linux.Files.O_RDWR, 0, kernel.account())
                .orThrow()) {
            assertThat(kernel.files().fdatasync(file)).isZero();
            assertThat(kernel.files().advise(file, 0, 0, dev.sluice.io.linux.Files.FADV_DONTNEED))
                    .isZero();
        }
    }

    /// The batch at `offset`, on a connection of its own; null when the broker says that it can't be read, or
    /// finds that out in mid-answer.
    private static byte[] tryRead(TestBroker broker, TopicRef topic, long offset) {
        try (TestClient client = broker.client()) {
            PartitionData answer =
                    client.fetch(FETCH, fetchRequest(FETCH, topic, 0, offset).setMaxBytes(1));
            if (answer.errorCode() == 0) {
                return TestClient.bytes(answer.records());
            }
            assertThat(error(answer.errorCode())).isEqualTo(Errors.KAFKA_STORAGE_ERROR);
        } catch (IOException e) {
            // cut off in mid-answer
        }
        return null;
    }

    @Test
    void aWriteErrorIsSeenInTheStatus() throws IOException {
        try (TestBroker broker = TestBroker.start(folder);
                TestClient client = broker.client()) {
            TopicRef bad = client.create("bad", 1);
            TopicRef good = client.create("good", 1);
            client.append(bad, 0, Batches.of("kept").bytes());
            broker.faults.on(Call.PWRITE).of("*/bad-0/*.log").times(1).fails(Errno.EIO);

            PartitionProduceResponse answer =
                    client.produce(bad, 0, Batches.of("lost").bytes());

            assertThat(error(answer.errorCode())).isEqualTo(Errors.KAFKA_STORAGE_ERROR);
            assertThat(Status.of(client).partition("bad", 0).get("failure").toString())
                    .contains("bad-0 takes no more appends", "EIO");
            assertThat(client.append(good, 0, Batches.of("good").bytes())).isZero();
            assertThat(client.read(bad, 0, 0)).isNotEmpty();
            assertThatThrownBy(() -> broker.broker().close()).hasMessageContaining("EIO"); // no clean end
        }
    }

    // ---- A full disk

    @Test
    void clientsAreToldWhatTheyTryAgainOn() throws IOException {
        try (TestBroker broker = TestBroker.start(folder);
                TestClient client = broker.client()) {
            TopicRef topic = client.create("topic", 1);
            byte[] records = Batches.of("value").bytes();
            GateFaults.Fault full = broker.faults
                    .on(Call.FALLOCATE, Call.PWRITE)
                    .of("*/topic-0/*.log")
                    .fails(Errno.ENOSPC);

            assertThat(error(client.produce(3, ALL, topic, 0, records).errorCode()))
                    .isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER); // version 3 knows no other
            assertThat(error(client.produce(4, ALL, topic, 0, records).errorCode()))
                    .isEqualTo(Errors.KAFKA_STORAGE_ERROR);
            assertThat(full.hits()).isPositive();

            full.heal();
            assertThat(client.append(topic, 0, records)).isZero();
        }
    }

    /// A real disk that is full, twice over: what was acknowledged stays and is read, a topic can be deleted, and
    /// writing goes on by itself.
    @ParameterizedTest
    @Tag("root")
    @CsvSource({"ext4, 16777216, pwrite", "xfs, 325058560, pwrite", "ext4, 16777216, mapped"})
    void aFullDiskIsLivedThrough(String type, long bytes, String engine) throws Exception {
        try (LoopFileSystem disk = LoopFileSystem.create(folder, type, bytes)) {
            try (TestBroker broker = TestBroker.start(
                            disk.folder().resolve("data"),
                            "sluice.log.engine",
                            engine,
                            "log.flush.offset.checkpoint.interval.ms",
                            "50",
                            "log.retention.check.interval.ms",
                            "50",
                            "log.retention.ms",
                            "-1");
                    TestClient client = broker.client()) {
                TopicRef ballast = client.create("ballast", 1);
                TopicRef kept = client.create("kept", 1);
                client.append(ballast, 0, batch(new Random(7), (int) Math.min(bytes / 8, 1_000_000)));
                Random random = new Random(1);
                int most = (int) Math.min(bytes / 64, 1_000_000);

                List<byte[]> acknowledged = fill(client, kept, random, most);
                assertThat(acknowledged).isNotEmpty();
                // Room that was freed comes back with the file system's next commit, so it is full again and again.
                await().untilAsserted(() -> {
                    acknowledged.addAll(fill(client, kept, random, most));
                    assertThat(Status.of(client).problems()).anyMatch(problem -> problem.contains("is full"));
                });
                assertKept(client, kept, acknowledged);
                assertThat(broker.folder().resolve(".sluice-reserve")).exists();

                // What a full disk must not keep from being written: the checkpoint is made anew all the while.
                Path checkpoint = broker.folder().resolve("recovery-point-offset-checkpoint");
                Files.delete(checkpoint);
                await().untilAsserted(() -> assertThat(checkpoint).exists());

                assertThat(client.delete("ballast")).isEqualTo(Errors.NONE);
                byte[] small = batch(random, 1000);
                await().untilAsserted(() -> assertThat(
                                error(client.produce(kept, 0, small).errorCode()))
                        .isEqualTo(Errors.NONE));
                acknowledged.add(small);
                await().untilAsserted(
                                () -> assertThat(Status.of(client).problems()).isEmpty());
                acknowledged.addAll(fill(client, kept, random, most));
                assertKept(client, kept, acknowledged);

                broker.stop();
                broker.start();
                assertThat(broker.broker().recoveryReport().clean()).isTrue();
                try (TestClient again = broker.client()) {
                    assertKept(again, again.find("kept"), acknowledged);
                }
            }
        }
    }

    /// Appends ever smaller batches until not even 200 bytes go through.
    private static List<byte[]> fill(TestClient client, TopicRef topic, Random random, int mostBytes)
            throws IOException {
        List<byte[]> acknowledged = new ArrayList<>();
        for (int size = mostBytes; size > 200; ) {
            byte[] batch = batch(random, size);
            PartitionProduceResponse answer = client.produce(topic, 0, batch);
            if (answer.errorCode() == Errors.NONE.code()) {
                acknowledged.add(batch);
            } else {
                assertThat(error(answer.errorCode())).isEqualTo(Errors.KAFKA_STORAGE_ERROR);
                size /= 2;
            }
        }
        return acknowledged;
    }

    private static void assertKept(TestClient client, TopicRef topic, List<byte[]> acknowledged) throws IOException {
        assertThat(client.endOffset(topic, 0)).isEqualTo(acknowledged.size());
        for (int offset = 0; offset < acknowledged.size(); offset++) {
            var request = fetchRequest(FETCH, topic, 0, offset).setMaxBytes(1);
            byte[] stored = TestClient.bytes(client.fetch(FETCH, request).records());
            assertThat(stored).isEqualTo(Batches.stored(acknowledged.get(offset), offset, 0));
        }
    }
}
