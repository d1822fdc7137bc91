package dev.sluice.log;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/// A look at one record batch (Kafka's format, magic 2) where it lies in native memory. Big-endian; the bytes on the
/// wire are the bytes on disk.
///
/// ```
///  0 i64 base offset                     ┐
///  8 i32 length of what follows          │ not under the CRC: the broker patches base offset and epoch
/// 12 i32 partition leader epoch          │
/// 16 i8  magic = 2                       │
/// 17 u32 CRC-32C of byte 21 to the end   ┘
/// 21 i16 attributes: bits 0–2 compression, 3 timestamp type, 4 transactional, 5 control, 6 delete horizon
/// 23 i32 last offset delta
/// 27 i64 base timestamp (ms)
/// 35 i64 max timestamp (ms)
/// 43 i64 producer id, -1 without
/// 51 i16 producer epoch, -1 without
/// 53 i32 base sequence, -1 without
/// 57 i32 count
/// 61     records, compressed or not
/// ```
///
/// Reused: [#wrap] points it at another batch, so that looking at batches allocates nothing. Borrows the memory;
/// owned by one thread. The accessors may be asked once [#lengthBytes] is at least [#HEADER_BYTES]; they read what is
/// there, right or wrong, until [#check] has answered [BatchProblem#NONE].
public final class BatchView {
    /// Bytes before the first record.
    public static final int HEADER_BYTES = 61;
    /// Bytes before what [#batchLengthBytes]'s field in the header counts.
    public static final int LENGTH_OVERHEAD_BYTES = 12;
    /// The only format that is stored.
    public static final byte MAGIC = 2;
    /// [#producerId] of a batch without one.
    public static final long NO_PRODUCER_ID = -1;
    /// A timestamp that says that there is none.
    public static final long NO_TIMESTAMP = -1;

    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private static final int LENGTH_AT = 8;
    static final int EPOCH_AT = 12;
    static final int MAGIC_AT = 16;
    private static final int CRC_AT = 17;
    private static final int ATTRIBUTES_AT = 21;
    /// The CRC covers a batch from here to its end.
    static final int CRC_STARTS_AT = ATTRIBUTES_AT;
    private static final int LAST_OFFSET_DELTA_AT = 23;
    private static final int BASE_TIMESTAMP_AT = 27;
    private static final int MAX_TIMESTAMP_AT = 35;
    private static final int PRODUCER_ID_AT = 43;
    private static final int PRODUCER_EPOCH_AT = 51;
    private static final int BASE_SEQUENCE_AT = 53;
    private static final int COUNT_AT = 57;

    private static final int LOG_APPEND_TIME = 0x08;
    private static final int TRANSACTIONAL = 0x10;
    private static final int CONTROL = 0x20;

    private final CRC32C checksum = new CRC32C();
    private MemorySegment memory = MemorySegment.NULL;
    private ByteBuffer view = ByteBuffer.allocate(0);
    private long position;
    private int lengthBytes;

    /// Points this view at a batch.
    ///
    /// @param memory      native memory that the batch lies in
    /// @param view        a big-endian buffer over the whole of `memory`; its position and limit are changed by
    ///     [#check]
    /// @param position    first byte of the batch in `memory`
    /// @param lengthBytes bytes there are: what the sender said is one batch
    /// @return this
    public BatchView wrap(MemorySegment memory, ByteBuffer view, long position, int lengthBytes) {
        if (position < 0 || lengthBytes < 0 || position + lengthBytes > memory.byteSize()) {
            throw new IndexOutOfBoundsException(
                    position + " + " + lengthBytes + " is not within " + memory.byteSize() + " bytes");
        }
        this.memory = memory;
        this.view = view;
        this.position = position;
        this.lengthBytes = lengthBytes;
        return this;
    }

    /// The bytes given to [#wrap].
    public MemorySegment bytes() {
        return memory.asSlice(position, lengthBytes);
    }

    /// The memory given to [#wrap].
    MemorySegment memory() {
        return memory;
    }

    /// Where the batch begins in it.
    long position() {
        return position;
    }

    /// The number of bytes given to [#wrap].
    public int lengthBytes() {
        return lengthBytes;
    }

    /// The first record's offset: the broker's to give, 0 from a producer.
    public long baseOffset() {
        return memory.get(LONG, position);
    }

    /// The whole batch's length as its header tells it; may be nonsense, negative too, before [#check].
    public long batchLengthBytes() {
        return (long) memory.get(INT, position + LENGTH_AT) + LENGTH_OVERHEAD_BYTES;
    }

    /// The epoch it was appended in: the broker's to give.
    public int leaderEpoch() {
        return memory.get(INT, position + EPOCH_AT);
    }

    /// The format: [#MAGIC], or something that is not taken.
    public byte magic() {
        return memory.get(ValueLayout.JAVA_BYTE, position + MAGIC_AT);
    }

    /// The checksum that the header tells.
    public int crc() {
        return memory.get(INT, position + CRC_AT);
    }

    /// Bits: 0–2 the compression, 3 log append time, 4 transactional, 5 control.
    public short attributes() {
        return memory.get(SHORT, position + ATTRIBUTES_AT);
    }

    /// From the base offset to the last record's offset: 0 in a batch of one.
    public int lastOffsetDelta() {
        return memory.get(INT, position + LAST_OFFSET_DELTA_AT);
    }

