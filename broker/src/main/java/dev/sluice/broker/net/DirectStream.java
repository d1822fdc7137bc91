package dev.sluice.broker.net;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.transfer.SocketWriter;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The way of one consumer through a file that it reads past the page cache: a descriptor of its own, and windows of
/// the file, one behind the other.
///
/// While the loop sends one, up to two threads fill those behind it, as soon as the consumer has gone on where it had
/// stopped: who reads here and there has nothing read ahead. What a window holds and an answer didn't want is there
/// for the next answer.
///
/// ```
///            the windows, in the order of the file                    with the loop
///   disk ──▶ filling, filling, ready, ready ────────lend────────────▶ lent ──▶ socket
///                                      ▲                               │
///                                      └────────bytes are left─────────┴──none left──▶ memory
/// ```
///
/// Nothing is read that could still change: ahead is as far as the consumer's answers said that the file is written.
///
/// Loops ask, [ColdThreads] work.
final class DirectStream implements Runnable, ColdFile {
    private static final Logger LOG = LoggerFactory.getLogger(DirectStream.class);

    /// Windows that one consumer has: with the loop, ready and being filled.
    static final int MOST_WINDOWS = 4;

    /// Reads under way at a time: with one the disk would rest until the next has been asked for.
    private static final int MOST_THREADS = 2;

    private record Wish(SocketWriter.Cold range, DirectReader.Sink sink) {}

    /// Bytes of the file in memory. Guarded by the stream, but for the memory's content while it is being filled.
    private static final class Window {
        private final DirectMemory.Piece memory;
        private final long from;
        private long position;
        private long lengthBytes;
        /// Whether it is for what was asked for, and no more.
        private final boolean isExact;

        private boolean isFilling = true;
        /// Given up while it was being filled: whoever fills it gives the memory back.
        private boolean isDropped;
        /// 0, or −errno: nothing more could be read.
        private int failure;

        Window(DirectMemory.Piece memory, long position, long lengthBytes, boolean isExact) {
            this.memory = memory;
            this.from = position & -DirectReader.BLOCK_BYTES;
            this.position = position;
            this.lengthBytes = lengthBytes;
            this.isExact = isExact;
        }

        MemorySegment bytes(long count) {
            return memory.segment().asSlice(position - from, count);
        }
    }

    private final DirectReader reader;
    private final Descriptor file;

    // Guarded by this.
    private final ArrayDeque<Window> windows = new ArrayDeque<>(MOST_WINDOWS);
    private @Nullable Window lent;
    private @Nullable Wish waiting;

    /// Where the next window begins: behind all others.
    private long fillAt = -1;
    /// How far may be read ahead.
    private long aheadTo;
    /// Whether the file has no bytes behind `fillAt`.
    private boolean isAtEnd;
    /// That are in it, or were asked for.
    private int threads;
    private boolean closed;

    /// @param file of its own; the stream closes it
    DirectStream(DirectReader reader, Descriptor file) {
        this.reader = reader;
        this.file = file;
    }

    // ---- On the loop

    /// Has a range told to the sink, or its first bytes, when they are there; never when [#close] comes first. When
    /// they are there already the sink is told within this call.
    ///
    /// @return false when it is closed: a new one has to be begun
    boolean read(SocketWriter.Cold range, DirectReader.Sink sink) {
        Window found;
        synchronized (this) {
            if (closed) {
                return false;
            }
            aheadTo = moveTo(range.position()) ? range.readableTo() : 0;
            waiting = new Wish(range, sink);
            found = lend();
        }
        if (found == null) {
            begin(true);
        } else {
            tell(sink, found, range.lengthBytes());
            begin(false);
        }
        return true;
    }

    /// Gives up what was read, unless a reader at this position goes on with it.
    ///
    /// @return whether it does
    private boolean moveTo(long position) {
        Window first = windows.peekFirst();
        if (position == (first == null ? fillAt : first.position)) {
            return true;
        }
        dropAll();
        fillAt = position;
        isAtEnd = false;
        return false;
    }

