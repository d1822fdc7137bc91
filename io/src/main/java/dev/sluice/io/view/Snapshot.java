package dev.sluice.io.view;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.nio.file.Path;

/// A file as it is now, under another name, for the price of its metadata: both share their extents until one of them
/// is written to (FICLONE). No byte is copied, and none is needed on the disk.
///
/// The clone is made in one call, between two writes of anybody else, never in the middle of one. Durable only after an
/// fsync of the clone and its folder. File systems: btrfs, xfs (made with reflink=1, the default), bcachefs and some
/// others; not ext4 or tmpfs.
public final class Snapshot {
    private Snapshot() {}

    /// Makes `target` a clone of `source`. There is no fallback: whoever would rather have a copy than nothing uses
    /// a transfer.
    ///
    /// @param target must not exist, on the file system of `source`
    /// @return the length of both
    /// @throws ErrnoException when one can't be opened or made
    /// @throws IOException    when extents can't be shared here; nothing is left of `target` then
    public static long take(Kernel kernel, Path source, Path target, Account owner) throws IOException {
        try (Descriptor from =
                        kernel.files().open(source, Files.O_RDONLY, 0, owner).orThrow();
                Descriptor to = kernel.files()
                        .open(target, Files.O_WRONLY | Files.O_CREAT | Files.O_EXCL, 0x1A4, owner)
                        .orThrow()) {
            long result = kernel.fileCopies().cloneWhole(from, to);
            if (result < 0) {
                kernel.files().unlink(target);
                throw refused((int) -result, source, target);
            }
            return kernel.files().status(to).sizeBytes();
        }
    }

    private static IOException refused(int errno, Path source, Path target) {
        return switch (errno) {
            case Errno.EOPNOTSUPP, Errno.ENOTTY, Errno.ENOSYS ->
                new IOException("no snapshot of " + source + ": its file system shares no extents; copy it, or keep it"
                        + " on xfs or btrfs");
            case Errno.EXDEV ->
                new IOException("no snapshot of " + source + ": " + target
                        + " is on another file system; name a target beside it");
            default -> new ErrnoException(Call.IOCTL, errno, "FICLONE " + source + " to " + target);
        };
    }
}
