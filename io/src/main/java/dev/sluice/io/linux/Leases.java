package dev.sluice.io.linux;

/// Leases on files: fcntl(2) with F_SETLEASE. Whoever opens or truncates a leased file against the lease waits in that
/// call while the kernel sends the holder a signal, until the holder gives the lease up or
/// /proc/sys/fs/lease-break-time has passed. Results are values ≥ 0 or −errno. Thread-safe.
public final class Leases {
    // Kinds of lease, asm-generic/fcntl.h.
    /// Broken by an opening for writing and by truncate(2). Refused with EAGAIN while anybody has the file open for
    /// writing.
    public static final int F_RDLCK = 0;
    /// Broken by any opening. Refused with EAGAIN while anybody else has the file open.
    public static final int F_WRLCK = 1;
    /// None.
    public static final int F_UNLCK = 2;

    /// The signal that tells of a break. Its default action is to do nothing, unlike that of SIGIO, which the
    /// kernel would send otherwise and which ends a JVM (asm-generic/signal.h; the same number on x86-64 and
    /// aarch64).
    public static final int SIGURG = 23;

    // Commands, linux/fcntl.h and asm-generic/fcntl.h.
    private static final int F_SETSIG = 10;
    private static final int F_SETLEASE = 1024;
    private static final int F_GETLEASE = 1025;

    private final Kernel kernel;

    Leases(Kernel kernel) {
        this.kernel = kernel;
    }

    /// Takes a lease, whose break is told by `signal`.
    ///
    /// @param kind   [#F_RDLCK] or [#F_WRLCK]
    /// @param signal [#SIGURG]; 0 for the kernel's own choice, SIGIO
    /// @return 0; −EAGAIN when others have the file open in a way that the lease forbids; −EACCES when the file is
    ///     another user's (and we lack CAP_LEASE); −EINVAL where the file system has no leases; or another −errno
    public long take(Descriptor file, int kind, int signal) {
        long result = signal == 0 ? 0 : kernel.files().control(file, F_SETSIG, signal);
        return result < 0 ? result : kernel.files().control(file, F_SETLEASE, kind);
    }

    /// Gives the lease up; whoever waits for it goes on.
    public long release(Descriptor file) {
        return kernel.files().control(file, F_SETLEASE, F_UNLCK);
    }

    /// The lease that there is, or, while it is being broken, what must be left of it.
    ///
    /// @return one of the kinds, or −errno
    public long current(Descriptor file) {
        return kernel.files().control(file, F_GETLEASE, 0);
    }
}
