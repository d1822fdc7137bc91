package dev.sluice.io.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;

/// Native memory for answers, in classes of a power of two, recycled by one event loop.
///
/// Owned by one thread, which also gives back what it took. Memory above [#LARGEST_BYTES] is allocated for the occasion
/// and left to the garbage collector; each class keeps a bounded number of free slabs.
public final class SlabPool {
    static final int SMALLEST_BYTES = 512;
    /// The largest that is kept.
    public static final int LARGEST_BYTES = 1 << 20;

    /// Per class; the sum over all classes is at most 4 MiB.
    private static final int FREE_BYTES = 512 << 10;

    private final ArrayDeque<MemorySegment>[] free;
    private int taken;

    /// Empty: slabs are allocated as they are asked for, and kept when they come back.
    @SuppressWarnings({"unchecked", "rawtypes"}) // an array of a generic type can't be made in another way
    public SlabPool() {
        free = new ArrayDeque[classOf(LARGEST_BYTES) + 1];
        for (int i = 0; i < free.length; i++) {
            free[i] = new ArrayDeque<>();
        }
    }

    private static int classOf(long lengthBytes) {
        return lengthBytes <= SMALLEST_BYTES
                ? 0
                : 64 - Long.numberOfLeadingZeros(lengthBytes - 1) - Integer.numberOfTrailingZeros(SMALLEST_BYTES);
    }

    /// Memory of at least `lengthBytes`, its content undefined.
    public MemorySegment take(long lengthBytes) {
        taken++;
        if (lengthBytes > LARGEST_BYTES) {
            return Arena.ofAuto().allocate(lengthBytes, 8);
        }
        int slabClass = classOf(lengthBytes);
        MemorySegment slab = free[slabClass].pollLast();
        return slab != null ? slab : Arena.ofAuto().allocate((long) SMALLEST_BYTES << slabClass, 8);
    }

    /// Gives back what [#take] answered: the same segment, not a slice of it.
    public void give(MemorySegment slab) {
        taken--;
        if (slab.byteSize() <= LARGEST_BYTES) {
            ArrayDeque<MemorySegment> list = free[classOf(slab.byteSize())];
            if (list.isEmpty() || (list.size() + 1) * slab.byteSize() <= FREE_BYTES) {
                list.addLast(slab);
            }
        }
    }

    /// Slabs that were taken and not given back.
    public int taken() {
        return taken;
    }
}
