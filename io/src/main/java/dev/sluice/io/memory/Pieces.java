package dev.sluice.io.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/// Several pieces of memory, native or on the heap, seen as one run of bytes.
///
/// ```
///   pieces    | 0 ........ | 1 .. || 3 ............... |        a piece may be empty, as 2 is
///   position  0            12     17                   33 = lengthBytes
/// ```
///
/// Immutable, though what lies in the memory isn't. It borrows the memory: whoever made it says for how long.
public final class Pieces {
    private final MemorySegment[] pieces;
    /// Where each piece begins, and behind the last one where all end.
    private final long[] starts;

    private Pieces(MemorySegment[] pieces) {
        this.pieces = pieces;
        this.starts = new long[pieces.length + 1];
        for (int i = 0; i < pieces.length; i++) {
            starts[i + 1] = Math.addExact(starts[i], pieces[i].byteSize());
        }
    }

    /// In this order. The memory is borrowed: the caller keeps it as long as these are used.
    public static Pieces of(MemorySegment... pieces) {
        return new Pieces(pieces.clone());
    }

    /// The same, of a list.
    public static Pieces of(List<MemorySegment> pieces) {
        return new Pieces(pieces.toArray(MemorySegment[]::new));
    }

    /// The sum of the pieces' lengths.
    public long lengthBytes() {
        return starts[pieces.length];
    }

    /// How many pieces there are, empty ones too.
    public int count() {
        return pieces.length;
    }

    /// One piece, as it was given: borrowed, of any length, 0 too.
    ///
    /// @throws IndexOutOfBoundsException when there are not so many
    public MemorySegment piece(int index) {
        return pieces[index];
    }

    /// Where a piece begins.
    public long start(int index) {
        return starts[index];
    }

    /// The piece that has the byte at a position: never an empty one.
    ///
    /// @param position 0 ≤ position < [#lengthBytes]
    public int indexOf(long position) {
        assert position >= 0 && position < lengthBytes() : position;
        int low = 0;
        int high = pieces.length - 1;
        while (low < high) { // the first piece that ends behind the position
            int middle = (low + high) >>> 1;
            if (starts[middle + 1] > position) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    /// Bytes that lie on the heap, where the kernel can't be pointed to.
    public long heapBytes() {
        long sum = 0;
        for (MemorySegment piece : pieces) {
            sum += piece.isNative() ? 0 : piece.byteSize();
        }
        return sum;
    }

    /// Whether any of it may not be stored to.
    public boolean isReadOnly() {
        for (MemorySegment piece : pieces) {
            if (piece.isReadOnly()) {
                return true;
            }
        }
        return false;
    }

    /// The memory from a position on, as far as it lies in one piece.
    ///
    /// @param mostBytes more than this isn't wanted
    public MemorySegment runAt(long position, long mostBytes) {
        int index = indexOf(position);
        long from = position - starts[index];
        return pieces[index].asSlice(from, Math.min(mostBytes, pieces[index].byteSize() - from));
    }

    /// Copies from a position on, as many bytes as the target has.
    ///
    /// @throws IndexOutOfBoundsException when there aren't so many
    public void copyTo(long position, MemorySegment target) {
        check(position, target.byteSize());
        for (long done = 0; done < target.byteSize(); ) {
            MemorySegment run = runAt(position + done, target.byteSize() - done);
            MemorySegment.copy(run, 0, target, done, run.byteSize());
            done += run.byteSize();
        }
    }

    /// Stores all bytes of the source, from a position on.
    ///
    /// @throws IndexOutOfBoundsException when there is no room for so many
    /// @throws IllegalArgumentException  when a piece is read-only
    public void copyFrom(long position, MemorySegment source) {
        check(position, source.byteSize());
        for (long done = 0; done < source.byteSize(); ) {
            MemorySegment run = runAt(position + done, source.byteSize() - done);
            MemorySegment.copy(source, done, run, 0, run.byteSize());
            done += run.byteSize();
        }
    }

    /// The byte at a position.
    ///
    /// @throws IndexOutOfBoundsException when there is none
    public byte byteAt(long position) {
        check(position, 1);
        int index = indexOf(position);
        return pieces[index].get(ValueLayout.JAVA_BYTE, position - starts[index]);
    }

    /// @throws IndexOutOfBoundsException when a range isn't within these bytes
    public void check(long position, long lengthBytes) {
        if (position < 0 || lengthBytes < 0 || position > lengthBytes() - lengthBytes) {
            throw new IndexOutOfBoundsException(
                    lengthBytes + " bytes from byte " + position + " on aren't within " + lengthBytes() + " bytes");
        }
    }
}
