package dev.sluice.log;

import dev.sluice.io.direct.Alignment;
import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Opened;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// The lock on a data folder that a killed broker has for as long as the kernel still writes for it.
///
/// io_uring does not end with its process: what was submitted goes on, for as long as the disk takes. A write that
/// lands where the next broker has recovered the log's end, and appended since, would take acknowledged records away.
/// The direct engine's ring therefore keeps a descriptor with a lock (F_OFD_SETLK) on `.sluice-writes` among its
/// registered files; the kernel closes those when the ring's last operation is over. Whoever opens the folder, with
/// whichever engine, takes the lock first.
///
/// Not thread-safe.
final class OrphanWrites implements AutoCloseable {
    static final String FILE = ".sluice-writes";

    private static final long WAIT_NS = TimeUnit.SECONDS.toNanos(60);
    private static final long LOOK_NS = TimeUnit.MILLISECONDS.toNanos(5);

    private final Descriptor file;

    private OrphanWrites(Descriptor file) {
        this.file = file;
    }

    /// Waits until no killed broker's writes are under way in a folder, for an engine that leaves none itself.
    ///
    /// @throws LogDirectoryException.Held when there are some after a minute
    static void awaitOver(Kernel kernel, Path folder) throws LogDirectoryException, ErrnoException {
        Opened opened = kernel.files().open(folder.resolve(FILE), Files.O_RDWR, 0, kernel.account());
        if (opened.errno() == Errno.ENOENT) {
            return; // nobody has ever written here by direct I/O
        }
        try (Descriptor file = opened.orThrow()) {
            take(kernel, file, folder);
        }
    }

    /// The same for an engine that may: it keeps the lock. Finds out whether the folder's file system knows direct
    /// I/O.
    ///
    /// @throws LogDirectoryException when it does not
    static OrphanWrites keepLocked(Kernel kernel, Path folder, Account account)
            throws LogDirectoryException, ErrnoException {
        Opened opened = kernel.files()
                .open(
                        folder.resolve(FILE),
                        Files.O_RDWR | Files.O_CREAT | Files.O_DIRECT,
                        SmallFiles.FILE_MODE,
                        account);
        if (opened.errno() == Errno.EINVAL) {
            throw noDirectIo(folder, "its file system refuses O_DIRECT");
        }
        Descriptor file = opened.orThrow();
        try {
            requireAlignment(kernel, file, folder);
            take(kernel, file, folder);
            return new OrphanWrites(file);
        } catch (ErrnoException | LogDirectoryException e) {
            file.close();
            throw e;
        }
    }

    private static void requireAlignment(Kernel kernel, Descriptor file, Path folder)
            throws ErrnoException, LogDirectoryException {
        try {
            Alignment alignment = Alignment.of(kernel, file, kernel.files().status(file));
            int bytes = Math.max(alignment.memoryBytes(), alignment.positionBytes());
            if (Staging.BLOCK_BYTES % bytes != 0) {
                throw noDirectIo(folder, "its disk wants multiples of " + bytes + " bytes");
            }
        } catch (ErrnoException e) {
            if (e.call() == Call.STATX && e.errno() == Errno.EOPNOTSUPP) {
                throw noDirectIo(folder, "its file system offers none for the files there");
            }
            throw e;
        }
    }

    private static LogDirectoryException noDirectIo(Path folder, String why) {
        return new LogDirectoryException.Inaccessible("Data folder " + folder + " can't be written by direct I/O: "
                + why + "; set sluice.log.engine=pwrite, or choose another folder with log.dirs");
    }

    private static void take(Kernel kernel, Descriptor file, Path folder) throws LogDirectoryException, ErrnoException {
        long beganNs = System.nanoTime();
        long result = kernel.files().tryLock(file);
        while (result == -Errno.EAGAIN || result == -Errno.EACCES) {
            if (System.nanoTime() - beganNs > WAIT_NS) {
                throw new LogDirectoryException.Held("Data folder " + folder + " is still being written to for a broker"
                        + " that was killed: its disk does not answer; see to the disk, and start again");
            }
            LockSupport.parkNanos(LOOK_NS);
            result = kernel.files().tryLock(file);
        }
        ErrnoException.check(result, Call.FCNTL, file.name());
    }

    /// The descriptor that has the lock, for a ring to keep; borrowed.
    Descriptor file() {
        return file;
    }

    /// Gives the lock up, unless a ring has the descriptor too.
    @Override
    public void close() {
        file.close();
    }
}
