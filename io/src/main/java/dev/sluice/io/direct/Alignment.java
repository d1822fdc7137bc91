package dev.sluice.io.direct;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.FileStatus;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Mappings;
import java.lang.foreign.MemorySegment;

/// What direct I/O on a file wants addresses, positions and lengths to be multiples of.
///
/// @param memoryBytes   addresses
/// @param positionBytes positions and lengths; a power of two
public record Alignment(int memoryBytes, int positionBytes) {
    /// Where the kernel does not say (before Linux 6.1, or a file system that does not answer): a page, which
    /// covers every disk with sectors of 512 or 4096 bytes.
    static final int WHERE_UNKNOWN_BYTES = 4096;

    /// Asks the kernel: statx(2) with STATX_DIOALIGN, or a block device's sector size.
    ///
    /// @throws ErrnoException EOPNOTSUPP when the file system says that this file has no direct I/O (encrypted,
    ///     verity, or journalled data)
    public static Alignment of(Kernel kernel, Descriptor file, FileStatus status) throws ErrnoException {
        if (status.directPositionAlign() > 0) {
            return new Alignment(status.directMemoryAlign(), status.directPositionAlign());
        }
        if (status.isDirectKnown()) {
            throw new ErrnoException(
                    Call.STATX, Errno.EOPNOTSUPP, file.name() + ", asked for the alignment of direct I/O on it");
        }
        long sector = status.isBlockDevice() ? kernel.blockDevices().sectorBytes(file) : -Errno.ENOTTY;
        int bytes = sector > 0 ? (int) sector : WHERE_UNKNOWN_BYTES;
        return new Alignment(bytes, bytes);
    }

    boolean fits(MemorySegment memory) {
        return memory.isNative() && Mappings.isAligned(memory, memoryBytes);
    }

    /// The largest aligned position that is not above this one.
    public long down(long position) {
        return position & -positionBytes;
    }

    /// The smallest aligned position that is not below this one.
    public long up(long position) {
        return position + positionBytes - 1 & -positionBytes;
    }

    /// Whether direct I/O may begin or end at this position of the file.
    public boolean isAligned(long position) {
        return (position & positionBytes - 1) == 0;
    }
}
