package dev.sluice.io.async;

import dev.sluice.io.linux.Errno;
import java.io.IOException;
import java.io.Serial;

/// A buffer pool could not be registered with the kernel.
public final class PinningException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final int errno;
    private final long neededBytes;
    private final long limitBytes;

    PinningException(int errno, long neededBytes, long limitBytes) {
        super(explain(errno, neededBytes, limitBytes));
        this.errno = errno;
        this.neededBytes = neededBytes;
        this.limitBytes = limitBytes;
    }

    /// What went wrong and what to do about it.
    ///
    /// The kernel answers ENOMEM for both: no memory, and more pinned by this *user* (all processes together) than
    /// RLIMIT_MEMLOCK allows. Who has CAP_IPC_LOCK is not limited; whether we have is not asked, so the limit is
    /// named whenever it could be the reason.
    private static String explain(int errno, long neededBytes, long limitBytes) {
        String head = "Pinning a buffer pool of " + neededBytes + " bytes: " + Errno.describe(errno);
        if (errno != Errno.ENOMEM || limitBytes == Long.MAX_VALUE) {
            return head;
        }
        long neededKib = (neededBytes + 1023) / 1024;
        return head + ". This process may lock " + limitBytes
                + " bytes (RLIMIT_MEMLOCK; what its user's other processes have pinned counts too). Raise it to "
                + neededBytes + " at least: `ulimit -l " + neededKib + "` in the shell, LimitMEMLOCK=" + neededBytes
                + " in a systemd unit, a memlock line in /etc/security/limits.conf, --ulimit memlock=" + neededBytes
                + " for a container; or give the process CAP_IPC_LOCK; or make the pool smaller.";
    }

    /// The positive error number.
    public int errno() {
        return errno;
    }

    /// What was to be pinned.
    public long neededBytes() {
        return neededBytes;
    }

    /// RLIMIT_MEMLOCK when it happened; Long.MAX_VALUE for no limit.
    public long limitBytes() {
        return limitBytes;
    }
}
