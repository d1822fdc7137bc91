package dev.sluice.log;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.RecordBatch;

/// Batches as Kafka's own producer builds them.
final class Batches {
    static final long T0 = 1_700_000_000_000L;

    private int records = 1;
    private int valueBytes = 20;
    private long timestamp = T0;
    private long timestampStep;
    private long producerId = RecordBatch.NO_PRODUCER_ID;
    private short producerEpoch = RecordBatch.NO_PRODUCER_EPOCH;
    private int sequence = RecordBatch.NO_SEQUENCE;
    private boolean transactional;
    private boolean control;
    private Compression compression = Compression.NONE;
    private long seed = 42;

    static Batches batch() {
        return new Batches();
    }

    Batches records(int count) {
        records = count;
        return this;
    }

    Batches valueBytes(int bytes) {
        valueBytes = bytes;
        return this;
    }

    Batches timestamp(long ms) {
        timestamp = ms;
        return this;
    }

    Batches timestampStep(long ms) {
        timestampStep = ms;
        return this;
    }

    Batches producer(long id, int epoch, int firstSequence) {
        producerId = id;
        producerEpoch = (short) epoch;
        sequence = firstSequence;
        return this;
    }

    Batches transactional() {
        transactional = true;
        return this;
    }

    Batches control() {
        control = true;
        return this;
    }

    Batches compression(Compression codec) {
        compression = codec;
        return this;
    }

    Batches seed(long contentSeed) {
        seed = contentSeed;
        return this;
    }

    byte[] bytes() {
        return bytesAt(0);
    }

    byte[] bytesAt(long baseOffset) {
        MemoryRecordsBuilder builder = MemoryRecords.builder(
                ByteBuffer.allocate(1024),
                RecordBatch.MAGIC_VALUE_V2,
                compression,
                TimestampType.CREATE_TIME,
                baseOffset,
                RecordBatch.NO_TIMESTAMP,
                producerId,
                producerEpoch,
                sequence,
                transactional,
                control,
                RecordBatch.NO_PARTITION_LEADER_EPOCH);
        Random random = new Random(seed);
        for (int i = 0; i < records; i++) {
            byte[] value = new byte[valueBytes];
            random.nextBytes(value);
            builder.appendWithOffset(baseOffset + i, timestamp + i * timestampStep, null, value);
        }
        ByteBuffer buffer = builder.build().buffer();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }

    BatchView view() {
        return view(bytes());
    }

    static BatchView view(byte[] bytes) {
        MemorySegment memory = Arena.ofAuto().allocate(Math.max(1, bytes.length), 8);
        MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, 0, bytes.length);
        return new BatchView().wrap(memory, memory.asByteBuffer(), 0, bytes.length);
    }

    static byte[] bytesOf(BatchView view) {
        return view.bytes().toArray(ValueLayout.JAVA_BYTE);
    }

    /// Recomputes the checksum of a batch that a test has bent.
    static byte[] withCrc(byte[] batch) {
        java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
        crc.update(batch, 21, batch.length - 21);
        ByteBuffer.wrap(batch).putInt(17, (int) crc.getValue());
        return batch;
    }

    /// A codec as the broker has it: Kafka's own reading of the records.
    static final BatchCodec CODEC = (batch, visitor) -> {
        ByteBuffer buffer = ByteBuffer.wrap(bytesOf(batch));
        for (RecordBatch each : MemoryRecords.readableRecords(buffer).batches()) {
            for (org.apache.kafka.common.record.internal.Record record : each) {
                if (!visitor.record((int) (record.offset() - each.baseOffset()), record.timestamp())) {
                    return;
                }
            }
        }
    };
}
