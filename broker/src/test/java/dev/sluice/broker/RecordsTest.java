package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.LeakCounter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.message.ProduceResponseData.BatchIndexAndErrorMessage;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// What topics ask of records: compression, clocks, keys, sizes; and records of every shape.
@Timeout(180)
@ExtendWith(LeakCounter.class)
class RecordsTest {
    private static final long HOUR_MS = 3_600_000;

    private TestBroker broker;
    private TestClient client;

    @BeforeEach
    void start(@TempDir Path folder) throws IOException {
        broker = TestBroker.start(folder.resolve("data"));
        client = broker.client();
    }

    @AfterEach
    void stop() throws IOException {
        client.close();
        broker.close();
    }

    private static byte[] batch(CompressionType type, SimpleRecord... records) {
        return bytes(MemoryRecords.withRecords(Compression.of(type).build(), records));
    }

    private static byte[] bytes(MemoryRecords records) {
        byte[] bytes = new byte[records.sizeInBytes()];
        records.buffer().get(bytes);
        return bytes;
    }

    private List<MutableRecordBatch> read(TopicRef topic) throws IOException {
        List<MutableRecordBatch> batches = new ArrayList<>();
        MemoryRecords.readableRecords(ByteBuffer.wrap(client.read(topic, 0, 0)))
                .batches()
                .forEach(batches::add);
        batches.forEach(MutableRecordBatch::ensureValid);
        return batches;
    }

    private static List<SimpleRecord> records(MutableRecordBatch batch) {
        List<SimpleRecord> records = new ArrayList<>();
        for (Record record : batch) {
            records.add(new SimpleRecord(record));
        }
        return records;
    }

    private static SimpleRecord[] someRecords() {
        byte[] large = new byte[100_000];
        new Random(1).nextBytes(large);
        Arrays.fill(large, 30_000, 90_000, (byte) 'x');
        RecordHeader header = new RecordHeader("name", "value".getBytes(StandardCharsets.UTF_8));
        RecordHeader empty = new RecordHeader("", (byte[]) null);
        byte[] key = {1, 2, 3};
        return new SimpleRecord[] {
            new SimpleRecord(Batches.T0_MS, key, large, new RecordHeader[] {header, empty}),
            new SimpleRecord(Batches.T0_MS - 5, key, null),
            new SimpleRecord(Batches.T0_MS + 5, null, new byte[0]),
            new SimpleRecord(Batches.T0_MS + 7, new byte[0], new byte[0]),
            new SimpleRecord(Batches.T0_MS + 6, (byte[]) null, null),
        };
    }

    private void assertRefused(TopicRef topic, byte[] batch, Errors error, String says) throws IOException {
        PartitionProduceResponse answer = client.produce(topic, 0, batch);
        assertThat(Errors.forCode(answer.errorCode())).isEqualTo(error);
        assertThat(answer.errorMessage()).contains(says);
        assertThat(read(topic)).isEmpty();
    }

    // ---- Compression

    @ParameterizedTest
    @EnumSource(CompressionType.class)
    void batchesPassThroughAsTheyCome(CompressionType type) throws IOException {
        TopicRef topic = client.create("topic", 1);
        byte[] batch = batch(type, someRecords());

        client.append(topic, 0, batch);

        assertThat(client.read(topic, 0, 0)).isEqualTo(Batches.stored(batch, 0, 0));
    }

    @ParameterizedTest
    @CsvSource({
        "uncompressed, NONE",
        "gzip, GZIP",
        "snappy, SNAPPY",
        "lz4, LZ4",
        "zstd, ZSTD",
    })
    void aTopicsCompressionIsWhatIsStored(String name, CompressionType stored) throws IOException {
        TopicRef topic = client.create("topic", 1, "compression.type", name);
        for (CompressionType sent : CompressionType.values()) {
            client.append(topic, 0, batch(sent, someRecords()));
        }

        int seen = 0;
        long offset = 0;
        while (seen < CompressionType.values().length) {
            byte[] read = client.read(topic, 0, offset);
            for (MutableRecordBatch each :
                    MemoryRecords.readableRecords(ByteBuffer.wrap(read)).batches()) {
                each.ensureValid();
                assertThat(each.compressionType()).isEqualTo(stored);
                assertThat(each.baseOffset()).isEqualTo(5L * seen);
                assertThat(records(each)).containsExactly(someRecords());
                assertThat(each.maxTimestamp()).isEqualTo(Batches.T0_MS + 7);
                seen++;
                offset = each.nextOffset();
            }
        }
    }

