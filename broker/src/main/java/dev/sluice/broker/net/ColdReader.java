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
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Reads from the disk what consumers want and the page cache hasn't, on threads of its own, so that no event loop
/// waits for a disk.
///
/// Where the page cache shall not be filled, they come by O_DIRECT from the disk to a pipe's own pages. Otherwise they
/// are read into the page cache, read ahead, and come in a pipe, which the loop splices to its socket; they are never
/// copied by the processor. What a file's only reader has far behind it is dropped from the page cache again, so that
/// it drives out nothing that others read. Where several read a file, what one has brought in is there for all.
///
/// Thread-safe.
final class ColdReader implements AutoCloseable {
    /// Takes what was read, on a thread of the reader's. The pipe is the sink's, to be given back by [#giveBack].
    @FunctionalInterface
    interface Sink {
        /// @param pipe   null when nothing was read
        /// @param result bytes in the pipe, or −errno
        void read(PipePool.@Nullable Pipe pipe, long result);
    }

    private static final Logger LOG = LoggerFactory.getLogger(ColdReader.class);

    /// Disks answer several requests at once; more than a few only wait in another queue.
    private static final int THREADS = 4;
    private static final long THREAD_IDLE_SECONDS = 30;

    /// What positions and lengths are multiples of: no file system asks for more.
    static final long BLOCK_BYTES = 4096;

    /// What a lone reader leaves in the page cache behind it: so far apart may others follow without reading the
    /// disk again.
    private static final long KEPT_BYTES = 16 << 20;

    /// For how long nothing is dropped of a file that somebody else has read.
    private static final long SHARED_NS = TimeUnit.SECONDS.toNanos(10);
    private static final int MOST_FILES = 1024;

    /// With sinks at a time; later ones get pipes of the kernel's usual size.
    private static final int MOST_LARGE_PIPES = 256;

    private static final long CLOSE_SECONDS = 5;

    private final Kernel kernel;
    private final Account account = Account.root("cold reads");
    private final PipePool pipes = new PipePool(account);
    private final ExecutorService threads;
    private final AtomicInteger threadNumber = new AtomicInteger();

