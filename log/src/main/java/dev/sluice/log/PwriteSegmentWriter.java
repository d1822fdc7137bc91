package dev.sluice.log;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import java.lang.foreign.MemorySegment;

/// The engine that writes with pwrite(2), from the hot receive buffer into the page cache: one copy by the processor.
///
/// Disk blocks are reserved ahead with FALLOC_FL_KEEP_SIZE, so that the file's size is always that of its data, a
/// full disk is an error number before anything was written, and large writes get large folios. A step is as long as
/// the file is already, within bounds: what holds little reserves little.
final class PwriteSegmentWriter implements SegmentWriter {
    private static final long SMALLEST_STEP_BYTES = 64 << 10;

    private final Kernel kernel;
    private final Descriptor file;
    private final long largestStepBytes;

    private long end;
    private long reservedEnd;
    /// Whether a failed write may have left bytes beyond the end.
    private boolean soiled;

    /// @param stepBytes the most to reserve at a time; 0 to reserve nothing
    PwriteSegmentWriter(Kernel kernel, Descriptor file, long endBytes, long stepBytes) {
        this.kernel = kernel;
        this.file = file;
        this.end = endBytes;
        this.reservedEnd = endBytes;
        this.largestStepBytes = stepBytes;
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
        long needed = end + lengthBytes;
        if (needed <= reservedEnd || largestStepBytes == 0) {
            return 0;
        }
        long step = Math.clamp(end, Math.min(SMALLEST_STEP_BYTES, largestStepBytes), largestStepBytes);
        long result = reserve(Math.max(needed, end + step));
        if (Errno.isOutOfSpace((int) -result) && needed < end + step) {
            result = reserve(needed); // the last bytes of a disk are used too
        }
        return result;
    }

    private long reserve(long target) {
        long result;
        do {
            result = kernel.files().fallocate(file, Files.FALLOC_FL_KEEP_SIZE, reservedEnd, target - reservedEnd);
        } while (result == -Errno.EINTR);
        if (result == 0) {
            reservedEnd = target;
        }
        // A file system that can't reserve answers a full disk at the write.
        return result == -Errno.EOPNOTSUPP || result == -Errno.ENOSYS ? 0 : result;
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
        return soiled || reservedEnd > end ? truncate() : 0;
    }

    private long truncate() {
        long result;
        do {
            result = kernel.files().ftruncate(file, end);
        } while (result == -Errno.EINTR);
        if (result == 0) {
            reservedEnd = end;
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
