package dev.sluice.cli.explain;

import dev.sluice.cli.compare.WholePages;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Sockets;
import dev.sluice.io.transfer.Endpoint;
import dev.sluice.io.transfer.Endpoint.Kind;
import dev.sluice.io.transfer.Method;
import dev.sluice.io.transfer.Transfer;
import dev.sluice.io.transfer.TransferOptions;
import dev.sluice.io.transfer.Transfers;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// The other end of an explained transfer: a thread of ours that receives and sums, or sends. What is measured is the
/// thread of the transfer, so this one isn't in it.
final class OtherEnd implements AutoCloseable {
    private static final int PIECE_BYTES = 256 << 10;

    private final Subject subject;
    private final Path file;
    private final long lengthBytes;
    private final Kernel kernel = new Kernel();
    private final @Nullable Descriptor listener;
    private final @Nullable FutureTask<Long> work;

    private OtherEnd(Subject subject, Path file, long lengthBytes) throws ErrnoException {
        this.subject = subject;
        this.file = file;
        this.lengthBytes = lengthBytes;
        if (subject.source != Kind.SOCKET && subject.sink != Kind.SOCKET) {
            listener = null;
            work = null;
            return;
        }
        InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        Descriptor open = kernel.sockets().stream(any, true, kernel.account()).orThrow();
        try {
            if (subject.method == Method.ZEROCOPY_RECEIVE) {
                WholePages.announce(kernel, open, true);
            }
            ErrnoException.check(kernel.sockets().bind(open, any), Call.BIND, "loopback");
            ErrnoException.check(kernel.sockets().listen(open, 1), Call.LISTEN, "loopback");
        } catch (ErrnoException e) {
            open.close();
            throw e;
        }
        listener = open;
        FutureTask<Long> task = new FutureTask<>(() -> serve(open));
        work = task;
        Thread.ofPlatform().name("sluice-explain-peer").daemon().start(task);
    }

    static OtherEnd open(Subject subject, Path file, long lengthBytes) throws ErrnoException {
        return new OtherEnd(subject, file, lengthBytes);
    }

    /// Where it listens. Only for transfers with a socket.
    InetSocketAddress address() throws ErrnoException {
        if (listener == null) {
            throw new IllegalStateException("no end is a socket");
        }
        return (InetSocketAddress) kernel.sockets().localAddress(listener);
    }

    private long serve(Descriptor open) throws IOException {
        try (Descriptor socket =
                kernel.sockets().accept(open, true, kernel.account()).orThrow()) {
            if (subject.sink == Kind.SOCKET) {
                return drain(socket);
            }
            try (Endpoint.File source = Endpoint.openSource(kernel, file, kernel.account())) {
                if (subject.method == Method.ZEROCOPY_RECEIVE) {
                    WholePages.send(kernel, source.descriptor(), 0, lengthBytes, socket);
                } else {
                    try (Transfers transfers = new Transfers(kernel);
                            Transfer transfer = transfers.begin(
                                    source, new Endpoint.Socket(socket), lengthBytes, TransferOptions.DEFAULT)) {
                        transfer.run();
                    }
                }
            }
            return 0;
        }
    }

    private long drain(Descriptor socket) throws ErrnoException {
        CRC32C sum = new CRC32C();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment piece = arena.allocate(PIECE_BYTES);
            ByteBuffer bytes = piece.asByteBuffer();
            for (long done = 0; done < lengthBytes; ) {
                long n = kernel.sockets().recv(socket, piece, 0);
                if (n == 0) {
                    break;
                }
                ErrnoException.check(n, Call.RECV, socket.name());
                sum.update(bytes.clear().limit((int) n));
                done += n;
            }
        }
        return sum.getValue();
    }

    /// Waits for its part, and compares what arrived with the file.
    ///
    /// @param copy the file that was written, at its start; null where bytes went to a socket
    void check(@Nullable FileChannel copy) throws IOException {
        long received = 0;
        if (work != null) {
            try {
                received = work.get();
            } catch (ExecutionException e) {
                throw new IOException("the other end failed: " + e.getMessage(), e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", e);
            }
        }
        if (sum(file) != (copy == null ? received : sum(copy))) {
            throw new IOException("other bytes arrived than " + file + " has");
        }
    }

    static long sum(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path)) {
            return sum(channel);
        }
    }

    private static long sum(FileChannel channel) throws IOException {
        CRC32C sum = new CRC32C();
        ByteBuffer piece = ByteBuffer.allocateDirect(PIECE_BYTES);
        while (channel.read(piece.clear()) >= 0) {
            sum.update(piece.flip());
        }
        return sum.getValue();
    }

    @Override
    public void close() {
        if (listener != null) {
            kernel.sockets().shutdown(listener, Sockets.SHUT_RDWR); // wakes a thread that waits for a connection
            listener.close();
        }
    }
}
