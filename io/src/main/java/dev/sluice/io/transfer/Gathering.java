package dev.sluice.io.transfer;

import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.IoVectors;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.memory.Mapping;
import dev.sluice.io.memory.MappingPool;
import dev.sluice.io.memory.Pieces;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// Hands pieces of memory to the kernel, as many in one call as it takes: gathered for a write, scattered for a read.
///
/// Native pieces are named where they lie. An array on the heap can't be: the collector may move it at any moment, and
/// a call that holds the collector off (`Linker.Option.critical`) would hold off every thread's for as long as the call
/// waits. So bytes on the heap go through a native buffer, each of them once, whatever is cut short: those that the
/// kernel has not taken stay staged for the next call. [#stagedBytes] counts them.
///
/// ```
///   pieces     native | heap | native | heap | native         one call of five vectors:
///   staging             ↓ heap heap …   ↓                     two of them point to the staging
/// ```
///
/// Owned by the transfer's thread; the memory is borrowed.
final class Gathering implements AutoCloseable {
    private static final long STAGING_BYTES = 256 << 10;

    private final Kernel kernel;
    private final MappingPool buffers;
    private final Pieces pieces;
    private final boolean filling;

    /// How many bytes on the heap come before each piece; null when there are none at all.
    private final long @Nullable [] heapBefore;

    /// Made when a call first takes more than one piece.
    private @Nullable IoVectors vectors;

    private @Nullable Mapping staging;

    // Which bytes the staging holds, counted among those on the heap.
    private long stagedFrom;
    private long stagedTo;

    private boolean stagedSelected;

    private long stagedBytes;
    private @Nullable MemorySegment only;

    /// @param filling whether the memory is read into
    Gathering(Kernel kernel, MappingPool buffers, Pieces pieces, boolean filling) {
        this.kernel = kernel;
        this.buffers = buffers;
        this.pieces = pieces;
        this.filling = filling;
        this.heapBefore = pieces.heapBytes() == 0 ? null : heapBefore(pieces);
    }

    private static long[] heapBefore(Pieces pieces) {
        long[] before = new long[pieces.count() + 1];
        for (int i = 0; i < pieces.count(); i++) {
            MemorySegment piece = pieces.piece(i);
            before[i + 1] = before[i] + (piece.isNative() ? 0 : piece.byteSize());
        }
        return before;
    }

    /// Selects the memory from a position on for one call.
    ///
    /// @param mostBytes of which fewer may be selected, at least 1
    /// @throws ErrnoException when there is no memory to stage bytes in
    void select(long position, long mostBytes) throws ErrnoException {
        stagedSelected = false;
        if (filling) {
            stagedTo = stagedFrom; // of use for one call only
        }
        int index = pieces.indexOf(position);
        MemorySegment first = part(index, position, mostBytes);
        if (first == null) {
            throw new IllegalStateException("the first bytes of a call always have room");
        }
        if (first.byteSize() == mostBytes) {
            only = first;
            return;
        }
        only = null;
        IoVectors selected = vectors();
        selected.clear();
        selected.add(first);
        gather(selected, index, position, first.byteSize(), mostBytes);
        if (selected.count() == 1) {
            only = first;
        }
    }

    /// Adds what follows the first part, until enough or as much as a call takes is selected.
    private void gather(IoVectors selected, int first, long position, long firstBytes, long mostBytes)
            throws ErrnoException {
        long at = position + firstBytes;
        long end = position + mostBytes;
        int index = first;
        while (at < end) {
            long pieceEnd = pieces.start(index) + pieces.piece(index).byteSize();
            if (at == pieceEnd) {
                index++; // an empty one ends where it begins
                continue;
            }
            MemorySegment part = part(index, at, end - at);
            if (part == null || !selected.add(part)) {
                return; // the rest goes with the next call
            }
            at += part.byteSize();
            if (at < Math.min(end, pieceEnd)) {
                return; // the staging is full
            }
        }
    }

    /// The bytes of a piece from a position on, where the kernel can be pointed to them.
    ///
    /// @return fewer than are wanted where the piece, or the room to stage them in, ends; null when there is none
    private @Nullable MemorySegment part(int index, long position, long mostBytes) throws ErrnoException {
        MemorySegment piece = pieces.piece(index);
        long from = position - pieces.start(index);
        long wanted = Math.min(piece.byteSize() - from, mostBytes);
        return piece.isNative() ? piece.asSlice(from, wanted) : staged(index, from, wanted);
    }

    /// What was selected, when it is one piece, so that the plain call serves; else null.
    @Nullable MemorySegment only() {
        return only;
    }

    IoVectors vectors() {
        IoVectors made = vectors;
        if (made == null) {
            made = new IoVectors(Arena.ofAuto(), Math.clamp(pieces.count(), 1, IoVectors.MAX));
            vectors = made;
        }
        return made;
    }

    /// The place in the staging for some bytes of a piece on the heap, with those bytes in it if they are to be
    /// written.
    ///
    /// @return fewer bytes than wanted when there is no more room, null when there is none
    private @Nullable MemorySegment staged(int index, long from, long wanted) throws ErrnoException {
        Mapping memory = staging;
        if (memory == null) {
            memory = buffers.take(kernel, Math.min(STAGING_BYTES, pieces.heapBytes()));
            staging = memory;
        }
        long first = heapBefore()[index] + from;
        if (!stagedSelected && (first < stagedFrom || first >= stagedTo)) {
            stagedFrom = first; // what was there has been taken
            stagedTo = first;
        }
        stagedSelected = true;
        long at = first - stagedFrom;
        long length = Math.min(wanted, memory.segment().byteSize() - at);
        if (length <= 0) {
            return null;
        }
        long missing = first + length - stagedTo;
        if (missing > 0) {
            if (!filling) {
                MemorySegment.copy(
                        pieces.piece(index), from + length - missing, memory.segment(), stagedTo - stagedFrom, missing);
                stagedBytes += missing;
            }
            stagedTo += missing;
        }
        return memory.segment().asSlice(at, length);
    }

    /// Says that a read has filled the first bytes of what was selected: those staged are copied to the heap.
    void filled(long position, long lengthBytes) {
        Mapping memory = staging;
        if (memory == null || !stagedSelected) {
            return;
        }
        for (long at = position; at < position + lengthBytes; ) {
            int index = pieces.indexOf(at);
            long from = at - pieces.start(index);
            MemorySegment piece = pieces.piece(index);
            long length = Math.min(piece.byteSize() - from, position + lengthBytes - at);
            if (!piece.isNative()) {
                long staged = heapBefore()[index] + from - stagedFrom;
                MemorySegment.copy(memory.segment(), staged, piece, from, length);
                stagedBytes += length;
            }
            at += length;
        }
    }

    private long[] heapBefore() {
        if (heapBefore == null) {
            throw new IllegalStateException("nothing lies on the heap");
        }
        return heapBefore;
    }

    /// Bytes that were copied between the heap and the staging.
    long stagedBytes() {
        return stagedBytes;
    }

    @Override
    public void close() {
        if (staging != null) {
            buffers.give(staging);
            staging = null;
        }
    }
}
