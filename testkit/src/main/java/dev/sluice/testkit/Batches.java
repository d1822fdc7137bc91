package dev.sluice.testkit;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32C;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.jspecify.annotations.Nullable;

/// Record batches as a producer sends them, made by kafka-clients, and batches that are wrong in exactly one way.
///
/// What breaks a batch mends its CRC afterwards, unless the CRC is what it breaks: so that the field it names is the
/// only thing to find fault with.
public final class Batches {
    /// Timestamp of the first record, unless said otherwise.
    public static final long T0_MS = 1_700_000_000_000L;

    // Where the fields of a batch v2 begin, in bytes.
    private static final int BASE_OFFSET_AT = 0;
    private static final int LENGTH_AT = 8;
    private static final int EPOCH_AT = 12;
    private static final int MAGIC_AT = 16;
    private static final int CRC_AT = 17;
    private static final int ATTRIBUTES_AT = 21;
    private static final int LAST_OFFSET_DELTA_AT = 23;
    private static final int BASE_SEQUENCE_AT = 53;
    private static final int COUNT_AT = 57;
    private static final int HEADER_BYTES = 61;

    private final List<SimpleRecord> records = new ArrayList<>();
    private Compression codec = Compression.NONE;
    private long producerId = RecordBatch.NO_PRODUCER_ID;
    private short producerEpoch = RecordBatch.NO_PRODUCER_EPOCH;
    private int baseSequence = RecordBatch.NO_SEQUENCE;
    private boolean transactional;

    private Batches() {}

    /// A batch of these values, timestamped [#T0_MS] and one ms more each.
    public static Batches of(String... values) {
        Batches batch = new Batches();
        for (String value : values) {
            batch.record(T0_MS + batch.records.size(), null, value);
        }
        return batch;
    }

    /// A batch of `count` records of `valueBytes` random bytes each.
    public static Batches random(Random random, int count, int valueBytes) {
        Batches batch = new Batches();
        for (int i = 0; i < count; i++) {
            byte[] value = new byte[valueBytes];
            random.nextBytes(value);
            batch.records.add(new SimpleRecord(T0_MS + i, value));
        }
        return batch;
    }

    /// Adds a record.
    ///
    /// @param key null for none
    public Batches record(long timestampMs, @Nullable String key, String value) {
        records.add(new SimpleRecord(
                timestampMs,
                key == null ? null : key.getBytes(StandardCharsets.UTF_8),
                value.getBytes(StandardCharsets.UTF_8)));
        return this;
    }

    public Batches compressedBy(CompressionType type) {
        codec = Compression.of(type).build();
        return this;
    }

    /// The batch of an idempotent producer.
    public Batches producer(long id, int epoch, int sequence) {
        producerId = id;
        producerEpoch = (short) epoch;
        baseSequence = sequence;
        return this;
    }

    public Batches transactional() {
        transactional = true;
        return this;
    }

    /// The batch as a producer sends it.
    public byte[] bytes() {
        int room = 1024;
        for (SimpleRecord each : records) {
            room += 64
                    + (each.value() == null ? 0 : each.value().remaining())
                    + (each.key() == null ? 0 : each.key().remaining());
        }
        MemoryRecordsBuilder builder = MemoryRecords.builder(
                ByteBuffer.allocate(room),
                RecordBatch.CURRENT_MAGIC_VALUE,
                codec,
                TimestampType.CREATE_TIME,
                0,
                RecordBatch.NO_TIMESTAMP,
                producerId,
                producerEpoch,
                baseSequence,
                transactional,
                RecordBatch.NO_PARTITION_LEADER_EPOCH);
        records.forEach(builder::append);
        ByteBuffer built = builder.build().buffer();
        byte[] bytes = new byte[built.remaining()];
        built.get(bytes);
        return bytes;
    }

    // ---- What a broker makes of a batch

    /// The batch as it is stored and fetched: with the offset and the epoch that the broker gave it.
    public static byte[] stored(byte[] produced, long baseOffset, int leaderEpoch) {
        byte[] bytes = produced.clone();
        ByteBuffer.wrap(bytes).putLong(BASE_OFFSET_AT, baseOffset).putInt(EPOCH_AT, leaderEpoch);
        return bytes;
    }

