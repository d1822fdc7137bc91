package dev.sluice.io.transfer;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.IoVectors;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.PageCache;
import dev.sluice.io.linux.Pipes;
import dev.sluice.io.linux.Sockets;
import dev.sluice.io.memory.SlabPool;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/// Sends pieces of memory and spans of files, in order, through a non-blocking stream socket.
///
/// Memory goes by send(2), or by one sendmsg(2) for several pieces behind one another, with MSG_MORE while a span
/// follows, so that a header shares a packet with the span behind it. Spans go by sendfile(2), from the page cache to
/// the socket without a copy by the processor; small ones are copied, and go with the memory around them by one call
/// ([SpanCopies]). Owned by one thread.
///
/// sendfile(2) waits for the disk when bytes are not in the page cache, socket non-blocking or not. A writer whose
/// thread must not wait says [Progress#COLD] instead: what it has left goes to one whose thread may ([#giveAway],
/// [#takeOver]). Where the page cache shall not be filled, that one says COLD too, and goes on when [#filled] has
/// handed it the bytes in a pipe.
///
/// ```
///   sending ──the next window of a span is not in memory──▶ COLD ──giveAway──▶ another writer's
///                                                             └────filled────▶ from the pipe ──empty──▶ sending
/// ```
public final class SocketWriter {
    /// How far a [#flush] came.
    public enum Progress {
        /// Everything was handed to the kernel.
        DONE,
        /// The socket takes no more for now; flush again when it is writable.
        BLOCKED,
        /// The turn's share was used up; flush again soon, others first.
        YIELDED,
        /// What comes next is not in the page cache: [#giveAway], or have [#takeCold] filled, then flush again.
        COLD
    }

    /// Bytes of a file that have to be read from the disk.
    ///
    /// @param file        borrowed until the caller gives control back to the writer
    /// @param position    first byte
    /// @param lengthBytes number of bytes, at least 1
    /// @param isPastCache whether the page cache shall not be filled with them
    public record Cold(Descriptor file, long position, long lengthBytes, boolean isPastCache) {}

    /// Takes a pipe back, on the writer's thread.
    @FunctionalInterface
    public interface PipeReturn {
        /// @param allSent whether the writer has sent all the bytes that it was told of
        void take(PipePool.Pipe pipe, boolean allSent);
    }

    /// Sends a range of a file to the writer's socket, and may wait for the disk to do so.
    @FunctionalInterface
    public interface WaitingSender {
        /// @return as sendfile(2)
        long send(Descriptor file, long position, long lengthBytes);
    }

    /// What a writer had left when it gave it away.
    public static final class Unsent {
        private final SendQueue pieces;
        private final long sentOfFirst;

        private Unsent(SendQueue pieces, long sentOfFirst) {
            this.pieces = pieces;
            this.sentOfFirst = sentOfFirst;
        }

        /// Where no writer takes it over.
        public void release() {
            pieces.clear();
        }
    }

    /// Pieces of memory sent by one call: more than the answers of a burst of pipelined requests.
    private static final int MOST_GATHERED = 64;

    /// What is asked for at a time, of the page cache and of the disk: what a pipe holds.
    private static final long WINDOW_BYTES = 1 << 20;

    private final Kernel kernel;
    private final PageCache pageCache;
    private final Descriptor socket;
    private final @Nullable SpanCopies copies;
    private final @Nullable WaitingSender waiting;
    private final MemorySegment scratch = Arena.ofAuto().allocate(2 * Long.BYTES);
    private SendQueue pieces = new SendQueue();
    private final IoVectors vectors = new IoVectors(Arena.ofAuto(), MOST_GATHERED);
    private long sentOfFirst;
    private long queuedBytes;
    private long added;

    // What was gathered for the next call.
    private boolean moreFollows;

    // Of the first piece, when it is a span.
    /// Up to where it is known to be in the page cache, counted from its start.
    private long warmBytes;
    /// Set while its next bytes are being read from the disk.
    private boolean filling;
    /// Where its next bytes are, and how many.
    private PipePool.@Nullable Pipe pipe;
    private long pipedBytes;
    private @Nullable PipeReturn pipeReturn;

