package dev.sluice.io.async;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Mappings;
import dev.sluice.io.memory.Mapping;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A fixed number of page-aligned buffers of one size, in one map, made at start: memory for direct I/O.
///
/// Queues that are opened with the pool register it: its pages are then pinned once, not with each operation. Pages are
/// touched when the pool is made, so that no first touch (0.5 s of CPU a GiB on the machine this was written on) falls
/// on an operation. Its size is `count × bufferBytes`, plus nothing: it never grows. Last in, first out, so that a
/// small working set stays in the processor's cache.
///
/// Thread-safe. Whoever opens it closes it, after the queues that use it; the memory goes when the last buffer has
/// come back.
public final class BufferPool implements AutoCloseable {
    /// Of what every architecture here has as its page or a multiple of it (aarch64 kernels may have 64 KiB pages).
    private static final int PAGE_BYTES = 4096;

    /// What a buffer is filled with when it comes back, where the pool was asked to.
    static final byte POISON = (byte) 0xDB;

    /// The kernel's bound on one registered buffer.
    private static final long REGION_BYTES = 1L << 30;

    private final Mapping mapping;
    private final PoolBuffer[] buffers;
    private final PoolBuffer[] free;
    private final int bufferBytes;
    private final boolean poisoning;

    // Guarded by this.
    private int freeCount;
    private boolean closed;

    /// What a pool is made like.
    ///
    /// @param count       buffers
    /// @param bufferBytes size of each, a multiple of 4096
    /// @param poisoning   fill each buffer with 0xDB when it comes back: finds who uses a buffer after letting go
    ///     of it, costs a memset
    public record Shape(int count, int bufferBytes, boolean poisoning) {
        /// @throws IllegalArgumentException in a line that says what a pool can be
        public Shape {
            if (count < 1 || bufferBytes < PAGE_BYTES || bufferBytes % PAGE_BYTES != 0 || bufferBytes > REGION_BYTES) {
                throw new IllegalArgumentException("A pool has at least one buffer, of a multiple of " + PAGE_BYTES
                        + " and at most " + REGION_BYTES + " bytes each; not " + count + " of " + bufferBytes);
            }
        }

        /// Without poisoning.
        public Shape(int count, int bufferBytes) {
            this(count, bufferBytes, false);
        }

        /// The memory of all buffers together.
        public long lengthBytes() {
            return (long) count * bufferBytes;
        }
    }

    private BufferPool(Mapping mapping, Shape shape) {
        this.mapping = mapping;
        this.bufferBytes = shape.bufferBytes();
        this.poisoning = shape.poisoning();
        this.buffers = new PoolBuffer[shape.count()];
        this.free = new PoolBuffer[shape.count()];
        for (int i = shape.count() - 1; i >= 0; i--) {
            buffers[i] = new PoolBuffer(this, i, mapping.segment().asSlice((long) i * bufferBytes, bufferBytes));
            free[freeCount++] = buffers[i]; // number 0 ends on top
        }
    }

    /// Maps the memory and touches it.
    ///
    /// @throws ErrnoException ENOMEM when there is not enough
    public static BufferPool open(Kernel kernel, Shape shape) throws ErrnoException {
        Mapping mapping = Mapping.reserve(kernel, shape.lengthBytes());
        mapping.advise(Mappings.MADV_HUGEPAGE);
        long populated = kernel.mappings().advise(mapping.segment(), Mappings.MADV_POPULATE_WRITE);
        if (populated == -Errno.ENOMEM) {
            mapping.close();
            throw new ErrnoException(Call.MADVISE, Errno.ENOMEM, "a buffer pool of " + shape.lengthBytes() + " bytes");
        }
        return new BufferPool(mapping, shape);
    }

    /// A buffer with one reference, its content undefined.
    ///
    /// @return null when none is free: use fewer, or wait for one to come back
    public synchronized @Nullable PoolBuffer take() {
        if (closed) {
            throw new IllegalStateException("the pool is closed");
        }
        if (freeCount == 0) {
            return null;
        }
        PoolBuffer buffer = free[--freeCount];
        buffer.handOut();
        return buffer;
    }

    synchronized void give(PoolBuffer buffer) {
        if (poisoning) {
            buffer.segment().fill(POISON);
        }
        free[freeCount++] = buffer;
        unmapIfDone();
    }

    /// How many buffers there are, taken or free.
    public int count() {
        return buffers.length;
    }

    /// The size of each.
    public int bufferBytes() {
        return bufferBytes;
    }

    /// The memory of all buffers together.
    public long lengthBytes() {
        return mapping.segment().byteSize();
    }

    /// Buffers that nobody has.
    public synchronized int freeCount() {
        return freeCount;
    }

    /// Takes no more buffers out; the memory goes when all have come back and no queue has them registered.
    @Override
    public synchronized void close() {
        closed = true;
        unmapIfDone();
    }

    private void unmapIfDone() {
        if (closed && freeCount == buffers.length) {
            mapping.close();
        }
    }

    /// The pieces that the pool is registered in: as large as the kernel takes them, cut between buffers.
    List<MemorySegment> regions() {
        List<MemorySegment> regions = new ArrayList<>();
        long step = regionBytes();
        for (long at = 0; at < lengthBytes(); at += step) {
            regions.add(mapping.segment().asSlice(at, Math.min(step, lengthBytes() - at)));
        }
        return regions;
    }

    /// Which of [#regions] a buffer lies in.
    int regionOf(PoolBuffer buffer) {
        return (int) ((long) buffer.index() * bufferBytes / regionBytes());
    }

    private long regionBytes() {
        return REGION_BYTES - REGION_BYTES % bufferBytes;
    }

    /// Keeps the memory mapped for a queue that has it registered.
    void retainMemory() {
        if (!mapping.retain()) {
            throw new IllegalStateException("the pool is closed");
        }
    }

    void releaseMemory() {
        mapping.release();
    }
}
