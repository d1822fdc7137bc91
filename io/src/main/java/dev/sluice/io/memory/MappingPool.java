package dev.sluice.io.memory;

import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.util.ArrayDeque;

/// Anonymous memory that is used for a moment and again, by any thread: what transfers stage bytes in and buffers are
/// made of. Last in, first out, so that what is given next is still in the processor's cache; memory that is touched
/// for the first time costs several times as much. Keeps [#KEPT] of each power of two up to [#LARGEST_KEPT_BYTES],
/// 2 × KEPT × LARGEST at most, and never refuses: what it doesn't have it maps.
///
/// Its neighbours: a [SlabPool] is one loop's and takes no lock; `async.BufferPool` has a fixed number of buffers that
/// the kernel knows. Thread-safe.
public final class MappingPool implements AutoCloseable {
    private static final int KEPT = 4;
    private static final long LARGEST_KEPT_BYTES = 1 << 20;
    private static final int SMALLEST_SHIFT = 12;
    private static final int CLASSES = 20 - SMALLEST_SHIFT + 1;

    @SuppressWarnings({"unchecked", "rawtypes"}) // an array of a generic type can't be made in another way
    private final ArrayDeque<Mapping>[] free = new ArrayDeque[CLASSES];

    private boolean closed;

    /// An empty pool; it keeps the first maps that it is given.
    public MappingPool() {
        for (int i = 0; i < CLASSES; i++) {
            free[i] = new ArrayDeque<>(KEPT);
        }
    }

    private static int classOf(long bytes) {
        return Math.max(0, 64 - Long.numberOfLeadingZeros(bytes - 1) - SMALLEST_SHIFT);
    }

    /// A map of at least `bytes`, its content undefined. Give it back.
    ///
    /// @throws ErrnoException ENOMEM when there is no memory, or too many maps
    public Mapping take(Kernel kernel, long bytes) throws ErrnoException {
        int sizeClass = classOf(bytes);
        if (sizeClass < CLASSES) {
            synchronized (this) {
                Mapping pooled = free[sizeClass].pollLast();
                if (pooled != null) {
                    return pooled;
                }
            }
        }
        return Mapping.reserve(kernel, 1L << (sizeClass + SMALLEST_SHIFT));
    }

    /// Takes back what [#take] answered. Nobody else may have a reference to it.
    public void give(Mapping buffer) {
        long bytes = buffer.segment().byteSize();
        if (bytes <= LARGEST_KEPT_BYTES) {
            synchronized (this) {
                ArrayDeque<Mapping> list = free[classOf(bytes)];
                if (!closed && list.size() < KEPT) {
                    list.addLast(buffer);
                    return;
                }
            }
        }
        buffer.close();
    }

    /// Ends the maps that nobody has; the others end when they are given back.
    @Override
    public synchronized void close() {
        closed = true;
        for (ArrayDeque<Mapping> list : free) {
            list.forEach(Mapping::close);
            list.clear();
        }
    }
}
