package dev.sluice.log;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Opened;
import java.nio.file.Path;

/// Disk space that is kept free for what must be written on a full disk too: checkpoints, offsets that groups commit,
/// topics that are deleted to make room.
///
/// ```
///            a vital write finds the disk full: the file is cut to nothing, and the write goes through
///   WHOLE ──────────────────────────────────────────────────────────────────────────────────────────────▶ SPENT
///     ▲                                                                                                     │
///     └──────────────── there is room for the file again ◀── clients' appends are refused ──────────────────┘
/// ```
///
/// It is a file whose blocks are reserved, beside the partitions. While it is spent, what others append must not take
/// the room that it gave: that is what the refusal is for. Thread-safe.
final class SpaceReserve {
    static final String FILE = ".sluice-reserve";

    /// It takes at most this part of a file system.
    private static final int LARGEST_PART = 64;

    private static final long BLOCK_BYTES = 4096;
    private static final long PROBE_BYTES = 1 << 20;

    /// A write that may find the disk full.
    @FunctionalInterface
    interface Work<T> {
        T run() throws ErrnoException;
    }

    /// A write that answers nothing.
    @FunctionalInterface
    interface Step {
        void run() throws ErrnoException;
    }

    private final Kernel kernel;
    private final Path path;
    private final long bytes;
    private volatile boolean spent;
    /// Set by appenders, cleared by [#isDiskFull].
    private volatile boolean refused;

    private SpaceReserve(Kernel kernel, Path path, long bytes) {
        this.kernel = kernel;
        this.path = path;
        this.bytes = bytes;
    }

    /// Reserves the space in a folder, or finds it reserved. On a disk that is full already it begins spent.
    ///
    /// @param wantedBytes how much; 0 for none
    /// @throws ErrnoException when it can't be had for another reason
    static SpaceReserve in(Kernel kernel, Path folder, long wantedBytes) throws ErrnoException {
        SpaceReserve reserve =
                new SpaceReserve(kernel, folder.resolve(FILE), Math.min(wantedBytes, part(kernel, folder)));
        if (reserve.bytes > 0) {
            long result = reserve.take();
            reserve.spent = result < 0;
            if (!Errno.isOutOfSpace((int) -result)) {
                ErrnoException.check(result, Call.FALLOCATE, reserve.path.toString());
            }
        }
        return reserve;
    }

    private static long part(Kernel kernel, Path folder) throws ErrnoException {
        try (Descriptor descriptor = kernel.files()
                .open(folder, Files.O_RDONLY | Files.O_DIRECTORY, 0, kernel.account())
                .orThrow()) {
            return kernel.files().system(descriptor).totalBytes() / LARGEST_PART / BLOCK_BYTES * BLOCK_BYTES;
        }
    }

    /// Whether only vital writes may take room now.
    boolean isSpent() {
        return spent;
    }

    /// An append was refused, or failed, for want of space.
    void refused() {
        if (!refused) { // not written for each: many threads ask
            refused = true;
        }
    }

    /// Takes the reserve back if it can be had, and finds out whether clients' appends have room. Costs nothing
    /// while none was refused.
    boolean isDiskFull() {
        if (!refill()) {
            return true;
        }
        if (refused) {
            refused = false;
            refused = bytes > 0 && !hasRoomBeside();
            return refused || bytes == 0;
        }
        return false;
    }

    /// Whether there is room for a little more than the reserve.
    private synchronized boolean hasRoomBeside() {
        Opened opened = kernel.files().open(path, Files.O_RDWR, 0, kernel.account());
        if (!(opened instanceof Opened.Ok ok)) {
            return false;
        }
        try (Descriptor file = ok.descriptor()) {
            long result =
                    kernel.files().fallocate(file, Files.FALLOC_FL_KEEP_SIZE, bytes, Math.min(bytes, PROBE_BYTES));
            if (isUnsupported(result)) {
                return true; // nobody can tell, and the next append finds out
            }
            kernel.files().ftruncate(file, bytes);
            return result == 0;
        }
    }

    /// Runs a vital write, and once more with the reserve's room when the disk was full. The write must leave
    /// nothing behind that keeps it from being run again.
    <T> T spendFor(Work<T> work) throws ErrnoException {
        try {
            return work.run();
        } catch (ErrnoException e) {
            if (!Errno.isOutOfSpace(e.errno()) || bytes == 0) {
                throw e;
            }
            spend(); // or another vital write has given it meanwhile: then there is room for this one too
            return work.run();
        }
    }

    void spendFor(Step step) throws ErrnoException {
        spendFor(() -> {
            step.run();
            return true;
        });
    }

    /// Gives the room to whoever writes next.
    ///
    /// @return whether there was any to give
    synchronized boolean spend() {
        if (spent || bytes == 0) {
            return false;
        }
        spent = true; // before the room is there: nobody else is to take it
        Opened opened = kernel.files().open(path, Files.O_RDWR, 0, kernel.account());
        if (!(opened instanceof Opened.Ok ok)) {
            return false;
        }
        try (Descriptor file = ok.descriptor()) {
            return kernel.files().ftruncate(file, 0) == 0;
        }
    }

    /// Takes the room back if the disk has it.
    ///
    /// @return whether the reserve is whole
    synchronized boolean refill() {
        if (spent) {
            spent = take() < 0;
        }
        return !spent;
    }

    /// @return 0 when the room is reserved, or can't be on such a file system; or −errno
    private long take() {
        Opened opened = kernel.files().open(path, Files.O_RDWR | Files.O_CREAT, SmallFiles.FILE_MODE, kernel.account());
        if (!(opened instanceof Opened.Ok ok)) {
            return -opened.errno();
        }
        try (Descriptor file = ok.descriptor()) {
            long result;
            do {
                result = kernel.files().fallocate(file, 0, 0, bytes);
            } while (result == -Errno.EINTR);
            if (isUnsupported(result)) {
                return 0; // vital writes fail on it like any other
            }
            if (result < 0) {
                kernel.files().ftruncate(file, 0); // what it could get of it
            }
            return result;
        }
    }

    private static boolean isUnsupported(long result) {
        return result == -Errno.EOPNOTSUPP || result == -Errno.ENOSYS;
    }

    /// What a client is told whose append is refused.
    String refusal() {
        return "The disk of " + path.getParent()
                + " is full, and what is left of its reserve is kept for checkpoints and"
                + " committed offsets: make room, and appends go through again by themselves. Nothing was stored"
                + " (" + Call.FALLOCATE.kernelName() + ": " + Errno.describe(Errno.ENOSPC) + ")";
    }
}
