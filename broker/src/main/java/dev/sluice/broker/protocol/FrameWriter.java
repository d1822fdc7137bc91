package dev.sluice.broker.protocol;

import dev.sluice.io.memory.SlabPool;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/// Writes a response frame into memory of a pool, moving to a larger piece when it outgrows the one it has.
///
/// From [#begin] to [#end] it owns the memory; [#end] hands it to the caller, [#abandon] back to the pool. Owned
/// by one thread.
final class FrameWriter {
    private final SlabPool pool;
    private MemorySegment memory = MemorySegment.NULL;
    private boolean owned;
    private long position;

    FrameWriter(SlabPool pool) {
        this.pool = pool;
    }

    /// Writes the response header behind four bytes for the size. A frame that was left unfinished, by an
    /// exception in its midst, is abandoned.
    ///
    /// @param tagged whether it is a header of version 1, with tagged fields
    void begin(int correlationId, boolean tagged) {
        abandon();
        memory = pool.take(1);
        owned = true;
        position = Frames.SIZE_BYTES;
        putInt32(correlationId);
        if (tagged) {
            putNoTags();
        }
    }

    /// Where the next byte goes, which is also how many were written.
    long position() {
        return position;
    }

    void putInt8(byte value) {
        memory(Byte.BYTES).set(Wire.INT8, position, value);
        position += Byte.BYTES;
    }

    void putInt16(short value) {
        memory(Short.BYTES).set(Wire.INT16, position, value);
        position += Short.BYTES;
    }

    void putInt32(int value) {
        memory(Integer.BYTES).set(Wire.INT32, position, value);
        position += Integer.BYTES;
    }

    void putInt64(long value) {
        memory(Long.BYTES).set(Wire.INT64, position, value);
        position += Long.BYTES;
    }

    void putUnsignedVarint(int value) {
        int left = value;
        while ((left & ~0x7f) != 0) {
            putInt8((byte) (left | 0x80));
            left >>>= 7;
        }
        putInt8((byte) left);
    }

    void putNoTags() {
        putInt8((byte) 0);
    }

    /// A count of elements or a length of records.
    ///
    /// @param count −1 for null
    void putCount(int count, boolean flexible) {
        if (flexible) {
            putUnsignedVarint(count + 1);
        } else {
            putInt32(count);
        }
    }

    void putNullString(boolean flexible) {
        putStringLength(-1, flexible);
    }

    /// @throws IllegalArgumentException when it encodes to more than 32767 bytes
    void putString(String value, boolean flexible) {
        if (isAscii(value)) {
            int length = value.length();
            putStringLength(length, flexible);
            MemorySegment target = memory(length);
            for (int i = 0; i < length; i++) {
                target.set(Wire.INT8, position + i, (byte) value.charAt(i));
            }
            position += length;
        } else {
            // Allocates, and is no name that a broker accepts.
            byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
            putStringLength(bytes.length, flexible);
            MemorySegment.copy(bytes, 0, memory(bytes.length), Wire.INT8, position, bytes.length);
            position += bytes.length;
        }
    }

    private void putStringLength(int length, boolean flexible) {
        if (length > Wire.STRING_BYTES) {
            throw new IllegalArgumentException("A string takes at most " + Wire.STRING_BYTES + " bytes, not " + length);
        }
        if (flexible) {
            putUnsignedVarint(length + 1);
        } else {
            putInt16((short) length);
        }
    }

    private static boolean isAscii(String value) {
        for (int i = 0; i < value.length(); i++) {
            if (value.charAt(i) >= 0x80) {
                return false;
            }
        }
        return true;
    }

    /// The memory, with room for as many bytes more.
    private MemorySegment memory(int lengthBytes) {
        if (memory.byteSize() - position < lengthBytes) {
            grow(lengthBytes);
        }
        return memory;
    }

    private void grow(int lengthBytes) {
        MemorySegment larger = pool.take(Math.max(memory.byteSize() * 2, position + lengthBytes));
        MemorySegment.copy(memory, 0, larger, 0, position);
        pool.give(memory);
        memory = larger;
    }

    /// Writes the size and hands the memory to the caller, [#position] bytes of it written.
    ///
    /// @param elsewhereBytes bytes of the frame that are not in this memory
    /// @throws ArithmeticException when the frame exceeds 2 GiB; the memory stays owned
    MemorySegment end(long elsewhereBytes) {
        memory.set(Wire.INT32, 0, Math.toIntExact(position - Frames.SIZE_BYTES + elsewhereBytes));
        owned = false;
        return memory;
    }

    /// Gives the memory back, if there is any.
    void abandon() {
        if (owned) {
            owned = false;
            pool.give(memory);
        }
    }
}
