package dev.sluice.io.view;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Mappings;
import dev.sluice.io.memory.Mapping;
import dev.sluice.io.transfer.Endpoint;
import dev.sluice.io.view.FileLease.Kind;
import dev.sluice.io.view.FileLease.State;
import dev.sluice.io.view.MappedFileException.Cause;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Objects;
import java.util.SortedMap;
import java.util.zip.Checksum;
import org.jspecify.annotations.Nullable;

/// A mapped file whose truncation costs an exception that names it, not the process, and never goes unnoticed.
///
/// Touching a page that the file no longer has raises SIGBUS. What becomes of that depends on who touches it:
///
/// - **Java code** (get, set, copy, fill, get and put of the segment's buffers): by itself an InternalError, perhaps in
///   somebody else, later; through [#access] a [MappedFileException], now.
/// - **A system call** (write, send, pwrite, read, recv): EFAULT or a short count; [#writeTo] makes the same exception
///   of it.
/// - **A native method** (CRC32C, CRC32, Adler32, Deflater, Inflater, any FFM downcall), compareAndSet and its kin, and
///   once they are compiled mismatch and the comparison of buffers: the process dies. Don't give them mapped memory;
///   [#read] and [#update] fetch the bytes by pread.
///
/// And the bytes of the last page behind the new end read as zeros, which raises nothing at all. So after each access
/// the file's length is looked at (one statx, about half a microsecond: access ranges, not bytes), and if it is below
/// the range's end, what was read counts as not read.
///
/// The range is that of the file when it was opened; later growth is not seen. Thread-safe: accesses of several threads
/// run side by side, and the map lives until the last of them has ended. What one thread stores is another's to see by
/// the rules of memory segments.
public final class MappedFile implements AutoCloseable {
    /// What stores into the map do.
    public enum Mode {
        /// They are refused.
        READ,
        /// They reach the file. A store into a hole may fail for want of room: fallocate first.
        SHARED,
        /// They go to copies of the pages that this map alone has, and are gone with it ([#copiedBytes]).
        PRIVATE
    }

    /// Code that works on mapped bytes. Nothing of what it computed is used when the bytes turn out not to be the
    /// file's, so it should compute and not act.
    @FunctionalInterface
    public interface Access<T extends @Nullable Object, X extends Exception> {
        /// @param bytes the range; it can't be touched by other threads, nor once this has returned
        T on(MemorySegment bytes) throws X;
    }

    private static final long BUFFER_BYTES = 64 << 10;

    private final Kernel kernel;
    private final Path path;
    private final Mode mode;
    private final Descriptor file;
    private final Mapping mapping;
    private final long lengthBytes;
    private final @Nullable FileLease lease;

    /// Set by the thread that hears of the lease's break, read by all that begin an access.
    private volatile boolean breaking;

    private MappedFile(
            Kernel kernel,
            Path path,
            Mode mode,
            Descriptor file,
            Mapping mapping,
            long lengthBytes,
            @Nullable FileLease lease) {
        this.kernel = kernel;
        this.path = path;
        this.mode = mode;
        this.file = file;
        this.mapping = mapping;
        this.lengthBytes = lengthBytes;
        this.lease = lease;
    }

    /// Maps a whole file. It must not be empty: mmap(2) refuses that with EINVAL.
    ///
    /// @throws ErrnoException when it can't be opened or mapped
    public static MappedFile open(Kernel kernel, Path path, Mode mode, Account owner) throws ErrnoException {
        int flags = mode == Mode.SHARED ? Files.O_RDWR : Files.O_RDONLY;
        Descriptor file = kernel.files().open(path, flags, 0, owner).orThrow();
        try {
            return map(kernel, path, mode, file, null);
        } catch (ErrnoException | RuntimeException | Error e) {
            file.close();
            throw e;
        }
    }

    /// Maps a whole file under a read lease, taken before it is mapped. When somebody comes to truncate or write
    /// it, he waits while accesses under way end; new ones fail with [Cause#LEASE_BROKEN]; then the map and the
    /// lease go. All limits of [FileLease] hold: it is a delay, and an access that outlasts it ends as one without
    /// it would.
    ///
    /// @param mode READ or PRIVATE; a map that stores into the file is open for writing itself
    /// @throws ErrnoException as [#open], and when the lease is refused: see [FileLease#take]
    public static MappedFile openGuarded(Kernel kernel, Path path, Mode mode, Account owner) throws ErrnoException {
        if (mode == Mode.SHARED) {
            throw new IllegalArgumentException("A file that is open for writing can't have a read lease");
        }
        Descriptor file = kernel.files().open(path, Files.O_RDONLY, 0, owner).orThrow();
        Guard guard = new Guard();
        FileLease lease = null;
        try {
            lease = FileLease.take(kernel, file, Kind.READ, guard::broken);
            MappedFile mapped = map(kernel, path, mode, file, lease);
            guard.watch(mapped);
            return mapped;
        } catch (ErrnoException | RuntimeException | Error e) {
            if (lease != null) {
                lease.release(); // before the close: it would be asked about a descriptor that isn't its own any more
            }
            file.close();
            throw e;
        }
    }

