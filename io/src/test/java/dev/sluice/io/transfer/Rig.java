package dev.sluice.io.transfer;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.IoVectors;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Pipes;
import dev.sluice.io.memory.Pieces;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// The two ends of a transfer, and whoever is at the other side of each: a thread that feeds a socket or a pipe with
/// [Pattern] content, one that checks what comes out. The other sides have a kernel of their own, so that faults and
/// counts concern the transfer alone.
final class Rig implements AutoCloseable {
    private static final int CHUNK = 64 << 10;

    final EndType sourceType;
    final EndType sinkType;
    final Kernel kernel;
    final Kernel other = new Kernel();
    final Endpoint source;
    final Endpoint sink;
    final Path sourcePath;
    final Path sinkPath;
    final long sourcePosition;
    final long sinkPosition;
    private final Arena arena = Arena.ofShared();
    private final @Nullable Descriptor feedEnd;
    private final @Nullable Descriptor collectEnd;
    private final List<Thread> feeders = new ArrayList<>();
    private final List<Thread> collectors = new ArrayList<>();
    private @Nullable Throwable trouble;
    private final AtomicLong collected = new AtomicLong();
    private volatile long mismatch = -1;

    /// @param kernel       what the ends and the transfer go through
    /// @param folder       for files
    /// @param lengthBytes  content that a file or memory source holds; memory sinks have the same length
    Rig(
            Kernel kernel,
            Path folder,
            EndType sourceType,
            EndType sinkType,
            boolean blocking,
            long lengthBytes,
            long sourcePosition,
            long sinkPosition)
            throws IOException {
        this.kernel = kernel;
        this.sourceType = sourceType;
        this.sinkType = sinkType;
        this.sourcePosition = sourcePosition;
        this.sinkPosition = sinkPosition;
        this.sourcePath = folder.resolve("source");
        this.sinkPath = folder.resolve("sink");
        Account account = kernel.account();
        switch (sourceType) {
            case FILE -> {
                write(other, sourcePath, sourcePosition, lengthBytes);
                Descriptor file = kernel.files()
                        .open(sourcePath, Files.O_RDONLY, 0, account)
                        .orThrow();
                source = new Endpoint.File(file, sourcePosition);
                feedEnd = null;
            }
            case TCP -> {
                Descriptor[] pair = tcpPair(kernel, other, blocking);
                source = new Endpoint.Socket(pair[0]);
                feedEnd = pair[1];
            }
            case UNIX -> {
                Descriptor[] pair = kernel.sockets().pair(blocking, account);
                source = new Endpoint.Socket(pair[0]);
                feedEnd = theirs(pair[1]);
            }
            case PIPE -> {
                Pipes.Ends ends = kernel.pipes().open(blocking, account);
                source = new Endpoint.Pipe(ends.readEnd());
                feedEnd = theirs(ends.writeEnd());
            }
            case MEMORY -> {
                MemorySegment memory =
                        arena.allocate(Math.max(1, lengthBytes), 4096).asSlice(0, lengthBytes);
                Pattern.fill(memory, 0);
                source = new Endpoint.Memory(memory);
                feedEnd = null;
            }
            case PIECES -> {
                source = pieces(lengthBytes);
                MemorySegment content = arena.allocate(Math.max(1, lengthBytes)).asSlice(0, lengthBytes);
                Pattern.fill(content, 0);
                ((Endpoint.Memory) source).pieces().copyFrom(0, content);
                feedEnd = null;
            }
            default -> throw new AssertionError(sourceType);
        }
        switch (sinkType) {
            case FILE -> {
                Descriptor file = kernel.files()
                        .open(sinkPath, Files.O_RDWR | Files.O_CREAT | Files.O_TRUNC, 0x1A4, account)
                        .orThrow();
                sink = new Endpoint.File(file, sinkPosition);
                collectEnd = null;
            }
            case TCP -> {
                Descriptor[] pair = tcpPair(kernel, other, blocking);
                sink = new Endpoint.Socket(pair[0]);
                collectEnd = pair[1];
            }
            case UNIX -> {
                Descriptor[] pair = kernel.sockets().pair(blocking, account);
                sink = new Endpoint.Socket(pair[0]);
                collectEnd = theirs(pair[1]);
            }
            case PIPE -> {
                Pipes.Ends ends = kernel.pipes().open(blocking, account);
                sink = new Endpoint.Pipe(ends.writeEnd());
                collectEnd = theirs(ends.readEnd());
            }
            case MEMORY -> {
                sink = new Endpoint.Memory(
                        arena.allocate(Math.max(1, lengthBytes), 4096).asSlice(0, lengthBytes));
                collectEnd = null;
            }
            case PIECES -> {
                sink = pieces(lengthBytes);
                collectEnd = null;
            }
            default -> throw new AssertionError(sinkType);
        }
    }

    /// A transfer from end to end.
    Transfer begin(Transfers transfers, long lengthBytes, TransferOptions options) throws IOException {
        return transfers.begin(source, sink, lengthBytes, options);
    }

