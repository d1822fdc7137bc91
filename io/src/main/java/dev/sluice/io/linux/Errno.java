package dev.sluice.io.linux;

import java.util.Map;

/// Linux error numbers, as values: a native call answers a result ≥ 0 or the negative of one of these.
///
/// Source: `asm-generic/errno-base.h` and `asm-generic/errno.h`; the numbers are the same on x86-64 and aarch64.
public final class Errno {
    public static final int EPERM = 1;
    public static final int ENOENT = 2;
    public static final int ESRCH = 3;
    public static final int EINTR = 4;
    public static final int EIO = 5;
    public static final int EBADF = 9;
    public static final int EAGAIN = 11;
    public static final int ENOMEM = 12;
    public static final int EACCES = 13;
    public static final int EFAULT = 14;
    public static final int EBUSY = 16;
    public static final int EEXIST = 17;
    public static final int EXDEV = 18;
    public static final int ENODEV = 19;
    public static final int ENOTDIR = 20;
    public static final int EISDIR = 21;
    public static final int EINVAL = 22;
    public static final int ENFILE = 23;
    public static final int EMFILE = 24;
    public static final int ENOTTY = 25;
    public static final int ETXTBSY = 26;
    public static final int EFBIG = 27;
    public static final int ENOSPC = 28;
    public static final int ESPIPE = 29;
    public static final int EROFS = 30;
    public static final int EPIPE = 32;
    public static final int ENAMETOOLONG = 36;
    public static final int ENOSYS = 38;
    public static final int ENOTEMPTY = 39;
    public static final int ELOOP = 40;
    public static final int ENOTSOCK = 88;
    public static final int ENOPROTOOPT = 92;
    public static final int EOPNOTSUPP = 95;
    public static final int EADDRINUSE = 98;
    public static final int EADDRNOTAVAIL = 99;
    public static final int ENETUNREACH = 101;
    public static final int ECONNABORTED = 103;
    public static final int ECONNRESET = 104;
    public static final int ENOBUFS = 105;
    public static final int ENOTCONN = 107;
    public static final int ETIMEDOUT = 110;
    public static final int ECONNREFUSED = 111;
    public static final int EHOSTUNREACH = 113;
    public static final int EALREADY = 114;
    public static final int EINPROGRESS = 115;
    public static final int EDQUOT = 122;
    public static final int ECANCELED = 125;
    /// Not for user space by its name, yet some socket options answer it (linux/errno.h).
    public static final int ENOTSUPP = 524;

    private record Text(String name, String meaning) {}

