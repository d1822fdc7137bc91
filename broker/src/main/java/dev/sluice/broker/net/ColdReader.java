package dev.sluice.broker.net;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.SocketWriter;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Reads into the page cache what consumers want and it hasn't, so that no event loop waits for a disk.
///
/// It is read, and ahead, by a [ColdStream] for each consumer and file; the loop then sends it from
/// there as it sends all else. What a file's only reader has far behind it is dropped from the page cache again, so
/// that it drives out nothing that others read. Where several read a file, what one has brought in is there for all.
///
/// Thread-safe.
final class ColdReader implements AutoCloseable {
    /// Takes what was read, on a thread of the reader's.
    @FunctionalInterface
    interface Sink {
        /// @param result bytes that are there, or −errno
        /// @param isReadAhead whether more is being read ahead in the page cache
        void read(long result, boolean isReadAhead);
    }

    private static final Logger LOG = LoggerFactory.getLogger(ColdReader.class);

    /// What a lone reader leaves in the page cache behind it: so far apart may others follow without reading the
    /// disk again.
    private static final long KEPT_BYTES = 16 << 20;

    /// For how long nothing is dropped of a file that somebody else has read.
    private static final long SHARED_NS = TimeUnit.SECONDS.toNanos(10);
    private static final int MOST_FILES = 1024;

    /// What ranges that are dropped begin and end with multiples of: no folio is larger, and one that lies in the
    /// range with a part of it alone would stay.
    private static final long LARGEST_FOLIO_BYTES = 2 << 20;

    private final Kernel kernel;
    private final Account account = Account.root("cold reads");
    private final ColdThreads threads;
    private final ColdFiles files;

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

    /// Where what was only to be brought into memory goes; opened when it is first needed. Guarded by this.
    private @Nullable Descriptor nowhere;

    /// @param threads that may wait for the disk; borrowed
    /// @param files   what it opens is kept there; borrowed
    ColdReader(Kernel kernel, ColdThreads threads, ColdFiles files) {
        this.kernel = kernel;
        this.threads = threads;
        this.files = files;
    }

    Kernel kernel() {
        return kernel;
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
        long dropTo = dropTo(range.position());
        long dropFrom = dropFrom(range, reader, dropTo);
        try {
            boolean isRead = files.use(reader, range.file()) instanceof ColdStream known
                    && known.read(range, dropFrom, dropTo, sink);
            if (!isRead) {
                files.makeRoom(reader);
                ColdStream begun = new ColdStream(this, reopen(range.file()));
                begun.read(range, dropFrom, dropTo, sink); // before others see it, and find it at rest
                files.keep(reader, range.file(), begun);
            }
        } catch (RejectedExecutionException e) {
            throw new ErrnoException(Call.SENDFILE, Errno.EIO, "the broker stops");
        } catch (RuntimeException | Error e) { // OutOfMemoryError when the kernel has no thread for us
            LOG.error("{} can't be read: no thread could be begun", range.file().name(), e);
            throw new ErrnoException(
                    Call.SENDFILE,
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
        long dropFrom = dropFrom(reached, reader, dropTo);
        try {
            return files.use(reader, reached.file()) instanceof ColdStream known
                    && known.advance(reached, dropFrom, dropTo, over);
        } catch (RejectedExecutionException | OutOfMemoryError e) {
            return false; // whoever needs those bytes will be told
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
    private Descriptor reopen(Descriptor file) throws ErrnoException {
        Path path = Path.of("/proc/self/fd/" + file.number());
        return kernel.files().open(path, Files.O_RDONLY, 0, account).orThrow();
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

    private synchronized Descriptor nowhere() throws ErrnoException {
        Descriptor open = nowhere;
        if (open == null) {
            open = kernel.files()
                    .open(Path.of("/dev/null"), Files.O_WRONLY, 0, account)
                    .orThrow();
            nowhere = open;
        }
        return open;
    }

    /// After its threads have ended.
    @Override
    public synchronized void close() {
        if (nowhere != null) {
            nowhere.close();
        }
    }
}
