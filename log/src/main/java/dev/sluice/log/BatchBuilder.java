package dev.sluice.log;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// Builds one record batch v2, uncompressed, for the broker's own records. Not thread-safe; reusable after [#clear].
///
/// ```
/// record: varint length, i8 attributes, varint timestamp delta, varint offset delta,
///         varint key length or -1, key, varint value length or -1, value, varint number of headers
/// ```
/// Signed varints are zigzag, as Kafka's. The batch's own layout stands in [BatchView].
public final class BatchBuilder {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private static final int HEADER_BYTES = 61;
    private static final int CRC_COVERS_FROM = 21;
    private static final int LONGEST_VARINT = 5;
    private static final int LONGEST_VARLONG = 10;

    private MemorySegment memory = Arena.ofAuto().allocate(4096);
    private int end = HEADER_BYTES;
    private int count;
    private long baseTimestamp;
    private long maxTimestamp;

    /// Adds a record.
    ///
    /// @param timestampMs milliseconds since the epoch
    public BatchBuilder add(long timestampMs, byte @Nullable [] key, byte @Nullable [] value) {
        if (count == 0) {
            baseTimestamp = timestampMs;
            maxTimestamp = timestampMs;
        }
        maxTimestamp = Math.max(maxTimestamp, timestampMs);
        int keyBytes = key == null ? 0 : key.length;
        int valueBytes = value == null ? 0 : value.length;
        reserve(1 + 4 * LONGEST_VARINT + LONGEST_VARLONG + LONGEST_VARINT + keyBytes + valueBytes);

        long delta = timestampMs - baseTimestamp;
        int length = 1
                + varintBytes(delta)
                + varintBytes(count)
                + varintBytes(key == null ? -1 : keyBytes)
                + keyBytes
                + varintBytes(value == null ? -1 : valueBytes)
                + valueBytes
                + 1;
        varint(length);
        memory.set(ValueLayout.JAVA_BYTE, end++, (byte) 0);
        varint(delta);
        varint(count);
        bytes(key);
        bytes(value);
        varint(0);
        count++;
        return this;
    }

    private void bytes(byte @Nullable [] bytes) {
        if (bytes == null) {
            varint(-1);
        } else {
            varint(bytes.length);
            MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, end, bytes.length);
            end += bytes.length;
        }
    }

    private void varint(long value) {
        long zigzag = (value << 1) ^ (value >> 63);
        while ((zigzag & ~0x7FL) != 0) {
            memory.set(ValueLayout.JAVA_BYTE, end++, (byte) ((zigzag & 0x7F) | 0x80));
            zigzag >>>= 7;
        }
        memory.set(ValueLayout.JAVA_BYTE, end++, (byte) zigzag);
    }

    private static int varintBytes(long value) {
        long zigzag = (value << 1) ^ (value >> 63);
        return Math.max(1, (70 - Long.numberOfLeadingZeros(zigzag)) / 7);
    }

    private void reserve(int moreBytes) {
        if (end + moreBytes > memory.byteSize()) {
            MemorySegment larger = Arena.ofAuto().allocate(Math.max(memory.byteSize() * 2, (long) end + moreBytes));
            MemorySegment.copy(memory, 0, larger, 0, end);
            memory = larger;
        }
    }

    /// Records added so far.
    public int count() {
        return count;
    }

    /// The finished batch, with base offset 0: valid until the builder is used again.
    ///
    /// @throws IllegalStateException when no record was added
    public BatchView build() {
        if (count == 0) {
            throw new IllegalStateException("A batch has at least one record");
        }
        memory.set(LONG, 0, 0);
        memory.set(INT, 8, end - 12);
        memory.set(INT, 12, -1);
        memory.set(ValueLayout.JAVA_BYTE, 16, (byte) 2);
        memory.set(SHORT, 21, (short) 0);
        memory.set(INT, 23, count - 1);
        memory.set(LONG, 27, baseTimestamp);
        memory.set(LONG, 35, maxTimestamp);
        memory.set(LONG, 43, -1);
        memory.set(SHORT, 51, (short) -1);
        memory.set(INT, 53, -1);
        memory.set(INT, 57, count);
        ByteBuffer view = memory.asByteBuffer();
        CRC32C crc = new CRC32C();
        crc.update(view.limit(end).position(CRC_COVERS_FROM));
        memory.set(INT, 17, (int) crc.getValue());
        view.clear();
        BatchView batch = new BatchView();
        batch.wrap(memory, view, 0, end);
        return batch;
    }

    /// Begins anew, in the same memory.
    public void clear() {
        end = HEADER_BYTES;
        count = 0;
    }
}
