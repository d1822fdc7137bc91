package dev.sluice.broker.catalogue;

import dev.sluice.log.BatchView;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/// The records inside a batch that this broker wrote for itself: uncompressed, as `BatchBuilder` lays them out.
final class Records {
    /// Is shown one record after the other.
    @FunctionalInterface
    interface Visitor {
        void record(byte @Nullable [] key, byte[] value) throws IOException;
    }

    private final MemorySegment bytes;
    private long at = BatchView.HEADER_BYTES;

    private Records(MemorySegment bytes) {
        this.bytes = bytes;
    }

    /// @throws IOException when the bytes are not such records
    static void forEach(BatchView batch, Visitor visitor) throws IOException {
        Records records = new Records(batch.bytes());
        try {
            for (int left = batch.count(); left > 0; left--) {
                records.next(visitor);
            }
        } catch (IndexOutOfBoundsException e) {
            throw new IOException("A record of the catalogue is cut short at offset " + batch.baseOffset(), e);
        }
    }

    private void next(Visitor visitor) throws IOException {
        long length = varint();
        long end = at + length;
        at++; // attributes
        varint(); // timestamp delta
        varint(); // offset delta
        byte[] key = bytes();
        byte[] value = bytes();
        at = end;
        visitor.record(key, value == null ? new byte[0] : value);
    }

    private byte @Nullable [] bytes() {
        long length = varint();
        if (length < 0) {
            return null;
        }
        byte[] copy = bytes.asSlice(at, length).toArray(ValueLayout.JAVA_BYTE);
        at += length;
        return copy;
    }

    private long varint() {
        long zigzag = 0;
        for (int shift = 0; ; shift += 7) {
            byte next = bytes.get(ValueLayout.JAVA_BYTE, at++);
            zigzag |= (long) (next & 0x7F) << shift;
            if (next >= 0) {
                return zigzag >>> 1 ^ -(zigzag & 1);
            }
        }
    }
}
