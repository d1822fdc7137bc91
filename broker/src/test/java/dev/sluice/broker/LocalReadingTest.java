package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Kernel;
import dev.sluice.log.local.LocalLog;
import dev.sluice.log.local.LocalLogException;
import dev.sluice.log.local.LocalLogException.Reason;
import dev.sluice.log.local.LocalReader;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.GateFaults;
import dev.sluice.testkit.LeakCounter;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.BufferSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A local reader sees what a consumer would see, in the log's own pages, and is told clearly when there is no more.
@Timeout(180)
@ExtendWith(LeakCounter.class)
class LocalReadingTest {
    private static final long PATIENCE_NS = 120_000_000_000L;

    @TempDir
    Path folder;

    private LocalLog connect(TestBroker broker) throws IOException {
        return LocalLog.connect(broker.broker().localSocket().orElseThrow());
    }

    private static String text(MemorySegment bytes) {
        return new String(bytes.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
    }

    /// `offset=value` of what is there now.
    private static List<String> readAll(LocalReader reader) throws IOException {
        List<String> seen = new ArrayList<>();
        while (reader.next()) {
            seen.add(reader.record().offset() + "=" + text(reader.record().value()));
        }
        return seen;
    }

    /// The next `count` of them, waited for: where the disk is waited for, the producer may hear of a record before
    /// the page does.
    private static List<String> follow(LocalLog log, LocalReader reader, int count) throws IOException {
        List<String> seen = new ArrayList<>(readAll(reader));
        while (seen.size() < count && log.await(PATIENCE_NS)) {
            seen.addAll(readAll(reader));
        }
        return seen;
    }

    private static void append(TestClient client, TopicRef topic, int from, int to) throws IOException {
        for (int i = from; i < to; i++) {
            client.append(topic, 0, Batches.of("v" + i).bytes());
        }
    }

    private static List<String> expected(int from, int to) {
        List<String> all = new ArrayList<>();
        for (int i = from; i < to; i++) {
            all.add(i + "=v" + i);
        }
        return all;
    }

    @ParameterizedTest
    @ValueSource(strings = {"pwrite", "mapped", "direct"})
    void readsWhatWasProducedAndFollowsOverRolls(String engine) throws IOException {
        try (TestBroker broker = TestBroker.start(folder, "sluice.log.engine", engine);
                TestClient client = broker.client();
                LocalLog log = connect(broker)) {
            TopicRef topic = client.create("t", 1, "segment.bytes", "500");
            append(client, topic, 0, 40);
            try (LocalReader reader = log.open("t", 0, LocalLog.BEGINNING)) {
                assertThat(follow(log, reader, 40)).isEqualTo(expected(0, 40));
                assertThat(reader.next()).isFalse();
                append(client, topic, 40, 41);
                assertThat(follow(log, reader, 1)).isEqualTo(expected(40, 41));
                append(client, topic, 41, 90);
                assertThat(follow(log, reader, 49)).isEqualTo(expected(41, 90));
                assertThat(reader.position()).isEqualTo(90);
                assertThat(reader.highWatermark()).isEqualTo(90);
            }
        }
    }

    @Test
    void showsKeysTimestampsAndHeadersAndTheBatchAsItIsStored() throws IOException {
        byte[] batch = Batches.of()
                .record(Batches.T0_MS, "k", "one")
                .record(Batches.T0_MS + 5, null, "two")
                .bytes();
        try (TestBroker broker = TestBroker.start(folder);
                TestClient client = broker.client();
                LocalLog log = connect(broker)) {
            TopicRef topic = client.create("t", 1);
            client.append(topic, 0, batch);
            try (LocalReader reader = log.open("t", 0, 0)) {
                assertThat(reader.next()).isTrue();
                assertThat(text(reader.record().key())).isEqualTo("k");
                assertThat(reader.record().timestampMs()).isEqualTo(Batches.T0_MS);
                assertThat(reader.next()).isTrue();
                assertThat(reader.record().key()).isNull();
                assertThat(reader.record().keyLengthBytes()).isEqualTo(-1);
                assertThat(reader.record().valueLengthBytes()).isEqualTo(3);
                assertThat(reader.record().timestampMs()).isEqualTo(Batches.T0_MS + 5);
                assertThat(reader.record().headerCount()).isZero();
                assertThat(reader.batch().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(Batches.stored(batch, 0, 0));
            }
        }
    }

    @Test
    void beginsWhereItIsToldAlsoInTheMiddleOfABatch() throws IOException {
        try (TestBroker broker = TestBroker.start(folder);
                TestClient client = broker.client();
                LocalLog log = connect(broker)) {
            TopicRef topic = client.create("t", 1, "segment.bytes", "500");
            for (int i = 0; i < 30; i += 3) {
                client.append(
                        topic,
                        0,
                        Batches.of("v" + i, "v" + (i + 1), "v" + (i + 2)).bytes());
            }
            for (int offset : new int[] {0, 1, 7, 29}) {
                try (LocalReader reader = log.open("t", 0, offset)) {
                    assertThat(readAll(reader)).isEqualTo(expected(offset, 30));
                }
            }
            try (LocalReader reader = log.open("t", 0, LocalLog.END)) {
                assertThat(readAll(reader)).isEmpty();
                append(client, topic, 30, 31);
                assertThat(follow(log, reader, 1)).isEqualTo(expected(30, 31));
            }
            assertThatThrownBy(() -> log.open("t", 0, 40))
                    .isInstanceOfSatisfying(LocalLogException.class, e -> {
                        assertThat(e.reason()).isEqualTo(Reason.OFFSET_OUT_OF_RANGE);
                        assertThat(e.earliest()).isZero();
                        assertThat(e.latest()).isEqualTo(31);
                    })
                    .hasMessageContaining("begins at 0 and ends before 31");
        }
    }

    @Test
    void sleepsUntilThereIsMoreInAnyOfItsPartitions() throws Exception {
        int rounds = 300;
        try (TestBroker broker = TestBroker.start(folder);
                TestClient client = broker.client();
                ExecutorService threads = Executors.newSingleThreadExecutor()) {
            TopicRef topic = client.create("t", 2);
            CountDownLatch opened = new CountDownLatch(1);
            Path socket = broker.broker().localSocket().orElseThrow();
            Future<Integer> reading = threads.submit(() -> {
                int seen = 0;
                try (LocalLog log = LocalLog.connect(socket);
                        LocalReader first = log.open("t", 0, 0);
                        LocalReader second = log.open("t", 1, 0)) {
                    opened.countDown();
                    while (seen < rounds && log.await(PATIENCE_NS)) {
                        seen += readAll(first).size() + readAll(second).size();
                    }
                }
                return seen;
            });
            opened.await();
            for (int i = 0; i < rounds; i++) {
                client.append(topic, i % 2, Batches.of("v").bytes());
            }
            assertThat(reading.get()).isEqualTo(rounds);
        }
    }

    /// Nothing is asked of the kernel for a batch, or a record: with the broker's own account of each call.
    @Test
    void makesNoCallForABatchWhileItIsBehind() throws IOException {
        Kernel kernel = new Kernel();
        try (TestBroker broker = TestBroker.start(folder);
                TestClient client = broker.client()) {
            TopicRef topic = client.create("t", 1);
            append(client, topic, 0, 500);
            try (LocalLog log = LocalLog.connect(
                            kernel, broker.broker().localSocket().orElseThrow(), LocalLog.Options.standard());
                    LocalReader reader = log.open("t", 0, 0)) {
                assertThat(reader.next()).isTrue();
                long before = calls(kernel);
                assertThat(readAll(reader)).hasSize(499);
                assertThat(calls(kernel)).isEqualTo(before);
            }
        }
    }

    private static long calls(Kernel kernel) {
        return kernel.account().snapshot().values().stream()
                .mapToLong(count -> count.calls())
                .sum();
    }

    @Test
    void seesNothingThatIsNotAcknowledged() throws Exception {
        try (TestBroker broker = TestBroker.start(folder);
                TestClient client = broker.client();
                TestClient other = broker.client();
                LocalLog log = connect(broker);
                ExecutorService threads = Executors.newSingleThreadExecutor()) {
            TopicRef topic = client.create("t", 1, "sluice.flush.policy", "ack");
            append(client, topic, 0, 2);
            CountDownLatch release = new CountDownLatch(1);
            GateFaults.Fault held =
                    broker.faults.on(Call.FDATASYNC).of("*/t-0/*.log").waitsFor(release);
            try (LocalReader reader = log.open("t", 0, 0)) {
                Future<Long> appending = threads.submit(
                        () -> other.append(topic, 0, Batches.of("v2").bytes()));
                held.awaitHits(1); // it is written, and not flushed
                assertThat(follow(log, reader, 2)).isEqualTo(expected(0, 2));
                assertThat(readAll(reader)).isEmpty();
                release.countDown();
                assertThat(appending.get()).isEqualTo(2);
                assertThat(follow(log, reader, 1)).isEqualTo(expected(2, 3));
            } finally {
                release.countDown();
            }
        }
    }

    @Test
    void aSegmentThatExpiresStaysReadableAndIsCounted() throws IOException {
        try (TestBroker broker = TestBroker.start(folder);
                TestClient client = broker.client();
                LocalLog log = connect(broker)) {
            TopicRef topic = client.create("t", 1, "segment.bytes", "500");
            append(client, topic, 0, 40);
            try (LocalReader reader = log.open("t", 0, 0)) {
                assertThat(reader.next()).isTrue();
                assertThat(Status.of(client).localReaders())
                        .singleElement()
                        .satisfies(status -> assertThat(status)
                                .containsEntry("topic", "t")
                                .containsEntry("isExpired", "false")
                                .containsEntry(
                                        "process", ProcessHandle.current().pid()));

                client.deleteRecords(topic, 0, 30);

                assertThat(Status.of(client).localReaders())
                        .singleElement()
                        .satisfies(status -> assertThat(status)
                                .containsEntry("isExpired", "true")
                                .containsEntry("segment", 0L));
                // Its first segment to the end, and then it is told where to go on.
                List<Long> seen = new ArrayList<>();
                assertThatThrownBy(() -> {
                            while (reader.next()) {
                                seen.add(reader.record().offset());
                            }
                        })
                        .isInstanceOfSatisfying(LocalLogException.class, e -> {
                            assertThat(e.reason()).isEqualTo(Reason.OFFSET_OUT_OF_RANGE);
                            assertThat(e.earliest()).isEqualTo(30);
                        });
                assertThat(seen).startsWith(1L, 2L).hasSizeGreaterThan(3);
            }
            await().untilAsserted(
                            () -> assertThat(Status.of(client).localReaders()).isEmpty());
        }
    }

    @Test
    void aDeletedPartitionIsReadToItsEnd() throws IOException {
        try (TestBroker broker = TestBroker.start(folder);
                TestClient client = broker.client();
                LocalLog log = connect(broker)) {
            TopicRef topic = client.create("t", 1);
            append(client, topic, 0, 5);
            try (LocalReader reader = log.open("t", 0, 0)) {
                client.delete("t");
                assertThat(log.await(PATIENCE_NS)).isTrue();
                List<String> seen = new ArrayList<>();
                assertThatThrownBy(() -> {
                            while (reader.next()) {
                                seen.add(reader.record().offset() + "="
                                        + text(reader.record().value()));
                            }
                        })
                        .isInstanceOfSatisfying(
                                LocalLogException.class,
                                e -> assertThat(e.reason()).isEqualTo(Reason.DELETED));
                assertThat(seen).isEqualTo(expected(0, 5));
            }
            client.create("t", 1); // another one of that name is another one
            try (LocalReader reader = log.open("t", 0, LocalLog.BEGINNING)) {
                assertThat(readAll(reader)).isEmpty();
            }
        }
    }

    @Test
    void aBrokerThatStopsIsToldApartAndTheNextOneGoesOn() throws Exception {
        try (TestBroker broker = TestBroker.start(folder)) {
            TopicRef topic;
            long position;
            try (TestClient client = broker.client()) {
                topic = client.create("t", 1);
                append(client, topic, 0, 5);
            }
            try (LocalLog log = connect(broker);
                    LocalReader reader = log.open("t", 0, 0)) {
                assertThat(reader.next()).isTrue();
                broker.stop();
                assertThat(log.await(PATIENCE_NS)).isTrue();
                assertThatThrownBy(() -> readAll(reader))
                        .isInstanceOfSatisfying(
                                LocalLogException.class,
                                e -> assertThat(e.reason()).isEqualTo(Reason.BROKER_GONE));
                position = reader.position();
                assertThat(position).isEqualTo(5);
            }
            assertThatThrownBy(() -> connect(folder.resolve("local.sock")))
                    .hasMessageContaining("No broker takes local readers at");
            broker.start();
            try (TestClient client = broker.client();
                    LocalLog log = connect(broker);
                    LocalReader reader = log.open("t", 0, position)) {
                append(client, client.find("t"), 5, 7);
                assertThat(follow(log, reader, 2)).isEqualTo(expected(5, 7));
            }
        }
    }

    private static LocalLog connect(Path socket) throws IOException {
        return LocalLog.connect(socket);
    }

    @Test
    void aKilledBrokerIsNoticedByWhoReadsRollsConnectsOrSleepsAndItsSocketReplaced() throws Exception {
        Path socket = folder.resolve("local.sock");
        try (KilledBroker broker = KilledBroker.start(folder);
                TestClient client = TestClient.connect(broker.address())) {
            append(client, client.create("t", 1), 0, 3);
            append(client, client.create("rolled", 1, "segment.bytes", "500"), 0, 40);
            try (LocalLog log = connect(socket);
                    LocalReader reader = log.open("t", 0, 0)) {
                try (LocalReader behind = log.open("rolled", 0, 0)) {
                    assertThat(behind.next()).isTrue();
                    broker.kill();
                    assertThat(readAll(reader)).isEqualTo(expected(0, 3)); // what was published is there still
                    assertThatThrownBy(() -> readAll(behind)) // its segment is too; the next one can't be asked for
                            .isInstanceOfSatisfying(
                                    LocalLogException.class,
                                    e -> assertThat(e.reason()).isEqualTo(Reason.BROKER_GONE));
                    assertThat(behind.position()).isBetween(2L, 39L);
                }
                assertThatThrownBy(() -> connect(socket)).hasMessageContaining("No broker takes local readers at");
                assertThatThrownBy(() -> log.await(PATIENCE_NS))
                        .isInstanceOfSatisfying(
                                LocalLogException.class,
                                e -> assertThat(e.reason()).isEqualTo(Reason.BROKER_GONE));
            }
        }
        try (TestBroker broker = TestBroker.start(folder);
                LocalLog log = connect(broker);
                LocalReader reader = log.open("t", 0, 0)) {
            assertThat(readAll(reader)).isEqualTo(expected(0, 3));
        }
    }

    @Test
    void compressedRecordsAreOpenedByWhoWasHandedIn() throws IOException {
        byte[] batch =
                Batches.of("v0", "v1", "v2").compressedBy(CompressionType.LZ4).bytes();
        try (TestBroker broker = TestBroker.start(folder);
                TestClient client = broker.client();
                LocalLog log = connect(broker);
                LocalLog opening = LocalLog.connect(
                        new Kernel(),
                        broker.broker().localSocket().orElseThrow(),
                        LocalLog.Options.standard()
                                .withDecompressor((compression, records) -> Compression.of(CompressionType.forName(
                                                compression.name().toLowerCase(Locale.ROOT)))
                                        .build()
                                        .wrapForInput(
                                                records, RecordBatch.MAGIC_VALUE_V2, BufferSupplier.NO_CACHING)))) {
            TopicRef topic = client.create("t", 1);
            client.append(topic, 0, batch);
            try (LocalReader reader = log.open("t", 0, 0)) {
                assertThatThrownBy(reader::next).hasMessageContaining("compressed (LZ4)");
            }
            try (LocalReader reader = opening.open("t", 0, 1)) {
                assertThat(readAll(reader)).isEqualTo(expected(1, 3));
            }
        }
    }

    @Test
    void aFileThatSomebodyTruncatesCostsAnErrorNotTheProcess() throws IOException {
        try (TestBroker broker = TestBroker.start(folder);
                TestClient client = broker.client();
                LocalLog log = connect(broker)) {
            TopicRef topic = client.create("t", 1);
            for (int i = 0; i < 60; i++) {
                client.append(topic, 0, Batches.of("x".repeat(1000)).bytes());
            }
            try (LocalReader reader = log.open("t", 0, 0)) {
                assertThat(reader.next()).isTrue();
                try (RandomAccessFile file = new RandomAccessFile(
                        folder.resolve("t-0/00000000000000000000.log").toFile(), "rw")) {
                    file.setLength(20_000);
                }
                assertThatThrownBy(() -> {
                            while (reader.next()) {
                                reader.record().value();
                            }
                        })
                        .isInstanceOf(IOException.class)
                        .hasMessageContaining("t-0, segment 0");
            }
        }
    }

    @Test
    void aBrokerWithoutASocketHasNone() throws IOException {
        try (TestBroker broker = TestBroker.start(folder, "sluice.local.socket", "")) {
            assertThat(broker.broker().localSocket()).isEmpty();
            assertThat(folder.resolve("local.sock")).doesNotExist();
        }
        String tooLong = "x".repeat(120);
        assertThatThrownBy(() -> TestBroker.start(folder.resolve("other"), "sluice.local.socket", tooLong))
                .hasMessageContaining("more than the 107 bytes");
    }
}
