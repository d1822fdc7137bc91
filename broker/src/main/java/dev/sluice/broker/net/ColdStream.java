package dev.sluice.broker.net;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.transfer.SocketWriter;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The way of one consumer through a file that it reads from the disk: a descriptor of its own, and how far it has
/// been read ahead.
///
/// The kernel keeps with each open file how far a reader has come in sequence, and reads the further ahead, in larger
/// and larger folios, the longer the sequence lasts. So the descriptor stays as long as the consumer goes on, and
/// everything is read on it in order.
///
/// ```
///            read                     the window is there: told         as far ahead as wished, or the file's end
///   at rest ───────▶ reading it ───────────────────────────────▶ reading ahead ────────────────────────▶ at rest
///                        ▲                                            │
///                        └───────────────────── read ─────────────────┘          closed: as soon as no thread is in it
/// ```
///
/// Loops ask, one of the [ColdThreads] at a time works.
final class ColdStream implements Runnable, ColdFile {
    private static final Logger LOG = LoggerFactory.getLogger(ColdStream.class);

    /// What is read ahead before somebody else gets the thread, and before the next wish is looked at.
    private static final long STEP_BYTES = 1 << 20;

    /// What is cached so far ahead was not read ahead for this consumer: neither by us nor, by itself, by the
    /// kernel.
    private static final long FAR_BYTES = 64 << 20;

    /// @param range of no length when nobody waits for it
    private record Wish(SocketWriter.Cold range, long dropFrom, long dropTo, ColdReader.Sink sink) {
        /// Both in one: what somebody waits for is not forgotten for what nobody does.
        Wish and(Wish later) {
            Wish wanted = range.lengthBytes() > 0 ? this : later;
            return new Wish(
                    wanted.range, Math.min(dropFrom, later.dropFrom), Math.max(dropTo, later.dropTo), wanted.sink);
        }
    }

    private final ColdReader reader;
    private final Descriptor file;

    // Guarded by this.
    private @Nullable Wish next;
    private boolean running;
    private boolean closed;

    // Of the thread that is in it; the lock orders one after the other.
    private long aheadFrom;
    private long aheadTo;

    /// Whether it is over when so far was read ahead: what comes then is cached, or there is nothing.
    private boolean last;

    /// @param file of its own; the stream closes it
    ColdStream(ColdReader reader, Descriptor file) {
        this.reader = reader;
        this.file = file;
    }

    /// Has a range read, and told to the sink; never when [#close] comes first.
    ///
    /// @param dropFrom what lies from here…
    /// @param dropTo   …to here is dropped from the page cache afterwards
    /// @return false when it is closed: a new one has to be begun
    boolean read(SocketWriter.Cold range, long dropFrom, long dropTo, ColdReader.Sink sink) {
        return wish(new Wish(range, dropFrom, dropTo, sink));
    }

    /// Reads ahead from where its reader is by now.
    ///
    /// @param over run when this was the last time
    /// @return false when it is closed
    boolean advance(SocketWriter.Cold reached, long dropFrom, long dropTo, Runnable over) {
        return wish(new Wish(reached, dropFrom, dropTo, (_, isReadAhead) -> {
            if (!isReadAhead) {
                over.run();
            }
        }));
    }

    private boolean wish(Wish wish) {
        boolean begin;
        synchronized (this) {
            if (closed) {
                return false;
            }
            next = next == null ? wish : next.and(wish);
            begin = !running;
            running = true;
        }
        if (begin) {
            try {
                reader.threads().execute(this);
            } catch (RuntimeException | Error e) { // it stops, or OutOfMemoryError: the kernel has no thread for us
                synchronized (this) {
                    running = false;
                }
                close();
                throw e;
            }
        }
        return true;
    }