    @Test
    void aRewrittenBatchIsStillItsProducersBatch() throws IOException {
        TopicRef topic = client.create("topic", 1, "compression.type", "lz4");
        byte[] batch = Batches.of("a", "b").producer(9, 2, 0).bytes();

        assertThat(client.append(topic, 0, batch)).isZero();
        assertThat(client.append(topic, 0, batch)).as("sent again").isZero();

        assertThat(read(topic)).singleElement().satisfies(stored -> {
            assertThat(stored.producerId()).isEqualTo(9);
            assertThat(stored.producerEpoch()).isEqualTo((short) 2);
            assertThat(stored.baseSequence()).isZero();
            assertThat(stored.lastSequence()).isEqualTo(1);
        });
    }

    @Test
    void aBatchThatGrowsBeyondTheLimitIsRefused() throws IOException {
        TopicRef topic = client.create("topic", 1, "compression.type", "uncompressed", "max.message.bytes", "5000");

        assertRefused(
                topic,
                batch(CompressionType.GZIP, new SimpleRecord(new byte[10_000])),
                Errors.MESSAGE_TOO_LARGE,
                "max.message.bytes");
    }

    @Test
    void aBatchThatUnfoldsWithoutEndIsRefused(@TempDir Path folder) throws IOException {
        try (TestBroker small = TestBroker.start(folder.resolve("small"), "socket.request.max.bytes", "1000000");
                TestClient its = small.client()) {
            TopicRef topic = its.create("topic", 1, "cleanup.policy", "compact");
            byte[] batch = batch(CompressionType.ZSTD, new SimpleRecord(new byte[] {1}, new byte[2_000_000]));
            assertThat(batch).hasSizeLessThan(1000);

            PartitionProduceResponse answer = its.produce(topic, 0, batch);

            assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.MESSAGE_TOO_LARGE);
            assertThat(answer.errorMessage()).contains("socket.request.max.bytes");
        }
    }

    @ParameterizedTest
    @EnumSource(CompressionType.class)
    void recordsThatAreNoneAreRefused(CompressionType type) throws IOException {
        String other = type == CompressionType.GZIP ? "lz4" : "gzip";
        TopicRef topic = client.create("topic", 1, "compression.type", other);
        byte[] good = batch(type, someRecords());
        UnaryOperator<byte[]> broken = batch -> {
            Arrays.fill(batch, 61, 90, (byte) 0x5A);
            return claiming(batch, 5);
        };

        assertRefused(topic, broken.apply(good.clone()), Errors.INVALID_RECORD, "");
        assertRefused(topic, claiming(good.clone(), 4), Errors.INVALID_RECORD, "more bytes");
        assertRefused(topic, claiming(good.clone(), 6), Errors.INVALID_RECORD, "");
        assertThat(client.append(topic, 0, good)).as("the handler goes on").isZero();
    }

    private static byte[] claiming(byte[] batch, int records) {
        ByteBuffer.wrap(batch).putInt(23, records - 1); // the last offset delta
        return Batches.withCount(batch, records); // mends the CRC
    }

    // ---- Clocks

    @Test
    void theBrokersClockStampsRecordsWhereTheTopicAsksForIt() throws IOException {
        TopicRef topic = client.create("topic", 1, "message.timestamp.type", "LogAppendTime");
        long beforeMs = System.currentTimeMillis();

        PartitionProduceResponse answer = client.produce(
                topic, 0, batch(CompressionType.GZIP, new SimpleRecord(1, null, new byte[] {1}), someRecords()[1]));

        assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.NONE);
        assertThat(answer.logAppendTimeMs()).isBetween(beforeMs, System.currentTimeMillis());
        assertThat(read(topic)).singleElement().satisfies(stored -> {
            assertThat(stored.timestampType()).isEqualTo(TimestampType.LOG_APPEND_TIME);
            for (Record record : stored) {
                assertThat(record.timestamp()).isEqualTo(answer.logAppendTimeMs());
            }
        });
        assertThat(client.listOffset(7, topic, 0, answer.logAppendTimeMs()).offset())
                .isZero();
        assertThat(client.listOffset(7, topic, 0, answer.logAppendTimeMs() + 1).offset())
                .isEqualTo(-1);
    }

    @Test
    void createTimeAnswersNoAppendTime() throws IOException {
        TopicRef stamped = client.create("stamped", 1, "message.timestamp.type", "LogAppendTime");
        TopicRef plain = client.create("plain", 1);
        client.append(stamped, 0, Batches.of("first").bytes());

        assertThat(client.produce(plain, 0, Batches.of("second").bytes()).logAppendTimeMs())
                .isEqualTo(-1);
    }

    @Test
    void timesFarAheadAreRefusedByDefault() throws IOException {
        TopicRef topic = client.create("topic", 1);
        long nowMs = System.currentTimeMillis();

        assertRefused(
                topic,
                batch(
                        CompressionType.LZ4,
                        new SimpleRecord(nowMs, new byte[] {1}),
                        new SimpleRecord(nowMs + 2 * HOUR_MS, new byte[] {1})),
                Errors.INVALID_TIMESTAMP,
                "record 1");
        client.append(topic, 0, batch(CompressionType.NONE, new SimpleRecord(nowMs + HOUR_MS / 2, new byte[] {1})));
    }

    @Test
    void timesLongAgoAreRefusedWhereTheTopicAsksForIt() throws IOException {
        TopicRef topic = client.create("topic", 1, "message.timestamp.before.max.ms", Long.toString(HOUR_MS));
        long nowMs = System.currentTimeMillis();

        assertRefused(
                topic,
                batch(
                        CompressionType.NONE,
                        new SimpleRecord(nowMs, new byte[] {1}),
                        new SimpleRecord(nowMs - 2 * HOUR_MS, new byte[] {1})),
                Errors.INVALID_TIMESTAMP,
                "record 1");
        client.append(
                topic, 0, batch(CompressionType.NONE, new SimpleRecord(-1L, null, new byte[] {1}))); // no timestamp
    }

    @Test
    void everyRecordThatIsWrongIsNamed() throws IOException {
        TopicRef topic = client.create(
                "topic", 1, "message.timestamp.before.max.ms", Long.toString(HOUR_MS), "cleanup.policy", "compact");
        long nowMs = System.currentTimeMillis();
        byte[] key = {1};

        PartitionProduceResponse answer = client.produce(
                topic,
                0,
                batch(
                        CompressionType.GZIP,
                        new SimpleRecord(nowMs, null, key),
                        new SimpleRecord(nowMs, key, key),
                        new SimpleRecord(nowMs - 2 * HOUR_MS, key, key),
                        new SimpleRecord(nowMs + 2 * HOUR_MS, key, key)));

        assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.INVALID_TIMESTAMP);
        assertThat(answer.recordErrors())
                .extracting(BatchIndexAndErrorMessage::batchIndex)
                .containsExactly(0, 2, 3);
        assertThat(answer.recordErrors().getFirst().batchIndexErrorMessage()).contains("has no key");
        assertThat(answer.recordErrors().getLast().batchIndexErrorMessage()).contains("the timestamp");
        assertThat(client.produce(topic, 0, batch(CompressionType.NONE, new SimpleRecord(nowMs, key, key)))
                        .recordErrors())
                .isEmpty();
    }

    @Test
    void aRefusalNamesNoMoreRecordsThanItMay() throws IOException {
        TopicRef topic = client.create("topic", 1, "cleanup.policy", "compact");
        SimpleRecord[] records = new SimpleRecord[10_000];
        Arrays.fill(records, new SimpleRecord(Batches.T0_MS, null, new byte[] {1}));

        PartitionProduceResponse answer = client.produce(topic, 0, batch(CompressionType.NONE, records));

        assertThat(answer.recordErrors()).hasSize(100);
    }

    // ---- Keys and sizes

    @ParameterizedTest
    @EnumSource(CompressionType.class)
    void aCompactedTopicWantsKeys(CompressionType type) throws IOException {
        TopicRef topic = client.create("topic", 1, "cleanup.policy", "compact");
        byte[] key = {1};

        assertRefused(
                topic,
                batch(type, new SimpleRecord(key, null), new SimpleRecord(null, key)),
                Errors.INVALID_RECORD,
                "record 1 of the batch has no key");
        byte[] tombstone = batch(type, new SimpleRecord(key, null));
        client.append(topic, 0, tombstone);
        assertThat(client.read(topic, 0, 0)).isEqualTo(Batches.stored(tombstone, 0, 0));
    }

    @Test
    void aRecordOfTenMebibytesIsTakenWhereTheTopicAllowsIt() throws IOException {
        TopicRef topic = client.create("topic", 1, "max.message.bytes", Integer.toString(11 << 20));
        byte[] value = new byte[10 << 20];
        new Random(2).nextBytes(value);
        byte[] batch = batch(CompressionType.NONE, new SimpleRecord(value));

        client.append(topic, 0, batch);
        client.append(topic, 0, batch(CompressionType.NONE, new SimpleRecord(new byte[] {7})));

        byte[] first = client.read(topic, 0, 0);
        assertThat(Arrays.copyOf(first, batch.length)).isEqualTo(Batches.stored(batch, 0, 0));
    }

    @Test
    void recordsOfEveryShapeComeBackAsTheyWere() throws IOException {
        TopicRef topic = client.create("topic", 1);

        client.append(topic, 0, batch(CompressionType.NONE, someRecords()));

        assertThat(read(topic))
                .singleElement()
                .satisfies(stored -> assertThat(records(stored)).containsExactly(someRecords()));
    }
}