    private void dropAll() {
        while (!windows.isEmpty()) {
            drop(windows.removeLast());
        }
    }

    private static void drop(Window window) {
        window.isDropped = true;
        if (!window.isFilling) {
            window.memory.release();
        }
    }

    /// The first window for whom waits, who does so no longer then; null when it is not ready, or nobody waits.
    private @Nullable Window lend() {
        Window first = windows.peekFirst();
        if (first == null || first.isFilling || waiting == null) {
            return null;
        }
        windows.pollFirst();
        first.memory.isWanted();
        waiting = null;
        if (first.failure != 0) {
            first.memory.release();
        } else {
            lent = first;
        }
        return first;
    }

    private void tell(DirectReader.Sink sink, Window window, long wantedBytes) {
        if (window.failure != 0) {
            sink.failed(-window.failure);
        } else {
            long count = Math.min(window.lengthBytes, wantedBytes);
            sink.read(window.bytes(count), () -> takeBack(window, count));
        }
    }

    /// When the loop has sent so many bytes of it, or given them up.
    private void takeBack(Window window, long sentBytes) {
        boolean isOver;
        synchronized (this) {
            lent = null;
            window.position += sentBytes;
            window.lengthBytes -= sentBytes;
            if (window.lengthBytes > 0 && !closed && window.memory.isKept()) {
                windows.addFirst(window);
            } else {
                window.memory.release();
                if (window.lengthBytes > 0) {
                    dropAll();
                    fillAt = window.position;
                }
            }
            isOver = isDone();
            closed |= isOver;
        }
        if (isOver) {
            letGoLater();
        } else {
            begin(false);
        }
    }

    /// Gives it one more thread, if there is work for one.
    ///
    /// @param isAwaited whether somebody waits for it, and is to be told by an exception when none can be had
    private void begin(boolean isAwaited) {
        synchronized (this) {
            if (!hasWork() || threads == MOST_THREADS) {
                return;
            }
            threads++;
        }
        try {
            reader.threads().execute(this);
        } catch (RuntimeException | Error e) { // it stops, or OutOfMemoryError: the kernel has no thread for us
            boolean isAlone;
            synchronized (this) {
                threads--;
                isAlone = threads == 0;
            }
            if (isAwaited && isAlone) {
                close();
                throw e;
            } // whoever comes to those bytes asks again
        }
    }

    // ---- What is to be done

    /// Whether a window is to be filled.
    private boolean hasWork() {
        return !closed && (isAwaited() || mayReadAhead());
    }

    private boolean isAwaited() {
        return waiting != null && windows.isEmpty();
    }

    private boolean mayReadAhead() {
        return fillAt >= 0
                && fillAt < aheadTo
                && !isAtEnd
                && windows.size() + (lent == null ? 0 : 1) < MOST_WINDOWS
                && reader.memory().hasRoomAhead();
    }

    /// Whether its consumer has had all that the file holds.
    private boolean isDone() {
        return isAtEnd && windows.isEmpty() && lent == null && waiting == null && threads == 0 && !closed;
    }

    // ---- On threads that may wait for the disk

    @Override
    public void run() {
        while (true) {
            Window window = null;
            try {
                window = plan();
            } catch (ErrnoException e) {
                failed(e.errno());
            } catch (RuntimeException | Error e) {
                LOG.error("No memory to read {} with", file.name(), e);
                failed(Errno.ENOMEM);
            }
            if (window != null) {
                begin(false); // for the next one, if there is one
                fill(window);
                // Who waits for bytes comes before who may want some.
                if (reader.threads().isAwaited() && reader.threads().runLater(this)) {
                    return;
                }
            } else if (leave()) {
                return;
            }
        }
    }

