package dev.sluice.log;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;

/// Disk blocks reserved ahead of a file's end with FALLOC_FL_KEEP_SIZE, so that the file's size is always that of its
/// data, or of the zeros ahead of them, a full disk is an error number before anything was written, and large writes
/// get large extents. A step is as long as the file is already, within bounds: what holds little reserves little.
///
/// Owned by the thread that owns the file's end. Answers are 0 or −errno.
final class BlockReservation {
    private static final long SMALLEST_STEP_BYTES = 64 << 10;

    /// Reserved ends are multiples of it, while there is room and steps are not shorter.
    private static final long GRAIN_BYTES = PwriteSegmentWriter.LEAST_FILL_BYTES;

    private final Kernel kernel;
    private final Descriptor file;
    private final long largestStepBytes;
    /// Without it, or on a file system that can't, a full disk is answered by the write.
    private boolean reserves;

    private long reservedEnd;

    /// @param file             borrowed
    /// @param endBytes         where the file's data end
    /// @param largestStepBytes the most to reserve at a time; 0 to reserve nothing
    BlockReservation(Kernel kernel, Descriptor file, long endBytes, long largestStepBytes) {
        this.kernel = kernel;
        this.file = file;
        this.reservedEnd = endBytes;
        this.largestStepBytes = largestStepBytes;
        this.reserves = largestStepBytes > 0;
    }

    /// Makes sure that there are blocks for `lengthBytes` from `end` on.
    long room(long end, long lengthBytes) {
        long needed = end + lengthBytes;
        if (needed <= reservedEnd || !reserves) {
            return 0;
        }
        long step = Math.clamp(end, Math.min(SMALLEST_STEP_BYTES, largestStepBytes), largestStepBytes);
        long grain = Math.min(GRAIN_BYTES, largestStepBytes);
        long wanted = (Math.max(needed, end + step) + grain - 1) / grain * grain;
        long result = reserve(wanted);
        if (Errno.isOutOfSpace((int) -result) && needed < wanted) {
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
        } else if (result == -Errno.EOPNOTSUPP || result == -Errno.ENOSYS) {
            reserves = false;
            return 0;
        }
        return result;
    }

    boolean reachesBeyond(long end) {
        return reservedEnd > end;
    }

    /// Up to where writing takes no room that anybody else could want.
    long end() {
        return reserves ? reservedEnd : Long.MAX_VALUE;
    }

    /// Cuts the file to `end`, and gives back the blocks behind.
    long truncate(long end) {
        long result;
        do {
            result = kernel.files().ftruncate(file, end);
        } while (result == -Errno.EINTR);
        if (result == 0) {
            reservedEnd = end;
        }
        return result;
    }
}