    /// Several batches behind one another.
    public static byte[] concat(byte[]... batches) {
        int length = 0;
        for (byte[] batch : batches) {
            length += batch.length;
        }
        ByteBuffer all = ByteBuffer.allocate(length);
        for (byte[] batch : batches) {
            all.put(batch);
        }
        return all.array();
    }

    // ---- Batches that are wrong in one way

    public static byte[] withWrongCrc(byte[] batch) {
        byte[] bytes = batch.clone();
        bytes[CRC_AT] ^= 1;
        return bytes;
    }

    /// The last byte flipped, the CRC as it was.
    public static byte[] withFlippedByte(byte[] batch) {
        byte[] bytes = batch.clone();
        bytes[bytes.length - 1] ^= 1;
        return bytes;
    }

    public static byte[] withMagic(byte[] batch, int magic) {
        byte[] bytes = batch.clone();
        bytes[MAGIC_AT] = (byte) magic;
        return bytes;
    }

    /// The number of records changed, the last offset delta as it was.
    public static byte[] withCount(byte[] batch, int count) {
        byte[] bytes = batch.clone();
        ByteBuffer.wrap(bytes).putInt(COUNT_AT, count);
        return withRightCrc(bytes);
    }

    /// A count of zero, and a last offset delta that fits it.
    public static byte[] withoutRecords(byte[] batch) {
        byte[] bytes = batch.clone();
        ByteBuffer.wrap(bytes).putInt(COUNT_AT, 0).putInt(LAST_OFFSET_DELTA_AT, -1);
        return withRightCrc(bytes);
    }

    public static byte[] withBaseOffset(byte[] batch, long baseOffset) {
        return stored(batch, baseOffset, RecordBatch.NO_PARTITION_LEADER_EPOCH);
    }

    /// The length in the header changed by `delta`.
    public static byte[] withLength(byte[] batch, int delta) {
        byte[] bytes = batch.clone();
        ByteBuffer header = ByteBuffer.wrap(bytes);
        header.putInt(LENGTH_AT, header.getInt(LENGTH_AT) + delta);
        return bytes;
    }

    public static byte[] withSequence(byte[] batch, int sequence) {
        byte[] bytes = batch.clone();
        ByteBuffer.wrap(bytes).putInt(BASE_SEQUENCE_AT, sequence);
        return withRightCrc(bytes);
    }

    /// Marked as a control batch, which only brokers write.
    public static byte[] asControl(byte[] batch) {
        return withAttributes(batch, 0x20);
    }

    /// Marked as timestamped by the broker.
    public static byte[] asLogAppendTime(byte[] batch) {
        return withAttributes(batch, 0x08);
    }

    /// Marked with a compression that nobody has defined.
    public static byte[] withUnknownCompression(byte[] batch) {
        return withAttributes(batch, 0x07);
    }

    private static byte[] withAttributes(byte[] batch, int bits) {
        byte[] bytes = batch.clone();
        ByteBuffer header = ByteBuffer.wrap(bytes);
        header.putShort(ATTRIBUTES_AT, (short) (header.getShort(ATTRIBUTES_AT) | bits));
        return withRightCrc(bytes);
    }

    private static byte[] withRightCrc(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, ATTRIBUTES_AT, bytes.length - ATTRIBUTES_AT);
        ByteBuffer.wrap(bytes).putInt(CRC_AT, (int) crc.getValue());
        return bytes;
    }

    /// Mends the CRCs of batches behind one another, as far as their lengths lead.
    public static void mendCrcs(byte[] bytes, int from, int to) {
        ByteBuffer headers = ByteBuffer.wrap(bytes);
        int at = from;
        while (to - at >= HEADER_BYTES) {
            int length = headers.getInt(at + LENGTH_AT);
            if (length < HEADER_BYTES - EPOCH_AT || length > to - at - EPOCH_AT) {
                return;
            }
            CRC32C crc = new CRC32C();
            crc.update(bytes, at + ATTRIBUTES_AT, EPOCH_AT + length - ATTRIBUTES_AT);
            headers.putInt(at + CRC_AT, (int) crc.getValue());
            at += EPOCH_AT + length;
        }
    }
}
