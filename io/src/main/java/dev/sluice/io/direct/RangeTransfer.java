package dev.sluice.io.direct;

import dev.sluice.io.async.BufferPool;
import dev.sluice.io.async.Completion;
import dev.sluice.io.async.FileOperation;
import dev.sluice.io.async.FileQueue;
import dev.sluice.io.async.PoolBuffer;
import dev.sluice.io.async.QueuedFile;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// Moves an aligned range between a file and memory, cut into pieces of which several are in flight, and goes on after
/// short counts. Returns when nothing of it is in flight any more, whatever happened.
///
/// Memory that fits the alignment is handed to the kernel itself. Other memory goes through the pool's buffers: one
/// copy by the processor, against being able to do it at all.
///
/// Owned by the queue's thread; one range at a time.
final class RangeTransfer implements Completion {
    /// The largest piece of memory that is not the pool's. From here on a disk gains nothing from larger ones.
    private static final int PIECE_BYTES = 1 << 20;

    private final FileQueue queue;
    private final BufferPool pool;
    private final QueuedFile file;
    private final Alignment alignment;
    private final Piece[] pieces;
    private final Piece[] idle;
    private int idleCount;
    private final Piece[] unfinished;
    private int unfinishedCount;

    // The range under way.
    private boolean writing;
    private boolean durable;
    private @Nullable MemorySegment direct;
    private @Nullable MemorySegment bounced;
    private long bouncedPosition;
    private long begin;
    private long end;
    private long next;
    private long endOfFile;
    private int errno;
    private long errnoPosition;

    /// One piece of the range, and the operation that moves it.
    private static final class Piece {
        final FileOperation operation;

        @Nullable PoolBuffer buffer;

        long position;
        int lengthBytes;
        int doneBytes;

        Piece(Completion completion, int index) {
            operation = new FileOperation(completion, index);
        }
    }

    /// @param width how many pieces are in flight at most
    RangeTransfer(FileQueue queue, BufferPool pool, QueuedFile file, Alignment alignment, int width) {
        this.queue = queue;
        this.pool = pool;
        this.file = file;
        this.alignment = alignment;
        this.pieces = new Piece[width];
        this.idle = new Piece[width];
        this.unfinished = new Piece[width];
        for (int i = 0; i < width; i++) {
            pieces[i] = new Piece(this, i);
            idle[idleCount++] = pieces[i];
        }
    }

    /// Reads the aligned range around `position` and the target's length, and copies what was asked for.
    ///
    /// @return bytes read into the target, fewer than its length where the file ended
    long read(MemorySegment target, long position) throws ErrnoException {
        writing = false;
        durable = false;
        long to = position + target.byteSize();
        begin = alignment.down(position);
        end = alignment.up(to);
        boolean fits = begin == position && end == to && alignment.fits(target);
        direct = fits ? target : null;
        bounced = fits ? null : target;
        bouncedPosition = position;
        run();
        return Math.max(0, Math.min(endOfFile, to) - position);
    }

    /// Writes an aligned range.
    ///
    /// @param eachDurable whether each piece is on the device when its write is over
    void write(MemorySegment source, long position, boolean eachDurable) throws ErrnoException {
        writing = true;
        durable = eachDurable;
        begin = position;
        end = position + source.byteSize();
        assert alignment.isAligned(begin) && alignment.isAligned(end);
        boolean fits = alignment.fits(source);
        direct = fits ? source : null;
        bounced = fits ? null : source;
        bouncedPosition = position;
        run();
    }

    private void run() throws ErrnoException {
        next = begin;
        endOfFile = Long.MAX_VALUE;
        errno = 0;
        RuntimeException thrown = null;
        while (hasMore() || idleCount < pieces.length) {
            stageWhatCanBe();
            try {
                queue.await(1, -1);
            } catch (RuntimeException e) { // of somebody else's completion; ours must come home all the same
                thrown = e;
            }
        }
        direct = null;
        bounced = null;
        if (errno != 0) {
            throw new ErrnoException(
                    writing ? Call.PWRITEV2 : Call.PREADV2,
                    errno,
                    file.descriptor().name(),
                    errnoPosition);
        }
        if (thrown != null) {
            throw thrown;
        }
    }

