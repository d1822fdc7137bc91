package dev.sluice.log;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.Kernel;
import java.lang.foreign.MemorySegment;

/// The engine that writes with pwrite(2), from the hot receive buffer into the page cache: one copy by the processor.
/// There is never a zero tail within the file's size; [MappedSegmentWriter], which does all but small writes by this
/// one, has one.
sealed class PwriteSegmentWriter implements SegmentWriter permits MappedSegmentWriter {
    final Kernel kernel;
    final Descriptor file;
    private final BlockReservation reservation;

    long end;
    /// Whether there may be bytes beyond the end: those of a write that failed, for one.
    boolean soiled;

    /// @param stepBytes the most to reserve at a time; 0 to reserve nothing
    PwriteSegmentWriter(Kernel kernel, Descriptor file, long endBytes, long stepBytes, Progress progress) {
        this.kernel = kernel;
        this.file = file;
        this.end = endBytes;
        this.reservation = new BlockReservation(kernel, file, endBytes, stepBytes);
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
    public long write(MemorySegment batches) {
        long position = end;
        long result = kernel.files().pwriteFully(file, batches, position);
        if (result < 0) {
            soiled = true;
            return result;
        }
        end = position + result;
        return position;
    }

    @Override
    public long end() {
        return end;
    }

    @Override
    public long trim() {
        return soiled || reservation.reachesBeyond(end) ? truncate() : 0;
    }

    /// Cuts the file to its end, and gives back the blocks behind.
    long truncate() {
        long result = reservation.truncate(end);
        soiled &= result < 0;
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