    /// A writer whose thread may wait for the disk.
    ///
    /// @param socket non-blocking; borrowed
    public SocketWriter(Kernel kernel, Descriptor socket) {
        this(kernel, socket, null, null);
    }

    /// A writer whose thread must not wait for the disk: [#flush] may answer [Progress#COLD]. With `waiting` it
    /// may, and says so of those spans alone that shall not fill the page cache.
    ///
    /// @param socket  non-blocking; borrowed
    /// @param copies  of the thread; borrowed
    /// @param waiting by which spans go; null where the thread must not wait
    public SocketWriter(
            Kernel kernel, Descriptor socket, @Nullable SpanCopies copies, @Nullable WaitingSender waiting) {
        this.kernel = kernel;
        this.pageCache = kernel.pageCache();
        this.socket = socket;
        this.copies = copies;
        this.waiting = waiting;
    }

    /// Queues memory; it belongs to the writer until `hold` is released.
    public void add(MemorySegment bytes, Hold hold) {
        pieces.add(bytes, hold, false);
        added(bytes.byteSize());
    }

    /// Queues a part of a slab. What is queued after it gives that back.
    public void addPart(MemorySegment slab, long from, long lengthBytes) {
        pieces.addSlab(slab, from, lengthBytes, null);
        added(lengthBytes);
    }

    /// Queues the last part of a slab, which is given back to its pool when that was sent or given up.
    public void addLast(MemorySegment slab, long from, long lengthBytes, SlabPool owner) {
        pieces.addSlab(slab, from, lengthBytes, owner);
        added(lengthBytes);
    }

    /// Queues a range of a file; from memory where it is there.
    public void add(Span span) {
        List<MemorySegment> slices = span.inMemory();
        if (slices.isEmpty()) {
            pieces.add(span);
            added(span.lengthBytes());
            return;
        }
        for (int i = 0; i < slices.size(); i++) {
            pieces.add(slices.get(i), i + 1 < slices.size() ? Hold.NONE : span.hold(), true);
            added(slices.get(i).byteSize());
        }
    }

    private void added(long lengthBytes) {
        queuedBytes += lengthBytes;
        added++;
    }

    /// A number for the place behind what is queued now: [#cutBack] goes back there.
    public long mark() {
        return added;
    }

    /// Gives up the pieces that were queued behind a mark.
    ///
    /// @return false when the kernel has some of their bytes already: the stream is then broken in mid-frame
    public boolean cutBack(long mark) {
        long left = pieces.count() - (added - mark);
        boolean whole = left > 0 || (left == 0 && sentOfFirst == 0 && !filling && pipe == null);
        while (whole && added > mark) {
            added--;
            queuedBytes -= pieces.get(pieces.count() - 1).lengthBytes();
            pieces.removeLast();
        }
        return whole;
    }

    /// Whether everything was handed to the kernel.
    public boolean isEmpty() {
        return pieces.isEmpty();
    }

    /// Bytes queued and not handed to the kernel yet.
    public long queuedBytes() {
        return queuedBytes;
    }

    /// Sends until everything is sent, the socket is full, or about `shareBytes` have gone.
    ///
    /// @throws ErrnoException when the peer is gone (EPIPE, ECONNRESET…), when the file could not be read, or when
    ///     it ended before its span did (EIO): the stream is then broken in mid-frame and must be closed
    public Progress flush(long shareBytes) throws ErrnoException {
        long share = shareBytes;
        dropSent(0);
        while (!pieces.isEmpty()) {
            if (share <= 0) {
                return Progress.YIELDED;
            }
            SendQueue.Piece first = pieces.get(0);
            Span span = first.span();
            long sent;
            if (pipe == null && !filling && gather()) {
                sent = sendGathered();
            } else if (span != null) {
                if (pipe == null && (filling || isCold(span))) {
                    return Progress.COLD;
                }
                sent = sendSpan(span, share);
            } else {
                throw new IllegalStateException("memory that can't be gathered");
            }
            if (sent == -Errno.EAGAIN) {
                return Progress.BLOCKED;
            }
            if (sent == -Errno.EINTR) {
                continue;
            }
            if (sent == 0 || sent == -Errno.EIO) {
                first.unreadable(); // no socket answers either
                throw new ErrnoException(Call.SENDFILE, Errno.EIO, describe(span, sent));
            }
            ErrnoException.check(sent, span != null ? Call.SENDFILE : Call.SEND, socket.name());
            share -= sent;
            dropSent(sent);
        }
        return Progress.DONE;
    }

