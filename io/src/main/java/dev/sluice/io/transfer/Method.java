package dev.sluice.io.transfer;

import dev.sluice.io.transfer.Endpoint.Kind;
import java.util.Arrays;
import java.util.List;

/// The ways to move bytes, each with the pairs of ends that it serves.
///
/// ```
/// source ↓  sink →   file                          socket                      pipe                   memory
/// file       READ_WRITE MMAP_WRITE SENDFILE  READ_WRITE MMAP_WRITE       READ_WRITE MMAP_WRITE  READ
///            SPLICE COPY_FILE_RANGE REFLINK  SENDFILE SPLICE             SENDFILE SPLICE
///                                            ZEROCOPY_SEND
/// socket     READ_WRITE SPLICE               READ_WRITE SPLICE           READ_WRITE SPLICE      READ
///            ZEROCOPY_RECEIVE                ZEROCOPY_RECEIVE            ZEROCOPY_RECEIVE
/// pipe       READ_WRITE SPLICE               READ_WRITE SPLICE           READ_WRITE SPLICE      READ
/// memory     WRITE                           WRITE ZEROCOPY_SEND         WRITE                  —
/// ```
///
/// What each costs is in [CopyModel].
public enum Method {
    /// Into a buffer of ours and out of it: pread, recv or read, then pwrite, send or write. Serves everything; the
    /// last resort.
    READ_WRITE("read+write"),
    /// Write from a map of the source file, window by window; the bytes aren't copied into a buffer of ours first.
    MMAP_WRITE("mmap+write"),
    /// sendfile(2): the socket refers to the pages of the page cache. Into a file it copies once.
    SENDFILE("sendfile"),
    /// splice(2), through a pipe of ours unless one end is a pipe: page references move, in both directions. Into a
    /// file it copies once.
    SPLICE("splice"),
    /// copy_file_range(2): from page cache to page cache inside the kernel, or shared extents where the file system
    /// can.
    COPY_FILE_RANGE("copy_file_range"),
    /// FICLONE, FICLONERANGE: the two files share extents until one is written to. A rest of less than a block goes
    /// another way.
    REFLINK("reflink"),
    /// send(2) with MSG_ZEROCOPY: the network card reads our memory. From a file it reads into a ring of buffers
    /// first.
    ZEROCOPY_SEND("MSG_ZEROCOPY"),
    /// TCP_ZEROCOPY_RECEIVE: received pages are mapped, and written to the sink from there.
    ZEROCOPY_RECEIVE("TCP_ZEROCOPY_RECEIVE"),
    /// Into the caller's memory: pread, recv or read.
    READ("read"),
    /// From the caller's memory: pwrite, send or write. Memory may be a map of a file that is kept mapped, which is
    /// the cheapest way for small pieces.
    WRITE("write");

    private final String label;

    Method(String label) {
        this.label = label;
    }

    /// What tables and messages call it.
    public String label() {
        return label;
    }

    /// Whether this method can move bytes between ends of these kinds at all; kernel, file system or interface may
    /// still refuse.
    public boolean serves(Kind source, Kind sink) {
        return switch (this) {
            case READ_WRITE -> source != Kind.MEMORY && sink != Kind.MEMORY;
            case MMAP_WRITE, SENDFILE -> source == Kind.FILE && sink != Kind.MEMORY;
            case SPLICE -> source != Kind.MEMORY && sink != Kind.MEMORY;
            case COPY_FILE_RANGE, REFLINK -> source == Kind.FILE && sink == Kind.FILE;
            case ZEROCOPY_SEND -> (source == Kind.MEMORY || source == Kind.FILE) && sink == Kind.SOCKET;
            case ZEROCOPY_RECEIVE -> source == Kind.SOCKET && sink != Kind.MEMORY;
            case READ -> source != Kind.MEMORY && sink == Kind.MEMORY;
            case WRITE -> source == Kind.MEMORY && sink != Kind.MEMORY;
        };
    }

    /// All methods that serve a pair of ends, in the order of this enum.
    public static List<Method> serving(Kind source, Kind sink) {
        return Arrays.stream(values())
                .filter(method -> method.serves(source, sink))
                .toList();
    }
}
