package dev.sluice.io.transfer;

import dev.sluice.io.memory.SlabPool;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.concurrent.Executor;
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
        /// Whether the hold may be released on any thread.
        private boolean anywhere;

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

        private void fill(
                MemorySegment newMemory, long newFrom, long newLengthBytes, Hold newHold, boolean newAnywhere) {
            memory = newMemory;
            from = newFrom;
            lengthBytes = newLengthBytes;
            hold = newHold;
            anywhere = newAnywhere;
        }

        private void handOn(Executor owner) {
            MemorySegment slab = memory;
            Hold held = hold;
            SlabPool giveTo = pool;
            if (giveTo != null) {
                pool = null;
                hold = () -> owner.execute(() -> giveTo.give(slab));
            } else if (!anywhere && held != Hold.NONE) {
                hold = () -> owner.execute(held::release);
            }
            anywhere = true;
        }

        /// Lets go of what was in it.
        private void release() {
            MemorySegment slab = memory;
            Hold released = hold;
            SlabPool owner = pool;
            fill(MemorySegment.NULL, 0, 0, Hold.NONE, true);
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
    ///
    /// @param anywhere whether that may be released on any thread, not only on the one that has queued it
    void add(MemorySegment memory, Hold hold, boolean anywhere) {
        free().fill(memory, 0, memory.byteSize(), hold, anywhere);
    }

    /// Adds a part of a slab.
    ///
    /// @param owner it goes back to this pool with the part; null when another part brings it back
    void addSlab(MemorySegment slab, long from, long lengthBytes, @Nullable SlabPool owner) {
        Piece added = free();
        added.fill(slab, from, lengthBytes, Hold.NONE, true);
        added.pool = owner;
    }

    void add(Span span) {
        Piece added = free();
        added.fill(MemorySegment.NULL, 0, span.lengthBytes(), span.hold(), true);
        added.span = span;
    }

    /// Makes it another thread's: what may be given back on the one that has queued it alone goes there.
    ///
    /// @param owner runs it there
    void handOn(Executor owner) {
        for (int i = 0; i < count; i++) {
            get(i).handOn(owner);
        }
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

    /// Takes all pieces out, and lets go of what is in them.
    void clear() {
        while (count > 0) {
            removeFirst();
        }
    }
}