    /// Asks the kernel, a window at a time. Where it doesn't tell, everything counts as warm. Of what is on its way
    /// from the disk the last byte comes last, as a rule; where it doesn't, the wait is for reads that are under
    /// way.
    private boolean isCold(Span span) {
        if (copies == null || sentOfFirst < warmBytes || sendsWaiting(span)) {
            return false;
        }
        long position = span.position() + sentOfFirst;
        if (copies.wouldWait()) {
            return true; // what is being read counts as resident already
        }
        long window = Math.min(span.lengthBytes() - sentOfFirst, WINDOW_BYTES);
        long resident = pageCache.residentBytes(span.file(), position, window);
        if (resident < 0) {
            if (span.isPastCache()) {
                return true;
            }
        } else if (resident < window || copies.isAwaited(span.file(), position + window - 1)) {
            return true;
        }
        warmBytes = sentOfFirst + window;
        return false;
    }

    private boolean sendsWaiting(Span span) {
        return waiting != null && !span.isPastCache();
    }

    /// Gives away what is queued, in whatever state it is, for another writer of the same socket. Not while
    /// [#takeCold] is being read.
    ///
    /// @param owner runs on this writer's thread what gives memory back there; when it never does, that memory is
    ///              the garbage collector's
    public Unsent giveAway(Executor owner) {
        if (filling || pipe != null) {
            throw new IllegalStateException("its next bytes are being read from the disk");
        }
        pieces.handOn(owner);
        Unsent unsent = new Unsent(pieces, sentOfFirst);
        pieces = new SendQueue();
        queuedBytes = 0;
        sentOfFirst = 0;
        warmBytes = 0;
        return unsent;
    }

    /// Goes on where another writer of the same socket has come to. Before anything was queued.
    public void takeOver(Unsent unsent) {
        pieces = unsent.pieces;
        for (int i = 0; i < pieces.count(); i++) {
            added(pieces.get(i).lengthBytes());
        }
        sentOfFirst = unsent.sentOfFirst;
        queuedBytes -= sentOfFirst;
    }

    /// What is to be read from the disk before sending can go on, once after [#flush] has answered
    /// [Progress#COLD]; null while it is being read already.
    public @Nullable Cold takeCold() {
        Span span = firstSpan();
        if (filling || pipe != null || span == null) {
            return null;
        }
        filling = true;
        long length = Math.min(span.lengthBytes() - sentOfFirst, WINDOW_BYTES);
        return new Cold(span.file(), span.position() + sentOfFirst, length, span.isPastCache());
    }

    /// The bytes that [#takeCold] has told could not be read: whoever holds the file is told. The stream is broken
    /// in mid-frame and must be closed.
    public void unfilled() {
        Span span = firstSpan();
        if (filling && span != null) {
            span.hold().unreadable();
        }
    }

    /// What is sent next, if it is a span.
    private @Nullable Span firstSpan() {
        return pieces.isEmpty() ? null : pieces.get(0).span();
    }

    /// The bytes that [#takeCold] has told, or the first of them, are in a pipe.
    ///
    /// @param full        non-blocking
    /// @param lengthBytes at least 1; what lies behind them in the pipe is left there
    /// @param back        called when those bytes were sent or given up
    public void filled(PipePool.Pipe full, long lengthBytes, PipeReturn back) {
        if (!filling) {
            back.take(full, false); // given up meanwhile
            return;
        }
        filling = false;
        pipe = full;
        pipedBytes = lengthBytes;
        pipeReturn = back;
    }