    /// The next window, which this thread is to fill.
    ///
    /// @return null when there is none to be filled
    private @Nullable Window plan() throws ErrnoException {
        boolean isWanted;
        synchronized (this) {
            if (!hasWork()) {
                return null;
            }
            isWanted = isAwaited();
        }
        DirectMemory.Piece memory =
                isWanted ? reader.memory().take() : reader.memory().takeAhead();
        if (memory == null) {
            return null;
        }
        synchronized (this) {
            if (!hasWork()) {
                memory.release();
                return null;
            }
            Wish wish = waiting;
            long wanted = Math.max(aheadTo - fillAt, wish == null ? 0 : wish.range.lengthBytes());
            long room = memory.segment().byteSize() - (fillAt & (DirectReader.BLOCK_BYTES - 1));
            Window window = new Window(memory, fillAt, Math.min(wanted, room), aheadTo <= fillAt);
            windows.addLast(window);
            fillAt += window.lengthBytes;
            return window;
        }
    }

    /// Counts the thread out.
    ///
    /// @return false when there is something to do after all
    private boolean leave() {
        boolean isOver;
        synchronized (this) {
            if (hasWork()) {
                return false;
            }
            threads--;
            closed |= isDone();
            isOver = closed && threads == 0;
        }
        if (isOver) {
            letGo();
        }
        return true;
    }

    private void fill(Window window) {
        long result;
        boolean reachesEnd = false;
        try {
            long before = window.position - window.from;
            long whole = (before + window.lengthBytes + DirectReader.BLOCK_BYTES - 1) & -DirectReader.BLOCK_BYTES;
            result = reader.fill(file, window.from, window.memory.segment().asSlice(0, whole));
            if (result >= 0 && result <= before) {
                result = -Errno.EIO; // it has ended before the range did
            } else if (result > 0) {
                result = Math.min(result - before, window.lengthBytes);
                reachesEnd = window.position + result >= reader.sizeBytes(file);
            }
        } catch (ErrnoException e) {
            result = -e.errno();
        } catch (RuntimeException | Error e) {
            LOG.error("Reading {} from the disk failed", file.name(), e);
            result = -Errno.EIO;
        }
        filled(window, result, reachesEnd);
    }

    private void filled(Window window, long result, boolean reachesEnd) {
        Wish wish;
        Window found;
        synchronized (this) {
            window.isFilling = false;
            if (window.isDropped) {
                window.memory.release();
            } else if (result <= 0 && window.isExact) {
                window.failure = (int) result;
            } else if (result <= 0) {
                giveUpAhead(window);
            } else {
                isAtEnd |= reachesEnd;
                if (result < window.lengthBytes) {
                    window.lengthBytes = result; // what was read behind it is not what comes next
                }
            }
            wish = waiting;
            found = lend();
        }
        if (wish != null && found != null) {
            tell(wish.sink, found, wish.range.lengthBytes());
        }
    }

    /// What is wanted alone may be readable, where all that was to be read is not.
    private void giveUpAhead(Window window) {
        Window last;
        do {
            last = windows.removeLast();
            drop(last);
        } while (last != window);
        fillAt = window.position;
        aheadTo = 0;
    }

    /// No memory can be had: who waits is told.
    private void failed(int errno) {
        Wish wish;
        synchronized (this) {
            aheadTo = 0;
            wish = isAwaited() ? waiting : null;
            waiting = wish == null ? waiting : null;
        }
        if (wish != null) {
            wish.sink.failed(errno);
        }
    }

    // ---- Its end

    @Override
    public synchronized boolean isClosed() {
        return closed;
    }

    @Override
    public boolean closeIfAtRest() {
        synchronized (this) {
            if (threads > 0) {
                return false;
            }
            if (closed) {
                return true;
            }
            closed = true;
        }
        letGoLater();
        return true;
    }

    @Override
    public void close() {
        boolean isLeft;
        synchronized (this) {
            isLeft = threads == 0 && !closed;
            closed = true;
            waiting = null;
        }
        if (isLeft) {
            letGoLater();
        }
    }

    /// On a thread that may wait for the disk, while there is one: it may take long, for the last descriptor of a
    /// file that was deleted gives the file's room back.
    private void letGoLater() {
        if (!reader.threads().runLater(this::letGo)) {
            letGo();
        }
    }

    private void letGo() {
        synchronized (this) {
            dropAll();
        }
        file.close();
    }
}