    private static final Map<Integer, Text> TEXTS = Map.ofEntries(
            Map.entry(EPERM, new Text("EPERM", "operation not permitted")),
            Map.entry(ENOENT, new Text("ENOENT", "no such file or directory")),
            Map.entry(ESRCH, new Text("ESRCH", "no such process")),
            Map.entry(EINTR, new Text("EINTR", "interrupted by a signal")),
            Map.entry(EIO, new Text("EIO", "the device reported an I/O error")),
            Map.entry(EBADF, new Text("EBADF", "the descriptor is closed or not open for this")),
            Map.entry(EAGAIN, new Text("EAGAIN", "not possible now without waiting")),
            Map.entry(ENOMEM, new Text("ENOMEM", "out of memory, or out of memory maps (vm.max_map_count)")),
            Map.entry(EACCES, new Text("EACCES", "permission denied")),
            Map.entry(EFAULT, new Text("EFAULT", "the memory is not (or no longer) backed")),
            Map.entry(EBUSY, new Text("EBUSY", "device or resource busy")),
            Map.entry(EEXIST, new Text("EEXIST", "it exists already")),
            Map.entry(EXDEV, new Text("EXDEV", "the two ends are on different file systems")),
            Map.entry(ENODEV, new Text("ENODEV", "no such device, or not supported by it")),
            Map.entry(ENOTDIR, new Text("ENOTDIR", "not a directory")),
            Map.entry(EISDIR, new Text("EISDIR", "is a directory")),
            Map.entry(EINVAL, new Text("EINVAL", "invalid argument for this descriptor")),
            Map.entry(ENFILE, new Text("ENFILE", "the system is out of descriptors (fs.file-max)")),
            Map.entry(EMFILE, new Text("EMFILE", "the process is out of descriptors (ulimit -n)")),
            Map.entry(ENOTTY, new Text("ENOTTY", "not supported by this device or file system")),
            Map.entry(ETXTBSY, new Text("ETXTBSY", "the file is in use by the kernel")),
            Map.entry(EFBIG, new Text("EFBIG", "past the file size limit (ulimit -f, or the file system's)")),
            Map.entry(ENOSPC, new Text("ENOSPC", "no space left on the device")),
            Map.entry(ESPIPE, new Text("ESPIPE", "not seekable")),
            Map.entry(EROFS, new Text("EROFS", "the file system is read-only")),
            Map.entry(EPIPE, new Text("EPIPE", "the other end is closed")),
            Map.entry(ENAMETOOLONG, new Text("ENAMETOOLONG", "the name is too long")),
            Map.entry(ENOSYS, new Text("ENOSYS", "this kernel or sandbox does not offer the call")),
            Map.entry(ENOTEMPTY, new Text("ENOTEMPTY", "the directory is not empty")),
            Map.entry(ELOOP, new Text("ELOOP", "too many symbolic links")),
            Map.entry(ENOTSOCK, new Text("ENOTSOCK", "not a socket")),
            Map.entry(ENOPROTOOPT, new Text("ENOPROTOOPT", "the protocol has no such option")),
            Map.entry(EOPNOTSUPP, new Text("EOPNOTSUPP", "not supported here")),
            Map.entry(EADDRINUSE, new Text("EADDRINUSE", "the address is in use")),
            Map.entry(EADDRNOTAVAIL, new Text("EADDRNOTAVAIL", "no interface has this address")),
            Map.entry(ENETUNREACH, new Text("ENETUNREACH", "network unreachable")),
            Map.entry(ECONNABORTED, new Text("ECONNABORTED", "the connection was aborted")),
            Map.entry(ECONNRESET, new Text("ECONNRESET", "the connection was reset by the other end")),
            Map.entry(ENOBUFS, new Text("ENOBUFS", "no buffer space, or the locked-memory limit (ulimit -l)")),
            Map.entry(ENOTCONN, new Text("ENOTCONN", "not connected")),
            Map.entry(ETIMEDOUT, new Text("ETIMEDOUT", "timed out")),
            Map.entry(ECONNREFUSED, new Text("ECONNREFUSED", "connection refused")),
            Map.entry(EHOSTUNREACH, new Text("EHOSTUNREACH", "host unreachable")),
            Map.entry(EALREADY, new Text("EALREADY", "already in progress")),
            Map.entry(EINPROGRESS, new Text("EINPROGRESS", "in progress")),
            Map.entry(EDQUOT, new Text("EDQUOT", "the disk quota is exceeded")),
            Map.entry(ECANCELED, new Text("ECANCELED", "cancelled")),
            Map.entry(ENOTSUPP, new Text("ENOTSUPP", "not supported by this protocol")));

    private Errno() {}

    /// `ENOSPC` for 28; `errno 4711` for a number this table does not know.
    public static String name(int errno) {
        Text text = TEXTS.get(errno);
        return text == null ? "errno " + errno : text.name();
    }

    /// `ENOSPC: no space left on the device`.
    public static String describe(int errno) {
        Text text = TEXTS.get(errno);
        return text == null ? "errno " + errno : text.name() + ": " + text.meaning();
    }

    /// Whether `errno` says that no more bytes fit: a full disk, quota or size limit, the operator's to mend.
    public static boolean isOutOfSpace(int errno) {
        return errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
    }
}
