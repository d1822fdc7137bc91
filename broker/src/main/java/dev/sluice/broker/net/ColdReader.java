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
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Reads from the disk what consumers want and the page cache hasn't, on threads of its own, so that no event loop
/// waits for a disk.
///
/// It is read into the page cache, and ahead, by a [ColdStream] for each consumer and file; the loop then sends it from
/// there as it sends all else. What a file's only reader has far behind it is dropped from the page cache again, so
/// that it drives out nothing that others read. Where several read a file, what one has brought in is there for all.
/// Where the page cache shall not be filled, bytes come by O_DIRECT from the disk to a pipe's own pages, and the loop
/// splices these to its socket.
///
/// Thread-safe.
final class ColdReader implements AutoCloseable {
    /// Takes what was read, on a thread of the reader's.
    @FunctionalInterface
    interface Sink {
        /// @param pipe   where the bytes are, the sink's from now on, to be given back by [#giveBack]; null
        ///               when they are in the page cache, or nothing was read
        /// @param result bytes that are there, or −errno
        /// @param isReadAhead whether more is being read ahead in the page cache
        void read(PipePool.@Nullable Pipe pipe, long result, boolean isReadAhead);
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

    /// Files that one consumer has open at a time, where it reads no more of them at once.
    static final int MOST_OF_ONE = 16;

    /// After so long without being read a file is closed: it may have been deleted, and keeps its room till then.
    static final long UNUSED_NS = TimeUnit.SECONDS.toNanos(30);

    /// What ranges that are dropped begin and end with multiples of: no folio is larger, and one that lies in the
    /// range with a part of it alone would stay.
    private static final long LARGEST_FOLIO_BYTES = 2 << 20;

    /// With sinks at a time; later ones get pipes of the kernel's usual size.
    private static final int MOST_LARGE_PIPES = 256;

    private static final long CLOSE_SECONDS = 5;

    private final Kernel kernel;
    private final Account account = Account.root("cold reads");
    private final PipePool pipes = new PipePool(account);
    private final ThreadPoolExecutor threads;
    private final int mostStreams;
    private final LongSupplier clock;

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

    /// Who reads what, by the descriptor that spans come with.
    private record Way(Object reader, Descriptor file) {}

    /// The one that was used last comes last. Guarded by itself; nothing is opened or closed under its lock.
    private final Map<Way, ColdStream> streams = new LinkedHashMap<>(16, 0.75f, true);

    /// Where what was only to be brought into memory goes; opened when it is first needed. Guarded by `out`.
    private @Nullable Descriptor nowhere;

    /// Pipes that are with sinks. Guarded by itself.
    private final Set<PipePool.Pipe> out = new HashSet<>();

    /// Written under the lock of `out`, so that no pipe gets out behind it.
    private volatile boolean closed;

    /// @param mostStreams files that are open at a time, one for each consumer and file; above it are only those
    ///                    that somebody waits for or that are being read ahead
    ColdReader(Kernel kernel, int mostStreams) {
        this(
                kernel,
                mostStreams,
                System::nanoTime,
                Thread.ofPlatform().name("sluice-cold-", 1).daemon().factory());
    }

