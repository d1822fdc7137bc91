package dev.sluice.log;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/// Where the newest batches of the active segment lie, so that those who read the tail need no system call to find
/// it.
///
/// One thread adds, at a time; any thread looks up, without a lock. An entry is one long, (relative base offset,
/// position), and true for ever; only whether two entries are neighbours can be spoilt by the writer's lapping the
/// reader, which is checked after the search. 1 KiB of heap for a partition that is appended to.
final class BatchRing {
    static final int SIZE = 128;

    private static final VarHandle ENTRY = MethodHandles.arrayElementVarHandle(long[].class);
    private static final VarHandle COUNT;

    static {
        try {
            COUNT = MethodHandles.lookup().findVarHandle(BatchRing.class, "count", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final long segmentBaseOffset;
    private final long[] entries = new long[SIZE];

    @SuppressWarnings("FieldMayBeFinal") // through COUNT
    private long count;

    BatchRing(long segmentBaseOffset) {
        this.segmentBaseOffset = segmentBaseOffset;
    }

    /// Adds the batch behind all others, before its end is published.
    void add(long baseOffset, int position) {
        long entry = pack(baseOffset - segmentBaseOffset, position);
        ENTRY.setOpaque(entries, (int) (count & (SIZE - 1)), entry);
        COUNT.setRelease(this, count + 1);
        VarHandle.storeStoreFence(); // the next entry overwrites a slot only behind this count
    }

    /// The batch that contains `offset`, or null when it is not among those remembered.
    ///
    /// @param offset      below the published end offset
    /// @param endPosition the published end position that goes with it
    @Nullable BatchPlace find(long offset, int endPosition) {
        long relative = offset - segmentBaseOffset;
        long last = (long) COUNT.getAcquire(this) - 1;
        // The slot of the oldest entry may be being overwritten with the next: leave it out.
        long low = Math.max(0, last + 2 - SIZE);
        if (last < low || relativeOffset(entry(low)) > relative) {
            return null;
        }
        long high = last;
        while (low < high) {
            long middle = (low + high + 1) >>> 1;
            if (relativeOffset(entry(middle)) <= relative) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        long found = entry(low);
        int end = low == last ? endPosition : position(entry(low + 1));
        VarHandle.loadLoadFence(); // the look at the count is not moved before those at the entries
        long now = (long) COUNT.getOpaque(this);
        if (low < now + 1 - SIZE) {
            return null; // overtaken: the entries above were not neighbours of each other
        }
        int position = position(found);
        return new BatchPlace(segmentBaseOffset + relativeOffset(found), position, end - position);
    }

    private long entry(long index) {
        return (long) ENTRY.getOpaque(entries, (int) (index & (SIZE - 1)));
    }

    private static long pack(long relativeOffset, int position) {
        return relativeOffset << 32 | position;
    }

    private static long relativeOffset(long entry) {
        return entry >>> 32;
    }

    private static int position(long entry) {
        return (int) entry;
    }
}
