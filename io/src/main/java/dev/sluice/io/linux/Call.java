package dev.sluice.io.linux;

/// Every system call that this library makes, named as the kernel (and `strace`) names it; and what carries bytes
/// without a call of its own: operations handed to an io_uring, and stores into the map of a file.
///
/// The account counts by these; fault plans select by them.
public enum Call {
    OPENAT("openat"),
    CLOSE("close"),
    READ("read"),
    PREAD("pread64"),
    WRITE("write"),
    PWRITE("pwrite64"),
    PWRITEV("pwritev"),
    LSEEK("lseek"),
    FSYNC("fsync"),
    FDATASYNC("fdatasync"),
    FALLOCATE("fallocate"),
    FTRUNCATE("ftruncate"),
    STATX("statx"),
    FSTATFS("fstatfs"),
    CACHESTAT("cachestat"),
    RENAME("renameat2"),
    LINK("linkat"),
    UNLINK("unlinkat"),
    MKDIR("mkdirat"),
    FCNTL("fcntl"),
    FCHMOD("fchmod"),
    FCHMODAT("fchmodat"),
    IOCTL("ioctl"),
    FADVISE("fadvise64"),
    MMAP("mmap"),
    MUNMAP("munmap"),
    MADVISE("madvise"),
    MSYNC("msync"),
    MINCORE("mincore"),
    SOCKET("socket"),
    SOCKETPAIR("socketpair"),
    BIND("bind"),
    LISTEN("listen"),
    CONNECT("connect"),
    ACCEPT("accept4"),
    SETSOCKOPT("setsockopt"),
    GETSOCKOPT("getsockopt"),
    GETSOCKNAME("getsockname"),
    GETPEERNAME("getpeername"),
    SHUTDOWN("shutdown"),
    RECV("recvfrom"),
    RECVMSG("recvmsg"),
    SEND("sendto"),
    SENDMSG("sendmsg"),
    SENDFILE("sendfile"),
    PIPE("pipe2"),
    SPLICE("splice"),
    COPY_FILE_RANGE("copy_file_range"),
    EPOLL_CREATE("epoll_create1"),
    EPOLL_CTL("epoll_ctl"),
    EPOLL_WAIT("epoll_wait"),
    EVENTFD("eventfd2"),
    POLL("poll"),
    GETRUSAGE("getrusage"),
    SCHED_GETATTR("sched_getattr"),
    SCHED_SETATTR("sched_setattr"),
    PREADV2("preadv2"),
    PWRITEV2("pwritev2"),
    PRLIMIT("prlimit64"),
    UNSHARE("unshare"),
    MEMFD_CREATE("memfd_create"),
    FUTEX("futex"),
    PIDFD_OPEN("pidfd_open"),
    IO_URING_SETUP("io_uring_setup"),
    IO_URING_ENTER("io_uring_enter"),
    IO_URING_REGISTER("io_uring_register"),
    RING_READ("io_uring:read"),
    RING_READ_FIXED("io_uring:read_fixed"),
    RING_WRITE("io_uring:write"),
    RING_WRITE_FIXED("io_uring:write_fixed"),
    RING_FSYNC("io_uring:fsync"),
    RING_CANCEL("io_uring:async_cancel"),
    MAPPED_STORE("map:store"),
    /// Zeros that a write carried behind its data; its bytes have them too.
    ZEROS_AHEAD("zeros:ahead");

    static final int COUNT = values().length;

    private final String kernelName;

    Call(String kernelName) {
        this.kernelName = kernelName;
    }

    /// The name that `strace` prints on x86-64; `io_uring:` or `map:` and the operation where there is no call to
    /// print.
    public String kernelName() {
        return kernelName;
    }

    /// Whether this is a system call, two mode switches; not an operation of a ring, of which many ride on one
    /// [#IO_URING_ENTER], nor a store into memory.
    public boolean isSystemCall() {
        return switch (this) {
            case RING_READ,
                    RING_READ_FIXED,
                    RING_WRITE,
                    RING_WRITE_FIXED,
                    RING_FSYNC,
                    RING_CANCEL,
                    MAPPED_STORE,
                    ZEROS_AHEAD -> false;
            default -> true;
        };
    }
}
