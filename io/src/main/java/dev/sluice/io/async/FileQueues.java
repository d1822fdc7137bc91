package dev.sluice.io.async;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import org.jspecify.annotations.Nullable;

/// Opens a [FileQueue]: on io_uring, or on threads where that is refused.
public final class FileQueues {
    private FileQueues() {}

    /// Opens a queue.
    ///
    /// io_uring is refused by kernels built without it (ENOSYS), by the sysctl kernel.io_uring_disabled and the
    /// seccomp filters of container runtimes (EPERM, or ENOSYS again), and is of no use here before Linux 5.11
    /// (EINVAL, EOPNOTSUPP).
    ///
    /// @param pool  the buffers that most operations will use, which the queue registers; null for none. Closed by
    ///     its owner, after the queue
    /// @param owner counts the queue's own calls; operations are counted where their files are
    /// @throws PinningException when registration is required and the kernel refuses it
    /// @throws ErrnoException   when the ring is required and the kernel refuses it, or descriptors or memory ran
    ///                          out
    public static FileQueue open(Kernel kernel, @Nullable BufferPool pool, QueueConfig config, Account owner)
            throws ErrnoException, PinningException {
        if (config.engine() == QueueConfig.Engine.THREADS) {
            return new ThreadFileQueue(kernel, config, owner, "as asked");
        }
        try {
            return RingFileQueue.open(kernel, pool, config, owner);
        } catch (ErrnoException e) {
            if (config.engine() == QueueConfig.Engine.RING || !isRefusal(e.errno())) {
                throw e;
            }
            return new ThreadFileQueue(kernel, config, owner, "because " + e.getMessage());
        }
    }

    private static boolean isRefusal(int errno) {
        return switch (errno) {
            case Errno.ENOSYS, Errno.EPERM, Errno.EACCES, Errno.EINVAL, Errno.EOPNOTSUPP -> true;
            default -> false;
        };
    }
}