    private static MappedFile map(Kernel kernel, Path path, Mode mode, Descriptor file, @Nullable FileLease lease)
            throws ErrnoException {
        long length = kernel.files().status(file).sizeBytes();
        Mapping mapping = mode == Mode.PRIVATE
                ? Mapping.privateOfFile(kernel, file, 0, length)
                : Mapping.ofFile(kernel, file, 0, length, mode == Mode.SHARED);
        return new MappedFile(kernel, path, mode, file, mapping, length, lease);
    }

    /// Takes the news of a break to a map that may not be there yet.
    private static final class Guard {
        private @Nullable MappedFile mapped;
        private boolean isBroken;

        synchronized void broken() {
            isBroken = true;
            if (mapped != null) {
                mapped.giveWay();
            }
        }

        synchronized void watch(MappedFile newMapped) {
            mapped = newMapped;
            if (isBroken) {
                newMapped.giveWay();
            }
        }
    }

    private void giveWay() {
        breaking = true;
        close();
    }

    /// Length of the map, that of the file when it was opened.
    public long lengthBytes() {
        return lengthBytes;
    }

    /// The path that it was opened by.
    public Path path() {
        return path;
    }

    /// Runs code on a range of the mapped bytes.
    ///
    /// @return what `access` returned
    /// @throws MappedFileException when bytes of the range weren't there, or weren't the file's; what `access`
    ///                             threw is suppressed in it then, for it may have seen anything
    /// @throws X                   what `access` threw, when the bytes were the file's
    public <T extends @Nullable Object, X extends Exception> T access(
            long position, long rangeBytes, Access<T, X> access) throws ErrnoException, MappedFileException, X {
        enter(position, rangeBytes);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment range = Mappings.lend(mapping.segment(), position, rangeBytes, arena);
            T result;
            try {
                result = access.on(range);
                FaultDelivery.now();
            } catch (InternalError e) {
                if (FaultDelivery.isFault(e)) {
                    verify(position, rangeBytes, true, null);
                }
                throw e;
            } catch (Throwable t) {
                // After a fault a load's result is whatever the register held, and code that computes with it throws
                // anything; the fault is owed still.
                verify(position, rangeBytes, FaultDelivery.isOwed(), t);
                throw t;
            }
            verify(position, rangeBytes, false, null);
            return result;
        } finally {
            leave();
        }
    }

    private void enter(long position, long rangeBytes) throws MappedFileException {
        Objects.checkFromIndexSize(position, rangeBytes, lengthBytes);
        if (breaking) {
            throw new MappedFileException(
                    Cause.LEASE_BROKEN,
                    path,
                    position,
                    path + ": somebody is about to truncate or write it, so its lease was given up; open it again");
        }
        if (!mapping.retain()) {
            throw new IllegalStateException(path + " was unmapped");
        }
    }

    private void leave() {
        if (mapping.release()) {
            unmapped();
        }
    }

    private void unmapped() {
        if (lease != null) {
            lease.release();
        }
        file.close();
    }

    /// Throws if the range isn't, or wasn't, the file's.
    private void verify(long position, long rangeBytes, boolean faulted, @Nullable Throwable thrown)
            throws ErrnoException, MappedFileException {
        long size = kernel.files().status(file).sizeBytes();
        MappedFileException why = null;
        if (size < position + rangeBytes) {
            why = truncated(position, rangeBytes, size);
        } else if (faulted) {
            why = new MappedFileException(
                    Cause.UNBACKED,
                    path,
                    position,
                    path + ": the kernel couldn't supply bytes " + position + " to " + (position + rangeBytes)
                            + " of the map although the file has them: its device failed"
                            + (mode == Mode.SHARED ? ", or there was no room for a store into a hole" : ""));
        }
        if (why != null) {
            if (thrown != null) {
                why.addSuppressed(thrown);
            }
            throw why;
        }
    }

    private MappedFileException truncated(long position, long rangeBytes, long size) {
        return new MappedFileException(
                Cause.TRUNCATED,
                path,
                position,
                path + " was truncated to " + size + " bytes while bytes " + position + " to " + (position + rangeBytes)
                        + " of its map were in use; open it again");
    }

    /// Copies bytes of the file into `target` by pread(2), the way for checksums, compression and all other native
    /// methods. Private copies are not the file's, so a PRIVATE map has no such way.
    ///
    /// @param target native memory, filled to its end
    public void read(long position, MemorySegment target) throws ErrnoException, MappedFileException {
        if (mode == Mode.PRIVATE) {
            throw new UnsupportedOperationException("What was stored into a private map is not in the file");
        }
        enter(position, target.byteSize());
        try {
            long n = kernel.files().preadFully(file, target, position);
            ErrnoException.check(n, Call.PREAD, path.toString());
            if (n < target.byteSize()) {
                throw truncated(position, target.byteSize(), position + n);
            }
        } finally {
            leave();
        }
    }

    /// Updates a checksum with a range of the file, through a buffer of 64 KiB.
    public void update(Checksum checksum, long position, long rangeBytes) throws ErrnoException, MappedFileException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(Math.min(rangeBytes, BUFFER_BYTES));
            for (long done = 0; done < rangeBytes; done += buffer.byteSize()) {
                MemorySegment piece = buffer.asSlice(0, Math.min(buffer.byteSize(), rangeBytes - done));
                read(position + done, piece);
                checksum.update(piece.asByteBuffer());
            }
        }
    }

    /// Writes a range of the map to a socket, a pipe or a file by system calls over the map: no copy in user space.
    ///
    /// @param sink blocking, or else bytes are written until it is full
    /// @return bytes written: fewer than asked when a non-blocking sink is full
    /// @throws MappedFileException when the file was truncated: some of the range may be written then, and of that
    ///                             what lay behind the new end is zeros
    public long writeTo(Endpoint sink, long position, long rangeBytes) throws ErrnoException, MappedFileException {
        enter(position, rangeBytes);
        try {
            long done = 0;
            while (done < rangeBytes) {
                MemorySegment rest = mapping.segment().asSlice(position + done, rangeBytes - done);
                long n = write(sink, rest, done);
                if (n == -Errno.EFAULT) {
                    verify(position, rangeBytes, true, null);
                } else if (n == -Errno.EAGAIN) {
                    break;
                } else if (n != -Errno.EINTR) {
                    done += ErrnoException.check(n, Call.WRITE, sink.name());
                }
            }
            verify(position, done, false, null);
            return done;
        } finally {
            leave();
        }
    }

    private long write(Endpoint sink, MemorySegment bytes, long done) {
        return switch (sink) {
            case Endpoint.Socket(Descriptor socket) -> kernel.sockets().send(socket, bytes, 0);
            case Endpoint.Pipe(Descriptor pipe) -> kernel.files().write(pipe, bytes);
            case Endpoint.File(Descriptor to, long at) -> kernel.files().pwrite(to, bytes, at + done);
            case Endpoint.Memory _ -> throw new IllegalArgumentException("Into memory: use access or read");
        };
    }

    /// Has the pages of a range brought in (MADV_POPULATE_READ): a page fault taken there holds nobody up, one
    /// taken in Java code holds up safepoints, and with them every thread. Where the kernel can't (before 5.14) it
    /// does nothing.
    public void load(long position, long rangeBytes) throws ErrnoException, MappedFileException {
        enter(position, rangeBytes);
        try {
            long start = position & -Mappings.PAGE_BYTES;
            MemorySegment pages = mapping.segment().asSlice(start, position + rangeBytes - start);
            if (kernel.mappings().advise(pages, Mappings.MADV_POPULATE_READ) == -Errno.EFAULT) {
                verify(position, rangeBytes, true, null);
            }
        } finally {
            leave();
        }
    }

    /// Counts the folios that the mapped pages lie in; only pages that are in the map already, so [#load] first.
    ///
    /// @param into gets how many there are of each length in bytes
    /// @return pages seen, or −errno where the kernel doesn't show them: it does to root alone
    public long folios(SortedMap<Long, Long> into) {
        if (!mapping.retain()) {
            return 0;
        }
        try {
            return kernel.folios().count(mapping.segment(), into);
        } finally {
            leave();
        }
    }

    /// Bytes that were copied because they were stored into: pages of a PRIVATE map that are its own by now × the
    /// page size. Truncating the file takes those behind its new end away, stores and all.
    public long copiedBytes() throws ErrnoException {
        if (mode != Mode.PRIVATE || !mapping.retain()) {
            return 0;
        }
        try (Arena arena = Arena.ofConfined()) {
            long pages = kernel.mappings().privatePages(mapping.segment(), arena.allocate(BUFFER_BYTES, Long.BYTES));
            return ErrnoException.check(pages, Call.PREAD, "/proc/self/pagemap") * Mappings.PAGE_BYTES;
        } finally {
            leave();
        }
    }

    /// The lease's state, or null when the file was opened without a guard.
    public @Nullable State leaseState() {
        return lease == null ? null : lease.state();
    }

    /// Ends the map once the accesses under way have ended. Closing twice changes nothing.
    @Override
    public void close() {
        if (mapping.abandon()) {
            unmapped();
        }
    }
}