    private boolean hasMore() {
        return next < end && errno == 0 && next < endOfFile;
    }

    private void stageWhatCanBe() throws ErrnoException {
        while (unfinishedCount > 0 && stage(unfinished[unfinishedCount - 1])) {
            unfinishedCount--;
        }
        while (unfinishedCount == 0 && hasMore() && idleCount > 0) {
            Piece piece = idle[idleCount - 1];
            if (!prepare(piece)) {
                return;
            }
            boolean staged = false;
            try {
                staged = stage(piece);
            } finally {
                if (!staged) {
                    letGo(piece);
                }
            }
            if (!staged) {
                return;
            }
            idleCount--;
            next += piece.lengthBytes;
        }
    }

    /// Cuts the next piece off the range.
    ///
    /// @return false when it needs a buffer and none is free, but will be
    private boolean prepare(Piece piece) {
        piece.position = next;
        piece.doneBytes = 0;
        if (direct != null) {
            piece.lengthBytes = (int) Math.min(end - next, PIECE_BYTES);
            return true;
        }
        PoolBuffer buffer = pool.take();
        if (buffer == null) {
            if (idleCount == pieces.length && queue.pending() == 0) {
                throw new IllegalStateException("All " + pool.count() + " buffers of the pool are taken by others, and "
                        + file + " needs one; make the pool larger");
            }
            return false;
        }
        piece.buffer = buffer;
        piece.lengthBytes = (int) Math.min(end - next, pool.bufferBytes());
        if (writing && bounced != null) {
            MemorySegment.copy(bounced, next - bouncedPosition, buffer.segment(), 0, piece.lengthBytes);
        }
        return true;
    }

    private boolean stage(Piece piece) throws ErrnoException {
        long position = piece.position + piece.doneBytes;
        int left = piece.lengthBytes - piece.doneBytes;
        FileOperation operation = piece.operation;
        if (piece.buffer != null) {
            if (writing) {
                operation.write(file, piece.buffer, piece.doneBytes, left, position);
            } else {
                operation.read(file, piece.buffer, piece.doneBytes, left, position);
            }
        } else if (direct != null) {
            MemorySegment memory = direct.asSlice(position - begin, left);
            if (writing) {
                operation.write(file, memory, position);
            } else {
                operation.read(file, memory, position);
            }
        }
        if (durable) {
            operation.durable();
        }
        return queue.stage(operation);
    }

    @Override
    public void completed(FileOperation operation, int result) {
        Piece piece = pieces[(int) operation.token()];
        if (result < 0) {
            fail(-result, operation.position());
            finish(piece);
            return;
        }
        // Of a count that is not aligned only the aligned part can be gone on from. For a read it means the end of the
        // file.
        int whole = (int) alignment.down(result);
        if (!writing && (result == 0 || whole < result)) {
            piece.doneBytes += result;
            endOfFile = Math.min(endOfFile, piece.position + piece.doneBytes);
            finish(piece);
        } else if (whole == 0) {
            fail(Errno.EIO, operation.position()); // a write that takes less than a block; going on could spin for ever
            finish(piece);
        } else {
            piece.doneBytes += whole;
            if (piece.doneBytes < piece.lengthBytes) {
                unfinished[unfinishedCount++] = piece;
            } else {
                finish(piece);
            }
        }
    }

    private void fail(int newErrno, long position) {
        if (errno == 0 || position < errnoPosition) {
            errno = newErrno;
            errnoPosition = position;
        }
    }

    private void finish(Piece piece) {
        if (!writing && bounced != null && piece.buffer != null) {
            long from = Math.max(piece.position, bouncedPosition);
            long to = Math.min(piece.position + piece.doneBytes, bouncedPosition + bounced.byteSize());
            if (from < to) {
                MemorySegment.copy(
                        piece.buffer.segment(), from - piece.position, bounced, from - bouncedPosition, to - from);
            }
        }
        letGo(piece);
        idle[idleCount++] = piece;
    }

    private static void letGo(Piece piece) {
        PoolBuffer buffer = piece.buffer;
        piece.buffer = null;
        if (buffer != null) {
            buffer.release();
        }
    }
}
