package dev.sluice.io.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;

/// An array of `struct iovec { void *base; size_t length; }` for gathering writes.
///
/// Not thread-safe; the segments that are added must stay alive until the call that uses them has returned: this class
/// keeps their addresses only.
public final class IoVectors {
    /// The kernel's bound on one call, UIO_MAXIOV of linux/uio.h.
    public static final int MAX = 1024;

    private static final long BYTES = 16;

    /// struct msghdr of linux/socket.h: 0 name, 8 i32 name length, 16 iov, 24 iov count, 32 control, 40 its length,
    /// 48 i32 flags.
    private static final long MSGHDR_BYTES = 56;

    private final MemorySegment array;
    private final MemorySegment header;
    private final int capacity;
    private int count;
    private long lengthBytes;

    /// @param capacity at most [#MAX]
    public IoVectors(SegmentAllocator allocator, int capacity) {
        if (capacity < 1 || capacity > MAX) {
            throw new IllegalArgumentException("capacity " + capacity + " is not within 1 and " + MAX);
        }
        this.array = allocator.allocate(capacity * BYTES, 8);
        this.header = allocator.allocate(MSGHDR_BYTES, 8);
        header.set(ValueLayout.ADDRESS, 16, array);
        this.capacity = capacity;
    }

    /// Adds a piece of native memory.
    ///
    /// @return false when the array is full
    public boolean add(MemorySegment piece) {
        return add(piece, 0, piece.byteSize());
    }

    /// Adds a part of native memory.
    ///
    /// @return false when the array is full
    public boolean add(MemorySegment memory, long from, long pieceBytes) {
        if (count == capacity) {
            return false;
        }
        array.set(ValueLayout.JAVA_LONG, count * BYTES, Native.address(memory, from, pieceBytes));
        array.set(ValueLayout.JAVA_LONG, count * BYTES + 8, pieceBytes);
        count++;
        lengthBytes += pieceBytes;
        return true;
    }

    /// Forgets all pieces.
    public void clear() {
        count = 0;
        lengthBytes = 0;
    }

    /// How many pieces there are.
    public int count() {
        return count;
    }

    /// The sum of the pieces' lengths.
    public long lengthBytes() {
        return lengthBytes;
    }

    MemorySegment array() {
        return array;
    }

    /// The message header of sendmsg(2) for what was added so far.
    MemorySegment messageHeader() {
        header.set(ValueLayout.JAVA_LONG, 24, count);
        return header;
    }

    /// These vectors, or a copy that ends after `length` bytes: how a fault plan makes a count short.
    IoVectors shortenedTo(long length) {
        if (length >= lengthBytes) {
            return this;
        }
        IoVectors shorter = new IoVectors(Arena.ofAuto(), capacity);
        for (int i = 0; i < count && shorter.lengthBytes < length; i++) {
            long size = Math.min(array.get(ValueLayout.JAVA_LONG, i * BYTES + 8), length - shorter.lengthBytes);
            shorter.add(array.get(ValueLayout.ADDRESS, i * BYTES).reinterpret(size));
        }
        return shorter;
    }
}
