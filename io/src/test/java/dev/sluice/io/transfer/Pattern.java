package dev.sluice.io.transfer;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// Content that can be made and checked at any index without keeping it: no two stretches are alike, so a byte in the
/// wrong place is seen.
final class Pattern {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private Pattern() {}

    private static long word(long index) {
        long x = (index + 1) * 0x9E3779B97F4A7C15L;
        x ^= x >>> 29;
        x *= 0xBF58476D1CE4E5B9L;
        return x ^ x >>> 32;
    }

    static byte at(long index) {
        return (byte) (word(index >>> 3) >>> ((index & 7) * 8));
    }

    /// Fills a segment with what stands from `index` on.
    static void fill(MemorySegment target, long index) {
        long i = 0;
        long size = target.byteSize();
        while (i < size && ((index + i) & 7) != 0) {
            target.set(ValueLayout.JAVA_BYTE, i, at(index + i));
            i++;
        }
        for (; i + 8 <= size; i += 8) {
            target.set(LONG, i, word((index + i) >>> 3));
        }
        for (; i < size; i++) {
            target.set(ValueLayout.JAVA_BYTE, i, at(index + i));
        }
    }

    /// Where a segment first differs from what stands from `index` on: an index into the content, or -1.
    static long mismatch(MemorySegment bytes, long index) {
        long i = 0;
        long size = bytes.byteSize();
        while (i < size) {
            if (((index + i) & 7) == 0 && i + 8 <= size && bytes.get(LONG, i) == word((index + i) >>> 3)) {
                i += 8;
            } else if (bytes.get(ValueLayout.JAVA_BYTE, i) == at(index + i)) {
                i++;
            } else {
                return index + i;
            }
        }
        return -1;
    }
}
