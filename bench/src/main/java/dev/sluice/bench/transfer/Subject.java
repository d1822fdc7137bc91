package dev.sluice.bench.transfer;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What is measured: a way to send, and the program that does it.
enum Subject {
    SLUICE_SENDFILE(Program.LIBRARY, "sluice-sendfile", "sluice sendfile"),
    C_SENDFILE(Program.C, "sendfile", "C sendfile"),
    SLUICE_MMAP(Program.LIBRARY, "sluice-mmap", "sluice mmap+write"),
    C_MMAP(Program.C, "mmap", "C mmap+write"),
    SLUICE_SPLICE(Program.LIBRARY, "sluice-splice", "sluice splice"),
    C_SPLICE(Program.C, "splice", "C splice"),
    SLUICE_READWRITE(Program.LIBRARY, "sluice-readwrite", "sluice read+write"),
    C_READWRITE(Program.C, "readwrite", "C read+write"),
    C_MMAP_WHOLE(Program.C, "mmap-whole", "C mmap+write, one map"),
    JDK_TRANSFER_TO(Program.PEERS, "jdk-transferTo", "JDK transferTo"),
    JDK_HEAP(Program.PEERS, "jdk-heap", "JDK heap buffer"),
    JDK_DIRECT(Program.PEERS, "jdk-direct", "JDK direct buffer"),
    JDK_MAPPED(Program.PEERS, "jdk-mapped", "JDK mapped buffer"),
    NETTY_EPOLL(Program.PEERS, "netty-epoll", "Netty FileRegion, epoll"),
    NETTY_IO_URING(Program.PEERS, "netty-io_uring", "Netty FileRegion, io_uring");

    /// Each is a process of its own, so that one's compiler threads and collector aren't in another's processor
    /// time.
    enum Program {
        LIBRARY,
        C,
        PEERS
    }

    final Program program;

    /// What the program calls it.
    final String way;

    /// What tables call it.
    final String label;

    Subject(Program program, String way, String label) {
        this.program = program;
        this.way = way;
        this.label = label;
    }

    /// The C program's way that makes the same calls; null for all but the library's.
    @Nullable Subject pair() {
        return switch (this) {
            case SLUICE_SENDFILE -> C_SENDFILE;
            case SLUICE_MMAP -> C_MMAP;
            case SLUICE_SPLICE -> C_SPLICE;
            case SLUICE_READWRITE -> C_READWRITE;
            default -> null;
        };
    }

    static List<Subject> library() {
        return Arrays.stream(values())
                .filter(subject -> subject.program == Program.LIBRARY)
                .toList();
    }
}
