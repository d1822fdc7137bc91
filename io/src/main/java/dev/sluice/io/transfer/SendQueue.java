package dev.sluice.io.transfer;

import dev.sluice.io.memory.SlabPool;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// What waits to be sent, in order: pieces of memory, and spans of files.
///
/// ```
///      head            head + count
///        ▼                ▼
///  │ … │ first │ … │ last │ free │ …      a ring of places that are filled again and again
/// ```
///
/// An answer that is queued makes no garbage that way; the ring grows to the most that ever waited. Owned by the
/// writer's thread.
final class SendQueue {
    private static final int FIRST_PLACES = 4;

    /// A place of the ring, and what is in it until it leaves the queue.
    static final class Piece {
        private MemorySegment memory = MemorySegment.NULL;
        private long from;
        private long lengthBytes;
        private @Nullable Span span;
        private Hold hold = Hold.NONE;
        private @Nullable SlabPool pool;

        long lengthBytes() {
            return lengthBytes;
        }

        /// The span, or null when it is memory.
        @Nullable Span span() {
            return span;
        }

        /// What its bytes lie in, [#from] on, when it is not a span.
        MemorySegment memory() {
            return memory;
        }

        long from() {
            return from;
        }

        /// Says that it could not be read, before it leaves the queue.
        void unreadable() {
            hold.unreadable();
        }

        private void fill(MemorySegment newMemory, long newFrom, long newLengthBytes, Hold newHold) {
            memory = newMemory;
            from = newFrom;
            lengthBytes = newLengthBytes;
            hold = newHold;
        }

        /// Lets go of what was in it.
        private void release() {
            MemorySegment slab = memory;
            Hold released = hold;
            SlabPool owner = pool;
            fill(MemorySegment.NULL, 0, 0, Hold.NONE);
            span = null;
            pool = null;
            released.release();
            if (owner != null) {
                owner.give(slab);
            }
        }
    }

    private Piece[] ring = places(new Piece[FIRST_PLACES], 0);
    private int head;
    private int count;

    private static Piece[] places(Piece[] array, int from) {
        for (int i = from; i < array.length; i++) {
            array[i] = new Piece();
        }
        return array;
    }

    boolean isEmpty() {
        return count == 0;
    }

    int count() {
        return count;
    }

    /// The piece that so many are before.
    Piece get(int index) {
        assert index < count;
        return ring[(head + index) & (ring.length - 1)];
    }

    /// Adds memory that is kept by a hold.
    void add(MemorySegment memory, long from, long lengthBytes, Hold hold) {
        free().fill(memory, from, lengthBytes, hold);
    }

    /// Adds a part of a slab, which goes back to its pool with it.
    void addSlab(MemorySegment slab, long from, long lengthBytes, SlabPool owner) {
        Piece added = free();
        added.fill(slab, from, lengthBytes, Hold.NONE);
        added.pool = owner;
    }

    void add(Span span) {
        Piece added = free();
        added.fill(MemorySegment.NULL, 0, span.lengthBytes(), span.hold());
        added.span = span;
    }

    private Piece free() {
        if (count == ring.length) {
            Piece[] larger = Arrays.copyOf(ring, 2 * count);
            for (int i = 0; i < count; i++) {
                larger[i] = get(i);
            }
            ring = places(larger, count);
            head = 0;
        }
        return get(count++);
    }

    /// Takes the first piece out, and lets go of what is in it.
    void removeFirst() {
        Piece first = get(0);
        head = (head + 1) & (ring.length - 1);
        count--;
        first.release();
    }

    /// Takes the last piece out, and lets go of what is in it.
    void removeLast() {
        Piece last = get(count - 1);
        count--;
        last.release();
    }
}
