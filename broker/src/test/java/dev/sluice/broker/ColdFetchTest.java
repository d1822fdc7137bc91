package dev.sluice.broker;

import static dev.sluice.broker.TestClient.FETCH;
import static dev.sluice.broker.TestClient.fetchRequest;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

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
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
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

/// Records that are on the disk and not in memory: who fetches them gets them whole, and memory stays with the others.
@ExtendWith(LeakCounter.class)
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class ColdFetchTest {
    private static final int BATCHES = 120;
    private static final Duration LONG = Duration.ofMinutes(1);

    /// Not a multiple of anything, so that batches lie across blocks and fetches end within batches.
    private static final int RECORD_BYTES = 450_021;

    /// What the descriptors are called that are opened for reading from the disk.
    private static final String REOPENED = "/proc/self/fd/*";

    /// How far is read ahead.
    private static final long AHEAD_BYTES = 8 << 20;

    /// What a lone reader leaves behind it.
    private static final long KEPT_BYTES = 16 << 20;

    private final Kernel kernel = new Kernel();
    private final AtomicLong droppedBytes = new AtomicLong();
    private GateFaults.Fault readBeside;
    private TestBroker broker;
    private TestClient client;
    private TopicRef topic;
    private Path segment;
    private byte[] stored;

    @BeforeEach
    void fill(@TempDir Path folder) throws IOException {
        broker = TestBroker.start(folder.resolve("data"), "num.network.threads", "1");
        broker.faults.on(Call.FADVISE).of(REOPENED).tells(droppedBytes::addAndGet);
        readBeside = broker.faults.on(Call.SENDFILE).of(REOPENED).isCounted();
        client = broker.client();
        topic = client.create("topic", 1);
        Random random = new Random(7);
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int i = 0; i < BATCHES; i++) {
            byte[] batch = Batches.random(random, 1, RECORD_BYTES + random.nextInt(5_000))
                    .bytes();
            client.append(topic, 0, batch);
            all.write(Batches.stored(batch, i, 0));
        }
        stored = all.toByteArray();
        segment = folder.resolve("data/topic-0/00000000000000000000.log");
        dropFromMemory();
        assumeTrue(residentBytes() == 0, "this file system keeps files in memory, or the kernel does not tell");
    }

    @AfterEach
    void stop() throws IOException {
        client.close();
        broker.close();
    }

    private Descriptor open() throws IOException {
        return kernel.files().open(segment, Files.O_RDWR, 0, kernel.account()).orThrow();
    }

    private void dropFromMemory() throws IOException {
        try (Descriptor file = open()) {
            assertThat(kernel.files().fdatasync(file)).isZero();
            assertThat(kernel.files().advise(file, 0, 0, Files.FADV_DONTNEED)).isZero();
        }
    }

    private long residentBytes() throws IOException {
        try (Descriptor file = open()) {
            return kernel.pageCache().residentBytes(file, 0, stored.length);
        }
    }

    /// Fetches from the beginning to the end, at most `maxBytes` at a time.
    private static byte[] readAll(TestClient reader, TopicRef topic, int maxBytes) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (long offset = 0; offset < BATCHES; ) {
            byte[] some = fetch(reader, topic, offset, maxBytes);
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
        return 12 + java.nio.ByteBuffer.wrap(batches).getInt(at + 8);
    }

    private static byte[] fetch(TestClient reader, TopicRef topic, long offset, int maxBytes) throws IOException {
        FetchRequestData request = fetchRequest(FETCH, topic, 0, offset);
        request.topics().getFirst().partitions().getFirst().setPartitionMaxBytes(maxBytes);
        FetchResponseData answer = reader.raw.ask(ApiKeys.FETCH, FETCH, request, FetchResponseData.class);
        return TestClient.bytes(TestClient.only(answer).records());
    }

    @Test
    void oneReaderGetsTheBytesAndLeavesLittleInMemory() throws Exception {
        for (int maxBytes : new int[] {30_000, 1 << 20, 3_000_000, 10_000_000}) {
            dropFromMemory();
            droppedBytes.set(0);
            assertThat(readAll(client, topic, maxBytes))
                    .as("%d bytes a fetch", maxBytes)
                    .isEqualTo(stored);
            // All but what was read last. What a socket still held then stays in memory, however it was advised.
            assertThat(droppedBytes.get())
                    .as("bytes behind it that were dropped")
                    .isGreaterThan(stored.length - 10_000_000 - 2 * AHEAD_BYTES - KEPT_BYTES);
            assertThat(residentBytes()).isLessThan(stored.length);
        }
        assertThat(readBeside.hits()).as("reads by another thread").isPositive();
    }

    @Test
    void controlAReaderThatWaitsForTheDiskBringsItIntoMemory() throws Exception {
        assertThat(java.nio.file.Files.readAllBytes(segment).length).isGreaterThanOrEqualTo(stored.length);

        assertThat(residentBytes()).isEqualTo(stored.length);
        assertThat(readAll(client, topic, 1 << 20)).isEqualTo(stored);
        assertThat(readBeside.hits()).as("reads by another thread").isZero();
        assertThat(Status.of(client).connectionBytes(client.peerName(), Call.SENDFILE))
                .as("what is in memory is sent from there")
                .isGreaterThan(stored.length / 2);
    }

    @Test
    void severalReadersShareWhatIsRead() throws Exception {
        try (TestClient second = broker.client();
                TestClient third = broker.client()) {
            fetch(second, topic, BATCHES / 2, 400_000); // both read from the disk, so each is known to read
            for (long offset = 0; offset < BATCHES; offset += 7) {
                for (TestClient reader : new TestClient[] {client, second, third}) {
                    int at = position(offset);
                    byte[] some = fetch(reader, topic, offset, 400_000);
                    assertThat(some).isEqualTo(Arrays.copyOfRange(stored, at, at + some.length));
                }
            }
        }
        assertThat(residentBytes()).as("read into memory, for all").isGreaterThan(stored.length / 2);
        assertThat(droppedBytes)
                .as("the control: nothing is dropped behind them")
                .hasValue(0);
    }

    /// What this process has had read from devices so far.
    private static long deviceBytes() throws IOException {
        return java.nio.file.Files.readAllLines(Path.of("/proc/self/io")).stream()
                .filter(line -> line.startsWith("read_bytes: "))
                .mapToLong(line -> Long.parseLong(line.substring("read_bytes: ".length())))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void eightReadersAtOnceReadTheDeviceOnce() throws Exception {
        long before = deviceBytes();
        try (ExecutorService readers = Executors.newFixedThreadPool(8)) {
            List<Future<?>> read = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                read.add(readers.submit(() -> {
                    try (TestClient reader = broker.client()) {
                        int at = 0;
                        for (long offset = 0; offset < BATCHES; offset++) { // not all at once in this heap
                            int length = length(stored, at);
                            byte[] some = fetch(reader, topic, offset, length);
                            assertThat(Arrays.equals(some, 0, length, stored, at, at + length))
                                    .isTrue();
                            at += length;
                        }
                        return at;
                    }
                }));
            }
            for (Future<?> one : read) {
                assertThat(one.get()).isEqualTo(stored.length);
            }
        }
        long readBytes = deviceBytes() - before;
        assumeTrue(readBytes > 0, "this file system is on no device");
        assertThat(readBytes).isLessThan(stored.length + stored.length / 2);
    }

    @Test
    void controlALoneReaderThatComesAgainReadsTheDeviceAgain() throws Exception {
        long before = deviceBytes();
        assertThat(readAll(client, topic, 1 << 20)).isEqualTo(stored);
        long once = deviceBytes() - before;
        assumeTrue(once > 0, "this file system is on no device");
        assertThat(readAll(client, topic, 1 << 20)).isEqualTo(stored);
        assertThat(deviceBytes() - before).isGreaterThan(once + stored.length / 4);
    }

    private int position(long offset) {
        int at = 0;
        for (int i = 0; i < offset; i++) {
            at += length(stored, at);
        }
        return at;
    }

    /// How often this process has the segment open.
    private long openDescriptors() throws IOException {
        try (Stream<Path> links = java.nio.file.Files.list(Path.of("/proc/self/fd"))) {
            return links.filter(link -> {
                        try {
                            return java.nio.file.Files.readSymbolicLink(link).equals(segment.toRealPath());
                        } catch (IOException e) {
                            return false; // closed meanwhile
                        }
                    })
                    .count();
        }
    }

    /// The broker's own descriptor is not the reader's: a segment that is deleted gives its room back.
    @Test
    void aFileThatWasReadToItsEndOrLeftIsLetGoOf() throws Exception {
        long before = openDescriptors();
        fetch(client, topic, 0, 400_000);
        assertThat(openDescriptors())
                .as("the control: kept for what comes next")
                .isEqualTo(before + 1);

        assertThat(readAll(client, topic, 1 << 20)).isEqualTo(stored);
        await().atMost(LONG).until(() -> openDescriptors() == before);

        dropFromMemory();
        try (TestClient leaving = broker.client()) {
            fetch(leaving, topic, 0, 400_000);
            assertThat(openDescriptors()).isEqualTo(before + 1);
        }
        await().atMost(LONG).until(() -> openDescriptors() == before);
    }

    /// It is met when the answer's head has been sent: too late for an error code.
    @Test
    void aReadErrorCostsItsConnectionAndIsAnErrorFromThenOn() throws Exception {
        TopicRef good = client.create("good", 1);
        client.append(good, 0, Batches.of("good").bytes());
        GateFaults.Fault unsent = broker.faults.on(Call.SENDFILE).of(REOPENED).fails(Errno.EIO);

        try (TestClient unlucky = broker.client()) {
            assertThatThrownBy(() -> fetch(unlucky, topic, 0, 1 << 20)).isInstanceOf(IOException.class);
        }
        assertThat(unsent.hits()).isEqualTo(1);

        GateFaults.Fault unread =
                broker.faults.on(Call.PREAD).of("*/topic-0/*.log").fails(Errno.EIO);
        FetchRequestData both = fetchRequest(FETCH, topic, 0, 0);
        TestClient.add(both, FETCH, good, 0, 0, Integer.MAX_VALUE);
        FetchResponseData answer = client.raw.ask(ApiKeys.FETCH, FETCH, both, FetchResponseData.class);
        assertThat(answer.responses().get(0).partitions().getFirst().errorCode())
                .isEqualTo(Errors.KAFKA_STORAGE_ERROR.code());
        assertThat(TestClient.bytes(
                        answer.responses().get(1).partitions().getFirst().records()))
                .isNotEmpty();
        assertThat(Status.of(client).problems()).singleElement().asString().contains("topic-0", "EIO", ".log");

        unsent.heal();
        unread.heal();
        assertThat(readAll(client, topic, 1 << 20)).isEqualTo(stored);
    }

    @Test
    void aReaderThatLeavesInTheMiddleLeavesNothingBehind() throws Exception {
        for (int i = 0; i < 20; i++) {
            try (TestClient leaving = broker.client()) {
                leaving.raw.send(ApiKeys.FETCH, FETCH, fetchRequest(FETCH, topic, 0, i));
                if (i % 2 == 0) {
                    leaving.raw.readExactly(1000);
                }
                leaving.raw.reset();
            }
        }
        assertThat(readAll(client, topic, 1 << 20)).isEqualTo(stored);
    }
}
