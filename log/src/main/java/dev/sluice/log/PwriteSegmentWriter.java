package dev.sluice.log;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.IoVectors;
import dev.sluice.io.linux.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// The engine that writes with pwrite(2), from the hot receive buffer into the page cache: one copy by the processor.
///
/// ```
///   batches                          end         filled          reserved (fallocate, beyond the file's size)
///  ├────────────────────────────────┼───────────┼───────────────┼
///   published, never touched again    zeros, in the page cache and dirty
/// ```
///
/// **Zeros ahead.** The write that comes to the end of the zeros goes on with new ones up to the next multiple of 256
/// KiB, in one pwritev(2). What is dear about a write into the page cache is each folio that it has to make, and how
/// large the kernel makes them depends on the write's length and on where it begins: batches at any position leave
/// folios of 13 KiB, zeros to a round position those of 256 KiB, and writing batches over them costs the copy and
/// little else. All of it, the zeros too, takes half of what writing without them does at batches of 16 or 64 KiB, and
/// a tenth less at 1 MB. Where there is a reservation they go no further, so that they take no room that anybody else
/// could want. What holds little is not filled: see [#fillEnd].
///
/// **What a death leaves.** Zeros to the file's end, and before them the first pages of a batch that was being written:
/// the kernel ends a write early between folios, for a process that is killed. See [SegmentScanner].
sealed class PwriteSegmentWriter implements SegmentWriter permits MappedSegmentWriter {
    /// The file's length is a multiple of it while it ends in zeros. Also the least to fill up to.
    static final int LEAST_FILL_BYTES = 64 << 10;

    /// Larger folios make reading through a map cheaper, and writing dearer: zeros that were written shall still
    /// be in the processor's nearest cache but one when the batch comes.
    static final int LARGEST_FILL_BYTES = 256 << 10;

    /// From here on by the largest: one in four bytes at most is a zero.
    private static final long LARGELY_FROM_BYTES = 4L * LARGEST_FILL_BYTES;

    final Kernel kernel;
    final Descriptor file;
    private final BlockReservation reservation;
    private final MemorySegment zeros;
    private final long fillsFrom;
    /// A batch and zeros; made when the file is first filled.
    private @Nullable IoVectors vectors;

    long end;
    /// The file's size, where there is more than its batches.
    long filledEnd;
    /// Whether there may be bytes beyond the end that are not zero: those of a write that failed, for one.
    private boolean soiled;

    /// @param stepBytes the most to reserve at a time; 0 to reserve nothing
    /// @param zeros     [#LARGEST_FILL_BYTES] of them, borrowed for the writer's life; none to fill nothing
    /// @param fillsFrom the position from which on the file is filled
    PwriteSegmentWriter(
            Kernel kernel, Descriptor file, long endBytes, long stepBytes, MemorySegment zeros, long fillsFrom) {
        this.kernel = kernel;
        this.file = file;
        this.end = endBytes;
        this.filledEnd = endBytes;
        this.reservation = new BlockReservation(kernel, file, endBytes, stepBytes);
        this.zeros = zeros;
        this.fillsFrom = fillsFrom;
    }

    @Override
    public long room(long lengthBytes) {
        if (soiled) {
            // Before anything is written there: what a crash would leave behind a shorter batch must not
            // look like another.
            long result = truncate();
            if (result < 0) {
                return result;
            }
        }
        return reservation.room(end, lengthBytes);
    }

    @Override
    public long write(MemorySegment memory, long from, long lengthBytes) {
        long position = end;
        long to = position + lengthBytes;
        long target = to <= filledEnd ? to : fillEnd(to);
        long result = target > to
                ? writeAndFill(memory, from, lengthBytes, position, target)
                : kernel.files().pwriteFully(file, memory, from, lengthBytes, position);
        if (result < 0) {
            soiled = true;
            return result;
        }
        end = to;
        filledEnd = Math.max(filledEnd, to);
        return position;
    }

    /// Where the zeros shall end behind a write up to `to`, which is beyond those that are there.
    private long fillEnd(long to) {
        if (zeros.byteSize() == 0 || to < fillsFrom) {
            return to;
        }
        long grain = to < LARGELY_FROM_BYTES ? LEAST_FILL_BYTES : LARGEST_FILL_BYTES;
        long target = (to + grain - 1) / grain * grain;
        return Math.min(target, reservation.end() / LEAST_FILL_BYTES * LEAST_FILL_BYTES);
    }

    private long writeAndFill(MemorySegment memory, long from, long length, long position, long target) {
        IoVectors both = vectors;
        if (both == null) {
            both = new IoVectors(Arena.ofAuto(), 2);
            vectors = both;
        }
        both.clear();
        both.add(memory, from, length);
        both.add(zeros, 0, target - position - length);
        long written = kernel.files().pwritev(file, both, position);
        if (written == -Errno.EINTR) {
            written = 0;
        }
        if (written < 0) {
            return written;
        }
        if (written < length) { // the rest tells why
            long rest = kernel.files().pwriteFully(file, memory, from + written, length - written, position + written);
            return rest < 0 ? rest : length;
        }
        filledEnd = position + written;
        kernel.files().countZerosAhead(file, written - length);
        soiled |= filledEnd < target; // a part of the zeros: where they end has to be a multiple
        return length;
    }

    @Override
    public long end() {
        return end;
    }

    @Override
    public long trim() {
        return soiled || filledEnd > end || reservation.reachesBeyond(end) ? truncate() : 0;
    }

    /// Cuts the file to its end, and gives back the blocks behind.
    private long truncate() {
        long result = reservation.truncate(end);
        if (result == 0) {
            filledEnd = end;
            soiled = false;
        }
        return result;
    }

    @Override
    public long flush() {
        long result;
        do {
            result = kernel.files().fdatasync(file);
        } while (result == -Errno.EINTR); // nothing was lost: the wait was interrupted
        return result;
    }

    @Override
    public void close() {
        // Nothing of its own to free.
    }
}
