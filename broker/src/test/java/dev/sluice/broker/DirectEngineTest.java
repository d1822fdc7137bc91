package dev.sluice.broker;

import static dev.sluice.broker.TestClient.FETCH;
import static dev.sluice.broker.TestClient.fetchRequest;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.GateFaults;
import dev.sluice.testkit.LeakCounter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// A broker that writes past the page cache: what is produced is on the disk when it is answered, the newest records
/// are read from its pool, older ones from the disk, and the page cache has none of it.
@ExtendWith(LeakCounter.class)
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class DirectEngineTest {
    private static final int BATCHES = 60;
    private static final Duration LONG = Duration.ofMinutes(1);

    /// Not a multiple of anything; five times the pool together.
    private static final int RECORD_BYTES = 350_021;

    private static final String POOL_BYTES = Integer.toString(4 << 20);

    private final Kernel kernel = new Kernel();
    private Path data;
    private TestBroker broker;
    private TestClient client;
    private TopicRef topic;

    @BeforeEach
    void start(@TempDir Path folder) throws IOException {
        data = folder.resolve("data");
        broker = TestBroker.start(
                data,
                "sluice.log.engine",
                "direct",
                "sluice.log.direct.pool.bytes",
                POOL_BYTES,
                "num.network.threads",
                "1");
        client = broker.client();
        topic = client.create("topic", 1);
    }

    @AfterEach
    void stop() throws IOException {
        client.close();
        broker.close();
    }

    private Path segment() {
        return data.resolve("topic-0/00000000000000000000.log");
    }

    private long residentBytes() throws IOException {
        try (Descriptor file = kernel.files()
                .open(segment(), Files.O_RDONLY, 0, kernel.account())
                .orThrow()) {
            return kernel.pageCache().residentBytes(file, 0, 1L << 30);
        }
    }

    private byte[] produce(int batches) throws IOException {
        Random random = new Random(7);
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int i = 0; i < batches; i++) {
            byte[] batch = Batches.random(random, 1, RECORD_BYTES + random.nextInt(5_000))
                    .bytes();
            assertThat(client.append(topic, 0, batch)).isEqualTo(i);
            all.write(Batches.stored(batch, i, 0));
        }
        return all.toByteArray();
    }

    private byte[] fetch(long offset, int maxBytes) throws IOException {
        FetchRequestData request = fetchRequest(FETCH, topic, 0, offset);
        request.topics().getFirst().partitions().getFirst().setPartitionMaxBytes(maxBytes);
        FetchResponseData answer = client.raw.ask(ApiKeys.FETCH, FETCH, request, FetchResponseData.class);
        return TestClient.bytes(TestClient.only(answer).records());
    }

    private byte[] readAll(int batches, int maxBytes) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (long offset = 0; offset < batches; ) {
            byte[] some = fetch(offset, maxBytes);
            int whole = 0;
            while (whole + 12 <= some.length && whole + length(some, whole) <= some.length) {
                whole += length(some, whole);
                offset++;
            }
            assertThat(whole).as("at least one batch").isPositive();
            all.write(some, 0, whole);
        }
        return all.toByteArray();
    }

    private static int length(byte[] batches, int at) {
        return 12 + ByteBuffer.wrap(batches).getInt(at + 8);
    }

    @Test
    void whatWasProducedIsReadWhereverItLiesAndThePageCacheHasNoneOfIt() throws IOException {
        byte[] stored = produce(BATCHES);
        Status produced = Status.of(client);
        AtomicLong fromDisk = new AtomicLong();
        broker.faults.on(Call.PREAD).of("/proc/self/fd/*").tells(fromDisk::addAndGet);

        for (int maxBytes : new int[] {30_000, 1 << 20, 10_000_000}) {
            assertThat(readAll(BATCHES, maxBytes))
                    .as("%d bytes a fetch", maxBytes)
                    .isEqualTo(stored);
        }

        Status read = Status.of(client);
        assertThat(produced.partitionBytes("topic", 0, Call.PWRITE)).isZero();
        assertThat(read.connectionBytes(client.peerName(), Call.SENDFILE)).isZero();
        assertThat(fromDisk.get())
                .as("older records, from the disk: once by each reading, though answers end within batches")
                .isBetween((long) stored.length, 3L * (stored.length + (8 << 20)));
        assertThat(read.connectionBytes(client.peerName(), Call.SEND)
                        + read.connectionBytes(client.peerName(), Call.SENDMSG))
                .as("all of it, from memory")
                .isGreaterThan(3L * stored.length);
        assertThat(residentBytes()).isZero();
    }

    private List<Path> openSegments() throws IOException {
        try (Stream<Path> links = java.nio.file.Files.list(Path.of("/proc/self/fd"))) {
            return links.flatMap(link -> {
                        try {
                            return Stream.of(java.nio.file.Files.readSymbolicLink(link));
                        } catch (IOException e) {
                            return Stream.empty(); // closed meanwhile
                        }
                    })
                    .filter(file -> file.toString().contains(data + "/topic-0/")
                            && file.toString().contains(".log"))
                    .toList();
        }
    }

    /// Segments that are deleted give their room back, though who has read them goes on reading from the disk.
    @Test
    void segmentsThatWereReadToTheirEndsAreLetGoOf() throws Exception {
        client.delete("topic");
        topic = client.create("topic", 1, "segment.bytes", Integer.toString(1 << 20));
        byte[] stored = produce(BATCHES);
        int read = BATCHES * 3 / 4;
        assertThat(readAll(read, 1 << 20)).startsWith(Arrays.copyOf(stored, read * RECORD_BYTES));

        client.deleteRecords(topic, 0, read - 5);
        await().atMost(LONG).until(() -> !java.nio.file.Files.exists(segment()));
        assertThat(fetch(read, 100_000)).isNotEmpty();

        await().atMost(LONG)
                .untilAsserted(() -> assertThat(openSegments())
                        .noneMatch(file -> file.toString().endsWith("(deleted)")));
    }

    @Test
    void controlThroughThePageCacheItIsAllThere() throws Exception {
        client.close();
        broker.stop();
        broker.set("sluice.log.engine", "pwrite");
        broker.start();
        client = broker.client();

        byte[] stored = produce(BATCHES);

        assertThat(residentBytes()).isGreaterThanOrEqualTo(stored.length);
    }

    @Test
    void aCleanStopLeavesFilesThatEndWithTheirBatches() throws Exception {
        byte[] stored = produce(3);
        client.close();
        broker.stop();

        assertThat(java.nio.file.Files.readAllBytes(segment())).isEqualTo(stored);

        broker.start();
        client = broker.client();
        assertThat(broker.broker().recoveryReport().clean()).isTrue();
        assertThat(client.append(topic, 0, Batches.of("next").bytes())).isEqualTo(3);
        assertThat(readAll(3, 1 << 20)).startsWith(stored);
    }

    @Test
    void aWriteThatTheDiskLosesIsAnsweredAsAnErrorAndNeverSeen() throws Exception {
        produce(2);
        GateFaults.Fault disk = broker.faults
                .on(Call.RING_WRITE_FIXED, Call.RING_WRITE, Call.PWRITEV2)
                .fails(Errno.EIO);

        assertThat(Errors.forCode(
                        client.produce(topic, 0, Batches.of("lost").bytes()).errorCode()))
                .isEqualTo(Errors.KAFKA_STORAGE_ERROR);

        assertThat(client.endOffset(topic, 0)).isEqualTo(2);
        assertThat(readAll(2, 1 << 20)).isNotEmpty();
        assertThat(Errors.forCode(
                        client.produce(topic, 0, Batches.of("another").bytes()).errorCode()))
                .isEqualTo(Errors.KAFKA_STORAGE_ERROR);

        client.close();
        assertThatThrownBy(broker::stop).hasMessageContaining("EIO");
        disk.heal();
        broker.start();
        client = broker.client();
        assertThat(client.append(topic, 0, Batches.of("after it").bytes())).isEqualTo(2);
    }

    @Test
    void aFolderWithoutDirectIoIsRefusedInOneLine() throws IOException {
        TestBroker other = TestBroker.stopped(data.resolveSibling("other"), "sluice.log.engine", "direct");
        other.faults.on(Call.OPENAT).of("*.sluice-writes").fails(Errno.EINVAL);

        assertThatThrownBy(other::start)
                .hasMessageContaining("can't be written by direct I/O")
                .hasMessageContaining("set sluice.log.engine=pwrite");
    }
}
