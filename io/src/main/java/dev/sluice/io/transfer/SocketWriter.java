package dev.sluice.io.transfer;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Sockets;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;

/// Sends pieces of memory and spans of files, in order, through a non-blocking stream socket.
///
/// Memory goes by send(2), with MSG_MORE while more follows, so that a header shares a packet with the span behind
/// it; spans go by sendfile(2), from the page cache to the socket without a copy by the processor. Owned by one thread.
public final class SocketWriter {
    /// How far a [#flush] came.
    public enum Progress {
        /// Everything was handed to the kernel.
        DONE,
        /// The socket takes no more for now; flush again when it is writable.
        BLOCKED,
        /// The turn's share was used up; flush again soon, others first.
        YIELDED
    }

    sealed interface Piece permits Bytes, Span {
        long lengthBytes();

        Hold hold();
    }

    record Bytes(MemorySegment segment, Hold hold) implements Piece {
        @Override
        public long lengthBytes() {
            return segment.byteSize();
        }
    }

    private final Kernel kernel;
    private final Descriptor socket;
    private final MemorySegment scratch = Arena.ofAuto().allocate(Long.BYTES);
    private final ArrayDeque<Piece> pieces = new ArrayDeque<>();
    private long sentOfFirst;

    /// @param socket non-blocking; borrowed
    public SocketWriter(Kernel kernel, Descriptor socket) {
        this.kernel = kernel;
        this.socket = socket;
    }

    /// Queues memory; it belongs to the writer until `hold` is released.
    public void add(MemorySegment bytes, Hold hold) {
        pieces.addLast(new Bytes(bytes, hold));
    }

    /// Queues a range of a file.
    public void add(Span span) {
        pieces.addLast(span);
    }

    public boolean isEmpty() {
        return pieces.isEmpty();
    }

    /// Sends until everything is sent, the socket is full, or about `shareBytes` have gone.
    ///
    /// @throws ErrnoException when the peer is gone (EPIPE, ECONNRESET…), when the file could not be read, or when it ended before
    ///     its span did (EIO): the stream is then broken in mid-frame and must be closed
    public Progress flush(long shareBytes) throws ErrnoException {
        long share = shareBytes;
        while (!pieces.isEmpty()) {
            Piece piece = pieces.peekFirst();
            long left = piece.lengthBytes() - sentOfFirst;
            if (left > 0) {
                if (share <= 0) {
                    return Progress.YIELDED;
                }
                long sent = send(piece, Math.min(left, Math.max(share, 1)));
                if (sent == -Errno.EAGAIN) {
                    return Progress.BLOCKED;
                }
                if (sent == -Errno.EINTR) {
                    continue;
                }
                ErrnoException.check(sent, piece instanceof Span ? Call.SENDFILE : Call.SEND, socket.name());
                if (sent == 0) {
                    throw new ErrnoException(Call.SENDFILE, Errno.EIO, describe(piece));
                }
                share -= sent;
                sentOfFirst += sent;
                if (sent < left) {
                    continue;
                }
            }
            pieces.removeFirst();
            sentOfFirst = 0;
            piece.hold().release();
        }
        return Progress.DONE;
    }

    private long send(Piece piece, long lengthBytes) {
        return switch (piece) {
            case Bytes bytes ->
                kernel.sockets()
                        .send(
                                socket,
                                bytes.segment().asSlice(sentOfFirst, lengthBytes),
                                pieces.size() > 1 ? Sockets.MSG_MORE : 0);
            case Span span ->
                kernel.sockets().sendfile(socket, span.file(), span.position() + sentOfFirst, lengthBytes, scratch);
        };
    }

    private static String describe(Piece piece) {
        return piece instanceof Span span
                ? span.file().name() + " ended before byte " + (span.position() + span.lengthBytes())
                : "no bytes were taken";
    }

    /// Releases everything that was not sent.
    public void abandon() {
        pieces.forEach(piece -> piece.hold().release());
        pieces.clear();
        sentOfFirst = 0;
    }
}
