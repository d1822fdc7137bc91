package dev.sluice.io.linux;

/// Every system call that this library makes, named as the kernel (and `strace`) names it.
///
/// The account counts by these; fault plans select by them.
public enum Call {
    OPENAT("openat"),
    CLOSE("close"),
    READ("read"),
    PREAD("pread64"),
    PREADV("preadv"),
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
    GETRUSAGE("getrusage");

    static final int COUNT = values().length;

    private final String kernelName;

    Call(String kernelName) {
        this.kernelName = kernelName;
    }

    /// The name that `strace` prints on x86-64.
    public String kernelName() {
        return kernelName;
    }
}
