package dev.sluice.io.linux;

/// What differs between the architectures that we run on.
final class Abi {
    /// O_DIRECT, O_DIRECTORY and O_NOFOLLOW of `asm/fcntl.h`; struct epoll_event is packed on x86-64 alone
    /// (`linux/eventpoll.h`); the numbers of futex(2), sched_setattr(2)
    /// and sched_getattr(2), which libc has no functions for (`asm/unistd.h`).
    record Constants(
            int oDirect,
            int oDirectory,
            int oNofollow,
            long epollEventBytes,
            long epollDataAt,
            long futexNumber,
            long schedSetattrNumber,
            long schedGetattrNumber) {}

    static final Constants CURRENT = of(System.getProperty("os.arch"));

    private Abi() {}

    static Constants of(String architecture) {
        return switch (architecture) {
            case "amd64", "x86_64" -> new Constants(0x4000, 0x10000, 0x20000, 12, 4, 202, 314, 315);
            case "aarch64" -> new Constants(0x10000, 0x4000, 0x8000, 16, 8, 98, 274, 275);
            default ->
                throw new UnsupportedOperationException(
                        "Sluice runs on Linux x86-64 and aarch64, not on " + architecture);
        };
    }
}