    /// In three times as many pieces as one call takes, native and on the heap, some of them empty.
    private Endpoint.Memory pieces(long lengthBytes) {
        List<MemorySegment> pieces = new ArrayList<>();
        long step = Math.max(1, lengthBytes / (3 * IoVectors.MAX));
        for (long at = 0; at < lengthBytes; at += step) {
            long size = Math.min(step, lengthBytes - at);
            boolean onHeap = pieces.size() % 5 == 1 || pieces.size() % 5 == 2;
            pieces.add(onHeap ? MemorySegment.ofArray(new byte[(int) size]) : arena.allocate(size));
            if (pieces.size() % 100 == 7) {
                pieces.add(MemorySegment.ofArray(new byte[0]));
                pieces.add(MemorySegment.NULL);
            }
        }
        return new Endpoint.Memory(Pieces.of(pieces), Hold.NONE);
    }

    /// The same descriptor behind the other sides' kernel, made blocking.
    private Descriptor theirs(Descriptor ours) {
        Descriptor theirs = other.adopt(ours.number(), "other side of " + ours.name(), other.account());
        other.files().setNonBlocking(theirs, false);
        return theirs;
    }

    /// A TCP connection over loopback: ours, then the other side, which is blocking.
    static Descriptor[] tcpPair(Kernel kernel, Kernel other, boolean blocking) throws IOException {
        return tcpPair(kernel, other, blocking, InetAddress.getLoopbackAddress());
    }

    static Descriptor[] tcpPair(Kernel kernel, Kernel other, boolean blocking, InetAddress host) throws IOException {
        SocketAddress any = new InetSocketAddress(host, 0);
        try (Descriptor listener =
                other.sockets().stream(any, true, other.account()).orThrow()) {
            ErrnoException.check(other.sockets().bind(listener, any), Call.BIND, "any port");
            ErrnoException.check(other.sockets().listen(listener, 1), Call.LISTEN, "any port");
            Endpoint.Socket ours =
                    Endpoint.connect(kernel, other.sockets().localAddress(listener), blocking, 0, kernel.account());
            Descriptor theirs =
                    other.sockets().accept(listener, true, other.account()).orThrow();
            return new Descriptor[] {ours.descriptor(), theirs};
        }
    }

    /// Writes content into a file from a position on; what lies before is a hole.
    static void write(Path path, long position, long lengthBytes) throws IOException {
        write(new Kernel(), path, position, lengthBytes);
    }

    private static void write(Kernel kernel, Path path, long position, long lengthBytes) throws IOException {
        try (Arena arena = Arena.ofConfined();
                Descriptor file = kernel.files()
                        .open(path, Files.O_WRONLY | Files.O_CREAT | Files.O_TRUNC, 0x1A4, kernel.account())
                        .orThrow()) {
            MemorySegment piece = arena.allocate(Math.max(1, Math.min(lengthBytes, 1 << 20)));
            for (long done = 0; done < lengthBytes; ) {
                MemorySegment part = piece.asSlice(0, Math.min(piece.byteSize(), lengthBytes - done));
                Pattern.fill(part, done);
                ErrnoException.check(
                        kernel.files().pwriteFully(file, part, position + done), Call.PWRITE, path.toString());
                done += part.byteSize();
            }
            if (lengthBytes == 0) {
                ErrnoException.check(kernel.files().ftruncate(file, position), Call.FTRUNCATE, path.toString());
            }
        }
    }

    /// Has the other side of a stream source write this much content, then stop or close.
    void feed(long lengthBytes, boolean thenClose) {
        Descriptor end = feedEnd;
        if (end == null) {
            return;
        }
        start(feeders, () -> {
            try (Arena confined = Arena.ofConfined()) {
                MemorySegment piece = confined.allocate(CHUNK);
                long done = 0;
                while (done < lengthBytes) {
                    MemorySegment part = piece.asSlice(0, Math.min(CHUNK, lengthBytes - done));
                    Pattern.fill(part, done);
                    long n = sourceType == EndType.PIPE
                            ? other.files().write(end, part)
                            : other.sockets().send(end, part, 0);
                    if (n == -Errno.EPIPE || n == -Errno.ECONNRESET) {
                        return; // the transfer has given up
                    }
                    done += ErrnoException.check(n, Call.SEND, end.name());
                }
                if (thenClose) {
                    end.close();
                }
            }
        });
    }

    /// Has the other side of a stream sink take and check bytes until the transfer's side is closed.
    void collect() {
        collectAtMost(Long.MAX_VALUE);
    }

