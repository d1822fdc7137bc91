package dev.sluice.broker.net;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Pipes;
import dev.sluice.io.transfer.PipePool;
import dev.sluice.io.transfer.SocketWriter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Reads from the disk what consumers want and the page cache shall not be filled with: by O_DIRECT to a pipe's own
/// pages, which the loop splices to its socket.
///
/// Thread-safe.
final class DirectReader implements AutoCloseable {
    /// Takes what was read, on a thread that may wait for the disk.
    @FunctionalInterface
    interface Sink {
        /// @param pipe   where the bytes are, the sink's from now on, to be given back by [#giveBack]; null
        ///               when nothing was read
        /// @param result bytes that are there, or −errno
        void read(PipePool.@Nullable Pipe pipe, long result);
    }

    private static final Logger LOG = LoggerFactory.getLogger(DirectReader.class);

    /// What positions and lengths are multiples of: no file system asks for more.
    static final long BLOCK_BYTES = 4096;

    /// With sinks at a time; later ones get pipes of the kernel's usual size.
    private static final int MOST_LARGE_PIPES = 256;

    private final Kernel kernel;
    private final Account account = Account.root("direct reads");
    private final PipePool pipes = new PipePool(account);
    private final ColdThreads threads;
    private final ColdFiles files;

    /// Pipes that are with sinks. Guarded by itself.
    private final Set<PipePool.Pipe> out = new HashSet<>();

    /// Written under the lock of `out`, so that no pipe gets out behind it.
    private boolean stopped;

    /// @param threads that may wait for the disk; borrowed
    /// @param files   what it opens is kept there; borrowed
    DirectReader(Kernel kernel, ColdThreads threads, ColdFiles files) {
        this.kernel = kernel;
        this.threads = threads;
        this.files = files;
    }

    ColdThreads threads() {
        return threads;
    }

    /// Reads at most [SocketWriter.Cold#lengthBytes] of the range. Called on a loop; the range's file need not stay
    /// open. One range at a time for each reader.
    ///
    /// @param reader who will send it, told apart by identity; to be forgotten by the files when it is gone: the
    ///               sink is then not told any more
    /// @throws ErrnoException when the file can't be opened once more, or no thread begun
    void read(Object reader, SocketWriter.Cold range, Sink sink) throws ErrnoException {
        try {
            boolean isRead = files.use(reader, range.file()) instanceof DirectStream known && known.read(range, sink);
            if (!isRead) {
                files.makeRoom(reader);
                DirectStream begun = new DirectStream(this, reopen(range.file()));
                begun.read(range, sink); // before others see it, and find it at rest
                files.keep(reader, range.file(), begun);
            }
        } catch (RejectedExecutionException e) {
            throw new ErrnoException(Call.SPLICE, Errno.EIO, "the broker stops");
        } catch (RuntimeException | Error e) { // OutOfMemoryError when the kernel has no thread for us
            LOG.error("{} can't be read: no thread could be begun", range.file().name(), e);
            throw new ErrnoException(
                    Call.SPLICE,
                    Errno.EAGAIN,
                    "no thread to read " + range.file().name());
        }
    }

    /// A descriptor of its own, of the same file even if it was unlinked.
    private Descriptor reopen(Descriptor file) throws ErrnoException {
        Path path = Path.of("/proc/self/fd/" + file.number());
        return kernel.files()
                .open(path, Files.O_RDONLY | Files.O_DIRECT, 0, account)
                .orThrow();
    }

    /// Reads a range, at most what a pipe holds of it, and tells it to the sink.
    ///
    /// @return bytes that were read, or −errno
    long serve(Descriptor file, SocketWriter.Cold range, Sink sink) {
        PipePool.Pipe pipe = null;
        long result;
        try {
            pipe = takePipe();
            result = fill(file, range, pipe);
        } catch (ErrnoException e) {
            result = -e.errno();
        } catch (RuntimeException | Error e) {
            LOG.error("Reading {} from the disk failed", range.file().name(), e);
            result = -Errno.EIO;
        }
        if (pipe != null && (result <= 0 || !isOut(pipe))) {
            pipe.close();
            pipe = null;
            result = Math.min(result, -Errno.EIO);
        }
        sink.read(pipe, result);
        return result;
    }

    /// Peers that are slow keep what was read for them; many of them get less at a time.
    private PipePool.Pipe takePipe() throws ErrnoException {
        boolean many;
        synchronized (out) {
            many = out.size() >= MOST_LARGE_PIPES;
        }
        return many ? pipes.takeSmall(kernel) : pipes.take(kernel);
    }

    /// Notes that a pipe is a sink's.
    ///
    /// @return false when the reader is stopped
    private boolean isOut(PipePool.Pipe pipe) {
        synchronized (out) {
            return !stopped && out.add(pipe);
        }
    }

    /// From the block that the range begins in; what is before the range is thrown away. The pipe may get some
    /// bytes from behind the range too.
    private long fill(Descriptor file, SocketWriter.Cold range, PipePool.Pipe pipe) throws ErrnoException {
        long from = range.position() & -BLOCK_BYTES;
        long before = range.position() - from;
        long wanted = Math.min((before + range.lengthBytes() + BLOCK_BYTES - 1) & -BLOCK_BYTES, pipe.capacityBytes());
        long read = splice(file, from, pipe.ends().writeEnd(), wanted);
        if (read <= before) {
            return read < 0 ? read : -Errno.EIO; // it has ended before the range did
        }
        if (before > 0) {
            discard(pipe, before);
        }
        return Math.min(read - before, range.lengthBytes());
    }

    private void discard(PipePool.Pipe pipe, long lengthBytes) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment rest = arena.allocate(lengthBytes);
            long read = kernel.files().read(pipe.ends().readEnd(), rest); // less than a block
            ErrnoException.check(read, Call.READ, "pipe");
            if (read < lengthBytes) {
                throw new ErrnoException(Call.READ, Errno.EIO, "pipe");
            }
        }
    }

    private long splice(Descriptor file, long position, Descriptor to, long lengthBytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment scratch = arena.allocate(2 * Long.BYTES, Long.BYTES);
            long read;
            do {
                read = kernel.pipes().splice(file, position, to, Pipes.NO_POSITION, lengthBytes, 0, scratch);
            } while (read == -Errno.EINTR);
            return read;
        }
    }

    long sizeBytes(Descriptor file) throws ErrnoException {
        return kernel.files().status(file).sizeBytes();
    }

    /// Takes a pipe back from whoever got it.
    ///
    /// @param empty whether nothing lies in it any more
    void giveBack(PipePool.Pipe pipe, boolean empty) {
        synchronized (out) {
            if (!out.remove(pipe)) {
                return; // closed with the reader
            }
        }
        if (empty) {
            pipes.give(pipe);
        } else {
            pipe.close();
        }
    }

    /// No sink gets a pipe any more.
    void stop() {
        synchronized (out) {
            stopped = true;
        }
    }

    /// After its threads have ended: closes every pipe, those that are with sinks too.
    @Override
    public void close() {
        synchronized (out) {
            stopped = true;
            out.forEach(PipePool.Pipe::close);
            out.clear();
        }
        pipes.close();
    }
}