    /// Who has read a file last, by the descriptor that spans come with. Guarded by itself.
    private final Map<Descriptor, Reading> readings = new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Descriptor, Reading> eldest) {
            return size() > MOST_FILES;
        }
    };

    private static final class Reading {
        private Object reader;
        private long lastNs;
        private long sharedUntilNs;
        /// Where what may be dropped begins.
        private long keptFrom;

        Reading(Object reader, long nowNs, long position) {
            this.reader = reader;
            this.lastNs = nowNs;
            this.sharedUntilNs = nowNs;
            this.keptFrom = position;
        }
    }

    /// Pipes that are with sinks. Guarded by itself.
    private final Set<PipePool.Pipe> out = new HashSet<>();

    /// Written under the lock of `out`, so that no pipe gets out behind it.
    private volatile boolean closed;

    ColdReader(Kernel kernel) {
        this.kernel = kernel;
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                THREADS, THREADS, THREAD_IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                    Thread thread = new Thread(task, "sluice-cold-" + threadNumber.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
        pool.allowCoreThreadTimeOut(true);
        this.threads = pool;
    }

    /// Runs work that may wait for the disk.
    void execute(Runnable work) {
        threads.execute(work);
    }

    /// Reads at most what a pipe holds of the range. Called on a loop; the range's file need not stay open.
    ///
    /// @param reader who will send it, told apart by identity
    /// @param wanted asked on a thread of the reader's, before it reads: whether there is still somebody to send
    ///               it; the sink is told −ECANCELED if not
    /// @throws ErrnoException when the file can't be opened once more, or no thread begun
    void read(Object reader, SocketWriter.Cold range, BooleanSupplier wanted, Sink sink) throws ErrnoException {
        long behindBytes = range.isPastCache() ? 0 : behindBytes(range, reader);
        Descriptor file = reopen(range.file(), range.isPastCache());
        try {
            threads.execute(() -> fill(file, range, behindBytes, wanted, sink));
        } catch (RejectedExecutionException e) {
            file.close();
            throw new ErrnoException(Call.SPLICE, Errno.EIO, "the broker stops");
        } catch (RuntimeException | Error e) { // OutOfMemoryError when the kernel has no thread for us
            file.close();
            LOG.error("{} can't be read: no thread could be begun", range.file().name(), e);
            throw new ErrnoException(
                    Call.SPLICE,
                    Errno.EAGAIN,
                    "no thread to read " + range.file().name());
        }
    }

    /// How many bytes before the range can be dropped: those that the file's only reader has read since the last
    /// time.
    private long behindBytes(SocketWriter.Cold range, Object reader) {
        long nowNs = System.nanoTime();
        synchronized (readings) {
            Reading reading = readings.get(range.file());
            if (reading == null) {
                readings.put(range.file(), new Reading(reader, nowNs, range.position()));
                return 0;
            }
            if (reading.reader != reader) {
                if (nowNs - reading.lastNs < SHARED_NS) {
                    reading.sharedUntilNs = nowNs + SHARED_NS;
                }
                reading.reader = reader;
                reading.keptFrom = range.position();
            }
            reading.keptFrom = Math.min(reading.keptFrom, range.position()); // it may have gone back
            reading.lastNs = nowNs;
            long behind = Math.max(0, range.position() - KEPT_BYTES - reading.keptFrom);
            reading.keptFrom += behind;
            return reading.sharedUntilNs - nowNs > 0 ? 0 : behind;
        }
    }

    /// A descriptor of its own, of the same file even if it was unlinked.
    private Descriptor reopen(Descriptor file, boolean isPastCache) throws ErrnoException {
        Path path = Path.of("/proc/self/fd/" + file.number());
        int flags = Files.O_RDONLY | (isPastCache ? Files.O_DIRECT : 0);
        return kernel.files().open(path, flags, 0, file.account()).orThrow();
    }

    private void fill(Descriptor file, SocketWriter.Cold range, long behindBytes, BooleanSupplier wanted, Sink sink) {
        PipePool.Pipe pipe = null;
        long result;
        try (file) {
            if (closed || !wanted.getAsBoolean()) {
                result = -Errno.ECANCELED;
            } else {
                pipe = takePipe();
                result = range.isPastCache() ? fillPastCache(file, range, pipe) : fill(file, range, pipe);
                if (behindBytes > 0) { // a hint, as reading ahead is; what a socket still sends keeps its pages
                    long from = range.position() - KEPT_BYTES - behindBytes;
                    kernel.files().advise(file, from, behindBytes, Files.FADV_DONTNEED);
                }
            }
        } catch (ErrnoException e) {
            result = -e.errno();
        } catch (RuntimeException | Error e) {
            LOG.error("Reading {} from the disk failed", range.file().name(), e);
            result = -Errno.EIO;
        }
        if (result <= 0 && pipe != null) {
            pipe.close();
            pipe = null;
        }
        if (pipe != null && !isOut(pipe)) {
            pipe = null;
            result = -Errno.EIO;
        }
        sink.read(pipe, result);
    }

    /// Peers that are slow keep what was read for them; many of them get less at a time.
    private PipePool.Pipe takePipe() throws ErrnoException {
        boolean many;
        synchronized (out) {
            many = out.size() >= MOST_LARGE_PIPES;
        }
        return many ? pipes.takeSmall(kernel) : pipes.take(kernel);
    }

    private boolean isOut(PipePool.Pipe pipe) {
        synchronized (out) {
            if (closed) {
                pipe.close();
                return false;
            }
            out.add(pipe);
            return true;
        }
    }

    private long fill(Descriptor file, SocketWriter.Cold range, PipePool.Pipe pipe) {
        // A hint that may fail: then the kernel reads as it does for anybody.
        kernel.files().advise(file, range.position(), SocketWriter.AHEAD_BYTES, Files.FADV_WILLNEED);
        long read = splice(
                file,
                range.position(),
                pipe.ends().writeEnd(),
                // Every page of the cache takes a place in the pipe, the two at its ends not wholly.
                Math.min(range.lengthBytes(), Math.max(BLOCK_BYTES, pipe.capacityBytes() - BLOCK_BYTES)));
        return read == 0 ? -Errno.EIO : read;
    }

    /// From the block that the range begins in; what is before the range is thrown away. The pipe may get some
    /// bytes from behind the range too.
    private long fillPastCache(Descriptor file, SocketWriter.Cold range, PipePool.Pipe pipe) throws ErrnoException {
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

    /// Waits for reads that are under way, not for those that no thread has begun; then closes every pipe, those
    /// that are with sinks too.
    @Override
    public void close() {
        synchronized (out) {
            closed = true;
        }
        threads.shutdown();
        try {
            if (!threads.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
                LOG.error("A read from the disk did not end in {} s", CLOSE_SECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        synchronized (out) {
            out.forEach(PipePool.Pipe::close);
            out.clear();
        }
        pipes.close();
    }
}