    /// The last record's offset.
    public long lastOffset() {
        return baseOffset() + lastOffsetDelta();
    }

    /// In ms; records' timestamps are told as differences from it. [#NO_TIMESTAMP] for none.
    public long baseTimestamp() {
        return memory.get(LONG, position + BASE_TIMESTAMP_AT);
    }

    /// The largest timestamp of its records, in ms, as the header tells it; [#NO_TIMESTAMP] for none.
    public long maxTimestamp() {
        return memory.get(LONG, position + MAX_TIMESTAMP_AT);
    }

    /// The id of an idempotent producer, or [#NO_PRODUCER_ID].
    public long producerId() {
        return memory.get(LONG, position + PRODUCER_ID_AT);
    }

    /// Whether its producer is idempotent, so that its sequence is to be checked.
    public boolean hasProducerId() {
        return producerId() > NO_PRODUCER_ID;
    }

    /// The producer's epoch, -1 without an id.
    public short producerEpoch() {
        return memory.get(SHORT, position + PRODUCER_EPOCH_AT);
    }

    /// The first record's number among those of its producer for this partition, -1 without an id.
    public int baseSequence() {
        return memory.get(INT, position + BASE_SEQUENCE_AT);
    }

    /// The number of records that the header tells.
    public int count() {
        return memory.get(INT, position + COUNT_AT);
    }

    /// Whether its records are marks of a transaction's end, and nobody's data.
    public boolean isControl() {
        return (attributes() & CONTROL) != 0;
    }

    /// Whether it is part of a transaction.
    public boolean isTransactional() {
        return (attributes() & TRANSACTIONAL) != 0;
    }

    /// Whether the timestamps are the broker's, not the producer's.
    public boolean isLogAppendTime() {
        return (attributes() & LOG_APPEND_TIME) != 0;
    }

    /// How its records are compressed, as the attributes tell it.
    public Compression compression() {
        return Compression.of(attributes());
    }

    /// Writes what is the broker's to give. Neither lies under the CRC.
    public void patch(long baseOffset, int leaderEpoch) {
        memory.set(LONG, position, baseOffset);
        memory.set(INT, position + EPOCH_AT, leaderEpoch);
    }

    /// Marks the timestamps as the broker's: all records have this one. Reckons the CRC anew.
    public void patchLogAppendTime(long timestampMs) {
        memory.set(SHORT, position + ATTRIBUTES_AT, (short) (attributes() | LOG_APPEND_TIME));
        patchMaxTimestamp(timestampMs);
    }

    /// Sets the largest timestamp. Reckons the CRC anew.
    public void patchMaxTimestamp(long timestampMs) {
        memory.set(LONG, position + MAX_TIMESTAMP_AT, timestampMs);
        memory.set(INT, position + CRC_AT, computeCrc());
    }

    /// Sets the length and how the records are compressed, in a header that was copied to where other records
    /// follow. Reckons the CRC anew.
    ///
    /// @param compression one that is known
    public void patchCompression(Compression compression) {
        memory.set(INT, position + LENGTH_AT, lengthBytes - LENGTH_OVERHEAD_BYTES);
        int others = attributes() & ~Compression.MASK;
        memory.set(SHORT, position + ATTRIBUTES_AT, (short) (others | compression.ordinal()));
        memory.set(INT, position + CRC_AT, computeCrc());
    }

    /// The CRC-32C of the bytes from the attributes on.
    public int computeCrc() {
        int from = Math.toIntExact(position) + ATTRIBUTES_AT;
        checksum.reset();
        checksum.update(view.limit(Math.toIntExact(position) + lengthBytes).position(from));
        return (int) checksum.getValue();
    }

    /// Whether the bytes can be appended as a client's batch; the first reason why not, in Kafka's order. Reads
    /// every byte once, for the checksum. What lies inside compressed records is not looked at.
    ///
    /// @param maxBytes the largest batch that is taken
    public BatchProblem check(int maxBytes) {
        if (lengthBytes < HEADER_BYTES) {
            return BatchProblem.TOO_SHORT;
        }
        if (batchLengthBytes() != lengthBytes) {
            return BatchProblem.NOT_ONE_BATCH;
        }
        if (magic() != MAGIC) {
            return BatchProblem.WRONG_MAGIC;
        }
        if (baseOffset() != 0) {
            return BatchProblem.WRONG_BASE_OFFSET;
        }
        if (lengthBytes > maxBytes) {
            return BatchProblem.TOO_LARGE;
        }
        if (computeCrc() != crc()) {
            return BatchProblem.WRONG_CRC;
        }
        if (count() <= 0 || count() - 1 != lastOffsetDelta()) {
            return BatchProblem.WRONG_COUNT;
        }
        if (isControl()) {
            return BatchProblem.CONTROL;
        }
        if (compression() == Compression.UNKNOWN) {
            return BatchProblem.UNKNOWN_COMPRESSION;
        }
        if (hasProducerId() && baseSequence() < 0) {
            return BatchProblem.NEGATIVE_SEQUENCE;
        }
        if (isLogAppendTime()) {
            return BatchProblem.LOG_APPEND_TIME;
        }
        return BatchProblem.NONE;
    }
}