    private long sendPipe(PipePool.Pipe from, long share) {
        // Said of the last bytes it would hold them back for 200 ms.
        int flags = Pipes.SPLICE_F_NONBLOCK | (pipedBytes < queuedBytes ? Pipes.SPLICE_F_MORE : 0);
        long sent = kernel.pipes()
                .splice(
                        from.ends().readEnd(),
                        Pipes.NO_POSITION,
                        socket,
                        Pipes.NO_POSITION,
                        Math.min(pipedBytes, share),
                        flags,
                        scratch);
        if (sent > 0) {
            pipedBytes -= sent;
            if (pipedBytes == 0) {
                dropPipe();
            }
        }
        return sent;
    }

    private void dropPipe() {
        PipePool.Pipe dropped = pipe;
        PipeReturn back = pipeReturn;
        boolean allSent = pipedBytes == 0;
        pipe = null;
        pipeReturn = null;
        pipedBytes = 0;
        if (dropped != null && back != null) {
            back.take(dropped, allSent);
        }
    }

    private long sendSpan(Span span, long share) {
        if (pipe != null) {
            return sendPipe(pipe, share);
        }
        if (waiting != null && !span.isPastCache()) {
            long left = Math.min(span.lengthBytes() - sentOfFirst, share);
            return waiting.send(span.file(), span.position() + sentOfFirst, left);
        }
        long known = copies == null ? span.lengthBytes() : warmBytes;
        long length = Math.min(known - sentOfFirst, share);
        return kernel.sockets().sendfile(socket, span.file(), span.position() + sentOfFirst, length, scratch);
    }

    /// Takes the first pieces together, as far as they are memory or can be copied to memory.
    ///
    /// @return false when the first is a span that is to be sent as such
    private boolean gather() {
        vectors.clear();
        if (copies != null) {
            copies.clear();
        }
        moreFollows = false;
        long from = sentOfFirst;
        for (int i = 0; i < pieces.count(); i++) {
            if (!gather(pieces.get(i), from)) {
                moreFollows = true;
                break;
            }
            from = 0;
        }
        return vectors.count() > 0;
    }

    /// @param from first byte, counted from the piece's start
    private boolean gather(SendQueue.Piece piece, long from) {
        Span span = piece.span();
        return span == null
                ? vectors.add(piece.memory(), piece.from() + from, piece.lengthBytes() - from)
                : copies != null && copies.copy(span, from, vectors);
    }

    private long sendGathered() {
        int flags = moreFollows ? Sockets.MSG_MORE : 0;
        SendQueue.Piece first = pieces.get(0);
        return vectors.count() == 1 && first.span() == null
                ? kernel.sockets()
                        .send(
                                socket,
                                first.memory(),
                                first.from() + sentOfFirst,
                                first.lengthBytes() - sentOfFirst,
                                flags)
                : kernel.sockets().sendmsg(socket, vectors, flags);
    }

    /// Forgets what was sent, and pieces of no length in front.
    private void dropSent(long sentBytes) {
        queuedBytes -= sentBytes;
        sentOfFirst += sentBytes;
        while (!pieces.isEmpty() && sentOfFirst >= pieces.get(0).lengthBytes()) {
            sentOfFirst -= pieces.get(0).lengthBytes();
            warmBytes = 0;
            pieces.removeFirst();
        }
    }

    private String describe(@Nullable Span span, long sent) {
        if (span == null) {
            return socket.name() + ", which took no bytes";
        }
        return sent == 0
                ? span.file().name() + ", which ended before byte " + (span.position() + span.lengthBytes())
                : span.file().name() + " from byte " + (span.position() + sentOfFirst);
    }

    /// Releases everything that was not sent.
    public void abandon() {
        dropPipe();
        filling = false;
        warmBytes = 0;
        pieces.clear();
        sentOfFirst = 0;
        queuedBytes = 0;
    }
}