    /// @param clock in nanoseconds
    ColdReader(Kernel kernel, int mostStreams, LongSupplier clock, ThreadFactory factory) {
        this.kernel = kernel;
        this.mostStreams = mostStreams;
        this.clock = clock;
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                THREADS, THREADS, THREAD_IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), factory);
        pool.allowCoreThreadTimeOut(true);
        this.threads = pool;
    }

    /// Runs work that may wait for the disk.
    void execute(Runnable work) {
        threads.execute(work);
    }

    /// Whether work waits for a thread.
    boolean isAwaited() {
        return !threads.getQueue().isEmpty();
    }

    /// Runs work when all that waits for a thread has had one.
    ///
    /// @return false when the reader is closed, or the kernel has no thread for it: the caller goes on itself
    boolean runLater(Runnable work) {
        try {
            threads.execute(work);
            return true;
        } catch (RejectedExecutionException | OutOfMemoryError e) {
            return false;
        }
    }

    Kernel kernel() {
        return kernel;
    }

    /// Reads at most [SocketWriter.Cold#lengthBytes] of the range. Called on a loop; the range's file need not stay
    /// open. One range at a time for each reader.
    ///
    /// @param reader who will send it, told apart by identity; to be [#forget] when it is gone: the sink is then
    ///               not told any more
    /// @throws ErrnoException when the file can't be opened once more, or no thread begun
    void read(Object reader, SocketWriter.Cold range, Sink sink) throws ErrnoException {
        long dropTo = dropTo(range.position());
        long dropFrom = range.isPastCache() ? dropTo : dropFrom(range, reader, dropTo);
        Way way = new Way(reader, range.file());
        try {
            ColdStream known = use(way);
            if (known == null || !known.read(range, dropFrom, dropTo, sink)) {
                makeRoom(reader);
                ColdStream begun = new ColdStream(this, reopen(range.file(), range.isPastCache()));
                begun.read(range, dropFrom, dropTo, sink); // before others see it, and find it at rest
                synchronized (streams) {
                    begun.usedNs = clock.getAsLong();
                    streams.put(way, begun);
                }
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

    /// Goes on with reading ahead, without telling when. Called on a loop.
    ///
    /// @param reached where its reader has come
    /// @param over    run, on a thread of the reader's, when this was the last time: there is nothing more to be
    ///                read ahead
    /// @return false when that is so already
    boolean advance(Object reader, SocketWriter.Cold reached, Runnable over) {
        long dropTo = dropTo(reached.position());
        ColdStream known = use(new Way(reader, reached.file()));
        long dropFrom = dropFrom(reached, reader, dropTo);
        try {
            return known != null && known.advance(reached, dropFrom, dropTo, over);
        } catch (RejectedExecutionException | OutOfMemoryError e) {
            return false; // whoever needs those bytes will be told
        }
    }

    private @Nullable ColdStream use(Way way) {
        synchronized (streams) {
            ColdStream known = streams.get(way);
            if (known != null) {
                known.usedNs = clock.getAsLong();
            }
            return known;
        }
    }

    /// Before one more is opened: of this consumer's the longest unused ones go, then those of all.
    private void makeRoom(Object reader) {
        synchronized (streams) {
            closeUnused();
            long its = streams.keySet().stream()
                    .filter(way -> way.reader == reader)
                    .count();
            Iterator<Map.Entry<Way, ColdStream>> eldest = streams.entrySet().iterator();
            while (eldest.hasNext() && (its >= MOST_OF_ONE || streams.size() >= mostStreams)) {
                Map.Entry<Way, ColdStream> entry = eldest.next();
                boolean isIts = entry.getKey().reader == reader;
                if ((isIts || streams.size() >= mostStreams) && entry.getValue().closeIfAtRest()) {
                    eldest.remove();
                    its -= isIts ? 1 : 0;
                }
            }
        }
    }

    /// Closes the files that nobody has read for [#UNUSED_NS].
    ///
    /// @return whether any are left, to be looked at again
    boolean closeUnused() {
        long nowNs = clock.getAsLong();
        synchronized (streams) {
            streams.values()
                    .removeIf(stream ->
                            stream.isClosed() || (nowNs - stream.usedNs >= UNUSED_NS && stream.closeIfAtRest()));
            return !streams.isEmpty();
        }
    }

    /// Nobody reads ahead for this one any more.
    void forget(Object reader) {
        synchronized (streams) {
            streams.entrySet().removeIf(entry -> {
                boolean its = entry.getKey().reader == reader;
                if (its) {
                    entry.getValue().close();
                }
                return its;
            });
        }
    }

    private static long dropTo(long position) {
        return Math.max(0, position - KEPT_BYTES) & -LARGEST_FOLIO_BYTES;
    }

    /// From where on a file's only reader has left behind it what it has read, up to where it is dropped now.
    private long dropFrom(SocketWriter.Cold range, Object reader, long dropTo) {
        long nowNs = System.nanoTime();
        synchronized (readings) {
            Reading reading = readings.get(range.file());
            if (reading == null) {
                readings.put(range.file(), new Reading(reader, nowNs, range.position() & -LARGEST_FOLIO_BYTES));
                return dropTo;
            }
            if (reading.reader != reader) {
                if (nowNs - reading.lastNs < SHARED_NS) {
                    reading.sharedUntilNs = nowNs + SHARED_NS;
                }
                reading.reader = reader;
                reading.keptFrom = range.position() & -LARGEST_FOLIO_BYTES;
            }
            long from = Math.min(reading.keptFrom, range.position() & -LARGEST_FOLIO_BYTES); // it may have gone back
            reading.lastNs = nowNs;
            reading.keptFrom = Math.max(from, dropTo);
            return reading.sharedUntilNs - nowNs > 0 ? dropTo : from;
        }
    }

    /// A descriptor of its own, of the same file even if it was unlinked. Not that of the segment: it has the
    /// advice that it is read at random.
    private Descriptor reopen(Descriptor file, boolean isPastCache) throws ErrnoException {
        Path path = Path.of("/proc/self/fd/" + file.number());
        int flags = Files.O_RDONLY | (isPastCache ? Files.O_DIRECT : 0);
        return kernel.files().open(path, flags, 0, account).orThrow();
    }

    /// Reads a range for the page cache alone.
    ///
    /// @return as sendfile(2)
    long bring(Descriptor file, long position, long lengthBytes) {
        try (Arena arena = Arena.ofConfined()) {
            return kernel.sockets()
                    .sendfile(nowhere(), file, position, lengthBytes, arena.allocate(Long.BYTES, Long.BYTES));
        } catch (ErrnoException e) {
            return -e.errno();
        }
    }

    private Descriptor nowhere() throws ErrnoException {
        synchronized (out) {
            Descriptor open = nowhere;
            if (open == null) {
                open = kernel.files()
                        .open(Path.of("/dev/null"), Files.O_WRONLY, 0, account)
                        .orThrow();
                nowhere = open;
            }
            return open;
        }
    }

    /// Peers that are slow keep what was read for them; many of them get less at a time.
    PipePool.Pipe takePipe() throws ErrnoException {
        boolean many;
        synchronized (out) {
            many = out.size() >= MOST_LARGE_PIPES;
        }
        return many ? pipes.takeSmall(kernel) : pipes.take(kernel);
    }

    /// Notes that a pipe is a sink's.
    ///
    /// @return false when the reader is closed
    boolean isOut(PipePool.Pipe pipe) {
        synchronized (out) {
            if (closed) {
                return false;
            }
            out.add(pipe);
            return true;
        }
    }

    /// From the block that the range begins in; what is before the range is thrown away. The pipe may get some
    /// bytes from behind the range too.
    long fillPastCache(Descriptor file, SocketWriter.Cold range, PipePool.Pipe pipe) throws ErrnoException {
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
        synchronized (streams) {
            streams.values().forEach(ColdStream::close);
            streams.clear();
        }
        synchronized (out) {
            out.forEach(PipePool.Pipe::close);
            out.clear();
            if (nowhere != null) {
                nowhere.close();
            }
        }
        pipes.close();
    }
}
