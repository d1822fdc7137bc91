package dev.sluice.io.shared;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.FileStatus;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Mappings;
import dev.sluice.io.linux.MemoryFiles;
import dev.sluice.io.memory.Mapping;
import java.lang.foreign.MemorySegment;

/// A file in memory that its maker alone writes and others only read, and its map.
///
/// The seals make it safe for both: no size changes (so no SIGBUS behind the end), and nothing but the maker's one map
/// writes or punches holes, whatever descriptors others have or open again. Since holes can't come back, memory that
/// was seen whole *after* it was seen sealed stays whole; the checks are in that order.
///
/// Whoever made or received it closes it, which unmaps it and closes the descriptor. Not thread-safe.
final class SealedMemory implements AutoCloseable {
    static final int SEALS = MemoryFiles.F_SEAL_SHRINK
            | MemoryFiles.F_SEAL_GROW
            | MemoryFiles.F_SEAL_FUTURE_WRITE
            | MemoryFiles.F_SEAL_SEAL;

    private static final int READ_ONLY_FOR_US = 0400;

    /// TMPFS_MAGIC of linux/magic.h: files in memory made of common pages. Those of huge pages (hugetlbfs) can fail
    /// at a page's first touch though they seem allocated.
    private static final long TMPFS = 0x0102_1994L;

    private final Descriptor file;
    private final Mapping mapping;

    private SealedMemory(Descriptor file, Mapping mapping) {
        this.file = file;
        this.mapping = mapping;
    }

    /// New memory, zeroed, allocated, writable by us.
    ///
    /// @throws ErrnoException when there is not so much memory (ENOSPC, ENOMEM), or the kernel has no such files
    static SealedMemory create(Kernel kernel, String name, long lengthBytes, Account owner) throws ErrnoException {
        Descriptor file = kernel.memoryFiles().create(name, owner).orThrow();
        Mapping mapping = null;
        try {
            Files files = kernel.files();
            ErrnoException.check(files.changeMode(file, READ_ONLY_FOR_US), Call.FCHMOD, name);
            ErrnoException.check(files.ftruncate(file, lengthBytes), Call.FTRUNCATE, name);
            ErrnoException.check(files.fallocate(file, 0, 0, lengthBytes), Call.FALLOCATE, name);
            mapping = Mapping.ofFile(kernel, file, 0, lengthBytes, true);
            mapping.advise(Mappings.MADV_POPULATE_WRITE);
            ErrnoException.check(kernel.memoryFiles().addSeals(file, SEALS), Call.FCNTL, name);
            return new SealedMemory(file, mapping);
        } catch (ErrnoException | RuntimeException e) {
            if (mapping != null) {
                mapping.close();
            }
            file.close();
            throw e;
        }
    }

    /// Memory that a peer has made, once it is known to be harmless.
    ///
    /// @param passed    taken over: closed when it is refused
    /// @param isPrivate whether to map it so that our stores go to copies of its pages
    /// @throws PeerViolationException when it is not sealed, not whole, or of another size
    static SealedMemory receive(Kernel kernel, Descriptor passed, long lengthBytes, boolean isPrivate)
            throws PeerViolationException, ErrnoException {
        try {
            check(kernel, passed, lengthBytes);
            Mapping mapping = isPrivate
                    ? Mapping.privateOfFile(kernel, passed, 0, lengthBytes)
                    : Mapping.ofFile(kernel, passed, 0, lengthBytes, false);
            // What was not allocated after all is by now, and nobody may punch holes: touching it can't fail any more.
            long populated = mapping.populate(0, lengthBytes);
            if (populated < 0 && populated != -Errno.EINVAL) { // not known before Linux 5.14
                mapping.close();
                throw new PeerViolationException(
                        "There is no memory for what the peer passed: " + Errno.describe((int) -populated));
            }
            return new SealedMemory(passed, mapping);
        } catch (PeerViolationException | ErrnoException | RuntimeException e) {
            passed.close();
            throw e;
        }
    }

    private static void check(Kernel kernel, Descriptor passed, long lengthBytes)
            throws PeerViolationException, ErrnoException {
        long seals = kernel.memoryFiles().seals(passed);
        if (seals < 0) {
            throw new PeerViolationException("The peer passed something else than a file in memory");
        }
        if ((seals & SEALS) != SEALS) {
            throw new PeerViolationException(String.format(
                    "The peer's memory has the seals 0x%x and needs 0x%x, or it could change under us", seals, SEALS));
        }
        FileStatus status = kernel.files().status(passed);
        if (status.sizeBytes() != lengthBytes) {
            throw new PeerViolationException("The peer's memory has " + status.sizeBytes() + " bytes instead of the "
                    + lengthBytes + " that its pool needs");
        }
        if (status.allocatedBytes() < lengthBytes
                || kernel.files().system(passed).type() != TMPFS) {
            throw new PeerViolationException("The peer's memory is not allocated: " + status.allocatedBytes() + " of "
                    + lengthBytes + " bytes; touching the rest could end this process");
        }
    }

    /// What is passed to the peer. Borrowed.
    Descriptor file() {
        return file;
    }

    /// The mapped memory, writable or not: of no arena, so don't touch it after the close.
    MemorySegment segment() {
        return mapping.segment();
    }

    @Override
    public void close() {
        mapping.close();
        file.close();
    }
}