    /// On a thread of the reader's.
    @Override
    public void run() {
        boolean goesOn;
        do {
            Wish wish;
            boolean isLeft;
            boolean isOver;
            synchronized (this) {
                wish = next;
                next = null;
                isLeft = closed || (wish == null && aheadFrom >= aheadTo);
                running = !isLeft;
                closed |= isLeft && last;
                isOver = closed;
            }
            if (isLeft) {
                if (isOver) {
                    file.close();
                }
                return;
            }
            // Who waits for bytes comes before who may want some.
            goesOn = wish != null || !reader.threads().isAwaited();
            try {
                if (wish == null) {
                    readAhead();
                } else {
                    serve(wish);
                }
            } catch (RuntimeException | Error e) {
                LOG.error("Reading {} ahead failed", file.name(), e);
                aheadFrom = aheadTo;
            }
        } while (goesOn || !reader.threads().runLater(this));
    }

    private void serve(Wish wish) {
        SocketWriter.Cold range = wish.range;
        long result;
        boolean goesOn = false;
        try {
            result = bring(range.position(), range.lengthBytes());
            goesOn = result >= 0 && isColdFurtherOn(range.position());
            last = !goesOn;
            aheadFrom = Math.max(aheadFrom, range.position() + Math.max(0, result));
            aheadTo = result >= 0 ? range.position() + SocketWriter.AHEAD_BYTES : 0;
        } catch (ErrnoException e) {
            result = -e.errno();
        } catch (RuntimeException | Error e) {
            LOG.error("Reading {} from the disk failed", range.file().name(), e);
            result = -Errno.EIO;
        }
        wish.sink.read(result, goesOn);
        if (wish.dropTo > wish.dropFrom) { // a hint; what a socket still sends keeps its pages
            reader.kernel().files().advise(file, wish.dropFrom, wish.dropTo - wish.dropFrom, Files.FADV_DONTNEED);
        }
    }

    private void readAhead() {
        long wanted = Math.min(STEP_BYTES, aheadTo - aheadFrom);
        long read = bring(aheadFrom, wanted);
        aheadFrom = read < wanted ? aheadTo : aheadFrom + read; // at the end, or at an error: its reader will meet it
    }

    /// Has a range in the page cache when it returns, by a way on which the kernel sees it read in sequence.
    ///
    /// @return bytes up to the file's end or up to what can't be read, or −errno when these are none
    private long bring(long position, long lengthBytes) {
        long done = 0;
        while (done < lengthBytes) {
            long read = reader.bring(file, position + done, lengthBytes - done);
            if (read == 0 || (read < 0 && read != -Errno.EINTR)) {
                return done > 0 ? done : read == 0 ? -Errno.EIO : read;
            }
            done += Math.max(0, read);
        }
        return done;
    }

    /// Whether what the consumer comes to next has to be read from the disk as well: not at the file's end, nor
    /// where it has caught up with what is cached anyhow.
    private boolean isColdFurtherOn(long position) throws ErrnoException {
        long size = sizeBytes();
        if (position + FAR_BYTES > size) {
            return position + SocketWriter.AHEAD_BYTES < size;
        }
        long far = position + FAR_BYTES - STEP_BYTES;
        return reader.kernel().pageCache().residentBytes(file, far, STEP_BYTES) < STEP_BYTES;
    }

    private long sizeBytes() throws ErrnoException {
        return reader.kernel().files().status(file).sizeBytes();
    }

    @Override
    public synchronized boolean isClosed() {
        return closed;
    }

    @Override
    public boolean closeIfAtRest() {
        synchronized (this) {
            if (running) {
                return false;
            }
            closed = true;
        }
        closeFile();
        return true;
    }

    @Override
    public void close() {
        boolean isLeft;
        synchronized (this) {
            closed = true;
            isLeft = !running;
        }
        if (isLeft) {
            closeFile();
        }
    }

    /// On a thread of the reader's, while there is one: it may take long, for the last descriptor of a file that
    /// was deleted gives the file's room back.
    private void closeFile() {
        if (!reader.threads().runLater(file::close)) {
            file.close();
        }
    }
}
