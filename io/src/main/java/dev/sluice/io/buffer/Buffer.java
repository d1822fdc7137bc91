package dev.sluice.io.buffer;

import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.memory.Pieces;
import dev.sluice.io.transfer.Endpoint;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import org.jspecify.annotations.Nullable;

/// Bytes in memory of any kind, in one piece or many, and one reference to whatever keeps that memory.
///
/// Each buffer is a reference of its own: [#slice] and [#duplicate] make another, [Buffers#compose] takes over those it
/// is given. So a buffer is released once, by whoever has it, and it is known which one was released twice or never.
/// The bytes are shared: what is stored through one buffer is seen through all that have the place.
///
/// ```
///   ACQUIRED ──release──▶ RELEASED          the memory's owner is told when the last buffer on it is released
///       └────compose────▶ HANDED_OVER       the composite has its references now
/// ```
///
/// A buffer belongs to one thread at a time; give another thread a duplicate. Two threads that release the same buffer
/// by mistake don't release it twice: one of them gets the exception. What [#pieces] hands out is borrowed: after the
/// release nothing protects it, and the memory may be another's by then.
public final class Buffer implements AutoCloseable {
    private static final int ACQUIRED = 0;
    private static final int RELEASED = 1;
    private static final int HANDED_OVER = 2;

    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(Buffer.class, "state", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

    private final Buffers owner;
    private final Pieces pieces;
    /// What keeps each piece.
    private final Storage[] storages;
    private final LeakDetection.@Nullable Watch watch;

    /// Changed by compare and set alone, so that one of two threads has released it.
    @SuppressWarnings("UnusedVariable") // through STATE
    private volatile int state;

    Buffer(Buffers owner, MemorySegment[] pieces, Storage[] storages) {
        this.owner = owner;
        this.pieces = Pieces.of(pieces);
        this.storages = storages;
        this.watch = owner.leaks().watch(this);
        owner.acquired();
    }

    /// The sum of its pieces' lengths.
    public long lengthBytes() {
        return pieces.lengthBytes();
    }

    /// The memory, piece by piece. Borrowed until the buffer is released.
    public Pieces pieces() {
        checkUsable();
        return pieces;
    }

    /// A part of these bytes as a buffer of its own, to be released like every other. Copies nothing.
    ///
    /// @throws IndexOutOfBoundsException when the part isn't within this buffer
    public Buffer slice(long position, long lengthBytes) {
        checkUsable();
        pieces.check(position, lengthBytes);
        if (lengthBytes == 0) {
            return new Buffer(owner, new MemorySegment[0], new Storage[0]);
        }
        int first = pieces.indexOf(position);
        int last = pieces.indexOf(position + lengthBytes - 1);
        MemorySegment[] parts = new MemorySegment[last - first + 1];
        Storage[] kept = new Storage[parts.length];
        for (int i = 0; i < parts.length; i++) {
            long from = Math.max(0, position - pieces.start(first + i));
            long to = Math.min(pieces.piece(first + i).byteSize(), position + lengthBytes - pieces.start(first + i));
            parts[i] = pieces.piece(first + i).asSlice(from, to - from);
            kept[i] = storages[first + i];
        }
        retain(kept);
        return new Buffer(owner, parts, kept);
    }

    /// Another buffer of all these bytes. Copies nothing.
    public Buffer duplicate() {
        return slice(0, lengthBytes());
    }

    private static void retain(Storage[] kept) {
        int retained = 0;
        try {
            for (Storage storage : kept) {
                storage.retain();
                retained++;
            }
        } finally {
            if (retained < kept.length) {
                for (int i = 0; i < retained; i++) {
                    kept[i].release();
                }
            }
        }
    }

    /// These bytes as one native piece: another buffer on the same memory if they are one already, else a copy.
    ///
    /// @throws ErrnoException ENOMEM when there is no memory for a copy
    public Buffer inOnePiece() throws ErrnoException {
        checkUsable();
        if (pieces.count() == 1 && pieces.piece(0).isNative()) {
            return duplicate();
        }
        Buffer copy = owner.allocate(lengthBytes());
        pieces.copyTo(0, copy.pieces.piece(0));
        return copy;
    }

    /// Copies bytes from a position on, as many as the target has.
    ///
    /// @throws IndexOutOfBoundsException when there aren't so many
    public void copyTo(long position, MemorySegment target) {
        checkUsable();
        pieces.copyTo(position, target);
    }

    /// Stores all bytes of the source, from a position on.
    ///
    /// @throws IndexOutOfBoundsException when there is no room for so many
    public void copyFrom(long position, MemorySegment source) {
        checkUsable();
        pieces.copyFrom(position, source);
    }

    /// A copy on the heap.
    ///
    /// @throws IllegalArgumentException when there are more bytes than an array holds
    public byte[] toArray() {
        checkUsable();
        if (lengthBytes() > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException(lengthBytes() + " bytes don't fit in an array; copy a slice");
        }
        byte[] array = new byte[(int) lengthBytes()];
        pieces.copyTo(0, MemorySegment.ofArray(array));
        return array;
    }

    /// @throws IndexOutOfBoundsException when there is no such byte
    public byte byteAt(long position) {
        checkUsable();
        return pieces.byteAt(position);
    }

    /// Four bytes, the most significant first, wherever the pieces' borders lie.
    ///
    /// @throws IndexOutOfBoundsException when there aren't so many
    public int intAt(long position) {
        checkUsable();
        return (int) bigEndian(position, Integer.BYTES);
    }

    /// Eight bytes, the most significant first, wherever the pieces' borders lie.
    ///
    /// @throws IndexOutOfBoundsException when there aren't so many
    public long longAt(long position) {
        checkUsable();
        return bigEndian(position, Long.BYTES);
    }

    private long bigEndian(long position, int count) {
        pieces.check(position, count);
        long value = 0;
        for (long at = position; at < position + count; ) {
            MemorySegment run = pieces.runAt(at, position + count - at);
            for (long i = 0; i < run.byteSize(); i++) {
                value = value << 8 | (run.get(BYTE, i) & 0xFF);
            }
            at += run.byteSize();
        }
        return value;
    }

    /// An end of a transfer: gathers a source's pieces, scatters into a sink's, in as few calls as the kernel
    /// allows. It has a reference of its own; closing it gives that back. After a zero-copy send that failed, don't
    /// close it before [dev.sluice.io.transfer.Transfer#inFlightBytes] is 0.
    public Endpoint.Memory endpoint() {
        Buffer held = duplicate();
        return new Endpoint.Memory(held.pieces, held::close);
    }

    /// How many pieces of buffers lie in the same memory as this one's first piece; for tests and messages.
    public int references() {
        checkUsable();
        return storages.length == 0 ? 0 : storages[0].references();
    }

    /// Gives the reference back. The memory's owner is told on this thread if it was the last.
    ///
    /// @throws IllegalStateException when it was released or handed over before
    public void release() {
        if (!leave(RELEASED)) {
            throw gone();
        }
        giveBack();
    }

    /// Releases the buffer unless it was released or handed over: for try-with-resources.
    @Override
    public void close() {
        if (leave(RELEASED)) {
            giveBack();
        }
    }

    private boolean leave(int newState) {
        return STATE.compareAndSet(this, ACQUIRED, newState);
    }

    private void giveBack() {
        unwatch();
        for (Storage storage : storages) {
            storage.release();
        }
    }

    private void unwatch() {
        owner.released();
        if (watch != null) {
            try {
                watch.released();
            } finally {
                Reference.reachabilityFence(this); // else it could be found lost while it is being released
            }
        }
    }

    private void checkUsable() {
        if (state != ACQUIRED) {
            throw gone();
        }
    }

    private IllegalStateException gone() {
        String what = state == RELEASED
                ? "The buffer was released; use a duplicate that has a reference of its own"
                : "The buffer was handed over to a composite; give that a duplicate, or use the composite";
        IllegalStateException thrown = new IllegalStateException(what + " (" + lengthBytes() + " bytes)");
        if (watch != null) {
            thrown.initCause(watch.acquired());
        }
        return thrown;
    }

    // For Buffers.compose.

    void handOver() {
        if (!leave(HANDED_OVER)) {
            throw gone();
        }
    }

    /// Undoes [#handOver], before [#moveInto].
    void takeBack() {
        state = ACQUIRED;
    }

    int count() {
        return storages.length;
    }

    /// Gives pieces and references to a composite, for good.
    int moveInto(MemorySegment[] intoPieces, Storage[] intoStorages, int at) {
        unwatch();
        for (int i = 0; i < storages.length; i++) {
            intoPieces[at + i] = pieces.piece(i);
            intoStorages[at + i] = storages[i];
        }
        return storages.length;
    }
}
