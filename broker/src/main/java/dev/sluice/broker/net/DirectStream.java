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
/// stopped: who reads here and there has nothing read ahead. What was sent stays for a while: an answer may end within
/// a batch, and the next one then begins with that batch.
///
/// ```
///   │◀─ KEPT_BYTES ─▶│                   │◀────────── AHEAD_BYTES ──────────▶│
///   │ sent           │ with the loop     │ ready       │ filling   │ filling │
///                                        ▲ at                                ▲ fillAt
/// ```
///
/// Nothing is read that could still change: ahead is as far as the consumer's answers said that the file is written.
///
/// Loops ask, [ColdThreads] work.
final class DirectStream implements Runnable, ColdFile {
    private static final Logger LOG = LoggerFactory.getLogger(DirectStream.class);

    /// How far is read ahead: what two reads bring, and what the loop sends meanwhile.
    static final long AHEAD_BYTES = 3 << 20;

    /// How far behind a consumer its windows are kept: batches are seldom longer.
    static final long KEPT_BYTES = 1 << 20;

    /// Reads under way at a time: with one the disk would rest until the next has been asked for.
    private static final int MOST_THREADS = 2;

    private record Wish(SocketWriter.Cold range, DirectReader.Sink sink) {}

    /// Bytes of the file in memory. Guarded by the stream, but for the memory's content.
    private static final class Window {
        private final DirectMemory.Piece memory;
        /// First byte.
        private final long position;
        /// The block that it lies in: where the memory begins.
        private final long blockPosition;
        /// Behind the last byte, once it is filled; till then where it is hoped to be.
        private long endPosition;
        /// Whether it is for what was asked for, and no more.
        private final boolean isExact;

        private boolean isFilling = true;
        private boolean isLent;
        /// Given up while it was being filled, or lent: whoever has it gives the memory back.
        private boolean isDropped;
        /// 0, or −errno: nothing could be read.
        private int failure;

        Window(DirectMemory.Piece memory, long position, long lengthBytes, boolean isExact) {
            this.memory = memory;
            this.position = position;
            this.blockPosition = position & -DirectReader.BLOCK_BYTES;
            this.endPosition = position + lengthBytes;
            this.isExact = isExact;
        }

        boolean contains(long place) {
            return place >= position && place < endPosition;
        }

        MemorySegment bytes(long from, long lengthBytes) {
            return memory.segment().asSlice(from - blockPosition, lengthBytes);
        }
    }

    private final DirectReader reader;
    private final Descriptor file;

    // Guarded by this.
    /// In the order of the file.
    private final ArrayDeque<Window> windows = new ArrayDeque<>();
    private @Nullable Wish waiting;

    /// Where the consumer is: behind what was sent to it.
    private long at;
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
            tell(sink, found, range);
            begin(false);
        }
        return true;
    }

    /// Gives up what was read, unless a reader at this position goes on with it.
    ///
    /// @return whether it does
    private boolean moveTo(long position) {
        at = position;
        if (position == fillAt || windowAt(position) != null) {
            dropBehind();
            return true;
        }
        dropAll();
        return false;
    }

    private @Nullable Window windowAt(long position) {
        for (Window window : windows) {
            if (window.contains(position)) {
                return window;
            }
        }
        return null;
    }

    private void dropBehind() {
        while (!windows.isEmpty() && windows.getFirst().endPosition + KEPT_BYTES <= at) {
            drop(windows.removeFirst());
        }
    }

    /// Begins anew at the consumer's place.
    private void dropAll() {
        windows.forEach(DirectStream::drop);
        windows.clear();
        fillAt = at;
        isAtEnd = false;
    }

    private static void drop(Window window) {
        window.isDropped = true;
        if (!window.isFilling && !window.isLent) {
            window.memory.release();
        }
    }

    /// The window for whom waits, who does so no longer then; null when it is not ready, or nobody waits.
    private @Nullable Window lend() {
        Window found = waiting == null ? null : windowAt(at);
        if (found == null || found.isFilling) {
            return null;
        }
        waiting = null;
        if (found.failure != 0) {
            dropAll(); // to be tried again by whoever comes again
        } else {
            found.isLent = true;
            found.memory.isWanted();
        }
        return found;
    }

    private void tell(DirectReader.Sink sink, Window window, SocketWriter.Cold range) {
        if (window.failure != 0) {
            sink.failed(-window.failure);
        } else {
            long to = Math.min(window.endPosition, range.position() + range.lengthBytes());
            sink.read(window.bytes(range.position(), to - range.position()), () -> takeBack(window, to));
        }
    }

    /// When the loop has sent it up to a position, or given it up.
    private void takeBack(Window window, long position) {
        boolean isOver;
        synchronized (this) {
            window.isLent = false;
            at = position;
            if (window.isDropped) {
                window.memory.release();
            } else if (!window.memory.isKept()) {
                dropAll();
            }
            dropBehind();
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
        return waiting != null && windowAt(at) == null;
    }

    private boolean mayReadAhead() {
        return fillAt < Math.min(aheadTo, at + AHEAD_BYTES)
                && !isAtEnd
                && reader.memory().hasRoomAhead();
    }

    /// Whether its consumer has had all that the file holds.
    private boolean isDone() {
        return isAtEnd && at >= fillAt && waiting == null && threads == 0 && !closed;
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
            fillAt = window.endPosition;
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
        long wantedBytes = window.endPosition - window.position;
        long result;
        boolean reachesEnd = false;
        try {
            long before = window.position - window.blockPosition;
            long whole = (before + wantedBytes + DirectReader.BLOCK_BYTES - 1) & -DirectReader.BLOCK_BYTES;
            result = reader.fill(
                    file, window.blockPosition, window.memory.segment().asSlice(0, whole));
            if (result >= 0 && result <= before) {
                result = -Errno.EIO; // it has ended before the range did
            } else if (result > 0) {
                result = Math.min(result - before, wantedBytes);
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
            } else if (result <= 0 || window.position + result < window.endPosition) {
                endWith(window, result);
            }
            isAtEnd |= reachesEnd && !window.isDropped;
            wish = waiting;
            found = lend();
        }
        if (wish != null && found != null) {
            tell(wish.sink, found, wish.range);
        }
    }

    /// Of a window came less than hoped for: what was read behind it is not what comes next, and what is wanted
    /// alone may be readable, where all that was to be read is not.
    private void endWith(Window window, long result) {
        while (windows.getLast() != window) {
            drop(windows.removeLast());
        }
        window.endPosition = window.position + Math.max(0, result);
        if (result <= 0) {
            drop(windows.removeLast());
        }
        aheadTo = 0;
        fillAt = waiting != null && windowAt(at) == null ? at : window.endPosition;
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