    /// Has it take no more than this, then leave the rest where it is.
    void collectAtMost(long lengthBytes) {
        Descriptor end = collectEnd;
        if (end == null) {
            return;
        }
        start(collectors, () -> {
            try (Arena confined = Arena.ofConfined()) {
                MemorySegment piece = confined.allocate(CHUNK);
                while (collected.get() < lengthBytes) {
                    MemorySegment part = piece.asSlice(0, Math.min(CHUNK, lengthBytes - collected.get()));
                    long n = sinkType == EndType.PIPE
                            ? other.files().read(end, part)
                            : other.sockets().recv(end, part, 0);
                    if (n == 0 || n == -Errno.ECONNRESET) {
                        return;
                    }
                    ErrnoException.check(n, Call.RECV, end.name());
                    if (mismatch < 0) {
                        mismatch = Pattern.mismatch(part.asSlice(0, n), collected.get());
                    }
                    collected.addAndGet(n);
                }
            }
        });
    }

    /// Has the other side of a socket sink take bytes without looking at them, until the transfer's side is closed.
    void drain() {
        Descriptor end = collectEnd();
        start(collectors, () -> {
            try (Arena confined = Arena.ofConfined()) {
                MemorySegment piece = confined.allocate(CHUNK);
                while (other.sockets().recv(end, piece, 0) > 0) {
                    // goes nowhere
                }
            }
        });
    }

    private interface Task {
        void run() throws IOException;
    }

    private void start(List<Thread> threads, Task task) {
        Thread thread = new Thread(() -> {
            try {
                task.run();
            } catch (IOException | RuntimeException e) {
                trouble = e;
            }
        });
        threads.add(thread);
        thread.start();
    }

    /// Breaks the connection behind a socket end at once, so that this side gets a reset (SO_LINGER 0 and close; a
    /// UNIX socket or pipe is just closed).
    void resetOtherSideOf(Endpoint end) {
        Descriptor theirs = end == source ? feedEnd : collectEnd;
        if (theirs == null) {
            throw new IllegalStateException("no other side");
        }
        EndType type = end == source ? sourceType : sinkType;
        if (type == EndType.TCP) {
            other.sockets().resetOnClose(theirs);
        }
        theirs.close();
    }

    /// Bytes that the other side of the sink has taken so far.
    long collected() {
        return collected.get();
    }

    Descriptor feedEnd() {
        if (feedEnd == null) {
            throw new IllegalStateException("no other side");
        }
        return feedEnd;
    }

    Descriptor collectEnd() {
        if (collectEnd == null) {
            throw new IllegalStateException("no other side");
        }
        return collectEnd;
    }

    /// Closes the sink, waits for its other side, and answers how many right bytes the sink has from its first on;
    /// -1 - index for the first wrong one.
    long received() throws IOException, InterruptedException {
        if (sinkType.kind != Endpoint.Kind.MEMORY && sinkType != EndType.FILE) {
            sink.close();
        }
        join(collectors);
        return switch (sinkType) {
            case FILE -> {
                long size = java.nio.file.Files.size(sinkPath);
                yield verified(sinkPath, sinkPosition, Math.max(0, size - sinkPosition));
            }
            case MEMORY, PIECES -> {
                Endpoint.Memory got = (Endpoint.Memory) sink;
                MemorySegment memory =
                        arena.allocate(Math.max(1, got.lengthBytes())).asSlice(0, got.lengthBytes());
                got.pieces().copyTo(0, memory);
                long wrong = Pattern.mismatch(memory, 0);
                yield wrong < 0 ? memory.byteSize() : wrong; // what comes behind may just not be there yet
            }
            default -> mismatch < 0 ? collected.get() : -1 - mismatch;
        };
    }

    private void join(List<Thread> threads) throws InterruptedException, IOException {
        for (Thread thread : threads) {
            thread.join();
        }
        Throwable happened = trouble;
        if (happened != null) {
            throw new IOException("the other side failed", happened);
        }
    }

    /// How many right bytes a file has in a range; -1 - index for the first wrong one.
    static long verified(Path path, long position, long lengthBytes) throws IOException {
        Kernel kernel = new Kernel();
        try (Arena arena = Arena.ofConfined();
                Descriptor file = kernel.files()
                        .open(path, Files.O_RDONLY, 0, kernel.account())
                        .orThrow()) {
            MemorySegment piece = arena.allocate(1 << 20);
            long done = 0;
            while (done < lengthBytes) {
                MemorySegment part = piece.asSlice(0, Math.min(piece.byteSize(), lengthBytes - done));
                long n = ErrnoException.check(
                        kernel.files().preadFully(file, part, position + done), Call.PREAD, path.toString());
                if (n == 0) {
                    break;
                }
                long wrong = Pattern.mismatch(part.asSlice(0, n), done);
                if (wrong >= 0) {
                    return -1 - wrong;
                }
                done += n;
            }
            return done;
        }
    }

    @Override
    public void close() throws IOException {
        // Ours first: whoever waits at the other side is told.
        source.close();
        sink.close();
        try {
            join(feeders);
            join(collectors);
        } catch (InterruptedException e) {
            throw new IOException(e);
        } finally {
            if (feedEnd != null) {
                feedEnd.close();
            }
            if (collectEnd != null) {
                collectEnd.close();
            }
        }
        arena.close();
    }
}
