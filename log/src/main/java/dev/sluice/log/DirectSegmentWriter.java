package dev.sluice.log;

import dev.sluice.io.async.FileOperation;
import dev.sluice.io.async.FileQueue;
import dev.sluice.io.async.PoolBuffer;
import dev.sluice.io.async.QueuedFile;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One segment's end on the [DirectEngine].
///
/// ```
///            commit                    the engine's thread           all are over, and nothing came meanwhile
///   idle ───────────────▶ queued ────────────────────────▶ writing ───────────────────────────────────────▶ idle
///                            ▲                               │  │ an error that lasts
///                            └──── more came, fell short, ───┘  └─────────────▶ failed: takes no more
///                                  or there is no room for now
/// ```
///
/// One write is under way at a time, of everything that was committed by then: linked operations, one for each run of
/// [Staging], in the order of the file, so that the file never has a hole, and never two of one block at once. Batches
/// that come meanwhile go together with the next one.
///
/// The owner of the segment's end takes the monitor to copy into the staging memory, the engine's thread to see what is
/// to be written and to say what was, readers to get slices; nobody does anything under it that waits, but for
/// [#flush] and [#trim], which give it up meanwhile.
final class DirectSegmentWriter implements SegmentWriter {
    private static final long NO_MARK = -1;

    private final DirectEngine engine;
    private final Kernel kernel;
    private final Descriptor file;
    private final Descriptor direct;
    private final BlockReservation reservation;
    private final Progress progress;

    /// The owner's; empty between calls.
    private final ArrayDeque<PoolBuffer> spare = new ArrayDeque<>(2);

    // Guarded by this.
    private final Staging staging;
    private final ArrayDeque<Mark> marks = new ArrayDeque<>();
    private long committedEnd;
    private long writtenEnd;
    /// Up to where a write is under way; 0 for none.
    private long inFlightEnd;
    /// Whether the engine's thread has it in hand or will.
    private boolean queued;
    /// Why the last write did not go through that will be tried again, or 0.
    private int trouble;
    /// Why no write will, or 0.
    private int errno;
    private boolean closing;
    /// Whether the file's last block may be filled up with zeros on the disk.
    private boolean padded;

    // The engine's thread's.
    private @Nullable QueuedFile queuedFile;
    private List<DirectEngine.Write> writes = List.of();
    private int unfinished;

    private record Mark(long end, long mark) {}

    /// @param file   borrowed
    /// @param direct the same file with O_DIRECT; owned
    /// @param tail   what the last block holds below the end
    DirectSegmentWriter(
            DirectEngine engine,
            Kernel kernel,
            Descriptor file,
            Descriptor direct,
            long endBytes,
            byte[] tail,
            long stepBytes,
            Progress progress) {
        this.engine = engine;
        this.kernel = kernel;
        this.file = file;
        this.direct = direct;
        this.reservation = new BlockReservation(kernel, file, endBytes, stepBytes);
        this.progress = progress;
        this.staging = new Staging(endBytes, tail);
        this.committedEnd = endBytes;
        this.writtenEnd = endBytes;
    }

    // ---- What the owner does

    @Override
    public long room(long lengthBytes) {
        long end;
        synchronized (this) {
            if (errno != 0 || trouble != 0) {
                return -(errno != 0 ? errno : trouble);
            }
            end = staging.end();
        }
        return reservation.room(end, lengthBytes);
    }

    @Override
    public long write(MemorySegment memory, long from, long lengthBytes) {
        MemorySegment batches = memory.asSlice(from, lengthBytes);
        long answer = -Errno.EAGAIN;
        do {
            synchronized (this) {
                if (errno != 0) {
                    answer = -errno;
                    break;
                }
                int needed = staging.buffersNeeded(batches.byteSize(), inFlightEnd, DirectOptions.BUFFER_BYTES);
                if (needed > engine.buffers()) {
                    answer = -Errno.ENOMEM;
                    break;
                }
                if (needed <= spare.size()) {
                    answer = staging.end();
                    spare.stream().limit(needed).forEach(used -> engine.staged(this, used));
                    staging.append(batches, inFlightEnd, spare);
                    break;
                }
            }
        } while (engine.takeBuffer(spare)); // which may take one of our own, so that one more is needed
        while (!spare.isEmpty()) {
            spare.remove().release();
        }
        return answer;
    }

    @Override
    public void commit(long mark) {
        synchronized (this) {
            committedEnd = staging.end();
            marks.add(new Mark(committedEnd, mark));
            if (queued) {
                return;
            }
            queued = true;
        }
        engine.enqueue(this);
    }

    @Override
    public synchronized long end() {
        return staging.end();
    }

    @Override
    public long trim() {
        long end;
        synchronized (this) {
            long result = awaitWritten(staging.end());
            if (result < 0) {
                return result;
            }
            end = staging.end();
            if (!padded && !reservation.reachesBeyond(end)) {
                return 0;
            }
        }
        long result = reservation.truncate(end); // no write is under way, and who could begin one is here
        if (result == 0) {
            synchronized (this) {
                padded = false; // not before: a trim that failed is to be tried again
            }
        }
        return result;
    }

    @Override
    public long flush() {
        synchronized (this) {
            long result = awaitWritten(staging.end());
            if (result < 0) {
                return errno == 0 && trouble != 0 ? -Errno.EAGAIN : result;
            }
        }
        long result;
        do {
            result = kernel.files().fdatasync(file);
        } while (result == -Errno.EINTR); // nothing was lost: the wait was interrupted
        return result;
    }

    /// Under the monitor, which is given up meanwhile.
    private long awaitWritten(long target) {
        boolean interrupted = false;
        while (writtenEnd < target && errno == 0 && trouble == 0 && !closing) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true; // the wait is for the disk, and can't be given up
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (writtenEnd >= target) {
            return 0;
        }
        return -(errno != 0 ? errno : trouble != 0 ? trouble : Errno.ECANCELED);
    }

    @Override
    public void close() {
        boolean enqueues;
        synchronized (this) {
            if (closing) {
                return;
            }
            closing = true;
            staging.release();
            enqueues = !queued;
            queued = true;
            notifyAll();
        }
        engine.forget(this);
        if (enqueues) {
            engine.enqueue(this);
        }
    }

    // ---- What readers do, and who needs memory

    @Override
    public @Nullable InMemory inMemory(long position, long lengthBytes) {
        List<PoolBuffer> held = new ArrayList<>(2);
        synchronized (this) {
            if (closing) {
                return null;
            }
            List<MemorySegment> slices = staging.slices(position, lengthBytes, held);
            if (slices == null) {
                return null;
            }
            if (engine.lend(held.size())) {
                return new InMemory(slices, () -> {
                    held.forEach(PoolBuffer::release);
                    engine.lent(held.size());
                });
            }
        }
        held.forEach(PoolBuffer::release);
        return null;
    }

    /// Lets go of a buffer for somebody else, if all in it is written.
    synchronized Staging.Eviction evict(PoolBuffer buffer) {
        return staging.evict(buffer, writtenEnd);
    }

    // ---- What the engine's thread does

    /// Goes on with whatever is to be done next; called when no write is under way.
    ///
    /// @return false when the writer is closed, and nothing will ever be done
    boolean advance(FileQueue queue) throws ErrnoException {
        if (queuedFile == null) {
            queuedFile = queue.attach(direct, Staging.BLOCK_BYTES);
        }
        synchronized (this) {
            if (closing) {
                queue.detach(queuedFile);
                closeFile();
                return false;
            }
            if (errno != 0 || writtenEnd >= committedEnd || staging.end() != committedEnd) {
                queued = false; // what is written but not committed will be, and then it is queued again
                return true;
            }
            begin(queue, queuedFile);
        }
        return true;
    }

    private void begin(FileQueue queue, QueuedFile to) throws ErrnoException {
        List<Staging.Piece> pieces = staging.pieces(writtenEnd);
        inFlightEnd = committedEnd;
        padded = true;
        unfinished = pieces.size();
        writes = new ArrayList<>(pieces.size());
        for (Staging.Piece piece : pieces) {
            DirectEngine.Write write = engine.write(this, piece.position(), piece.lengthBytes());
            FileOperation operation = write.operation()
                    .write(to, piece.buffer(), piece.bufferPosition(), piece.lengthBytes(), piece.position());
            writes.add(write);
            boolean last = writes.size() == pieces.size();
            if (!queue.stage(last ? operation : operation.linked())) {
                throw new IllegalStateException("The direct engine's queue is full, which has room for all buffers");
            }
        }
    }

    /// Closes the file of a writer that has nothing under way, when the queue is no more.
    void closeFile() {
        direct.close();
    }

    /// One of its operations is over.
    ///
    /// @return what is to be done next
    After completed() {
        unfinished--;
        return unfinished > 0 ? After.NOTHING : finish();
    }

    /// What the engine does with a writer one of whose operations is over.
    enum After {
        NOTHING,
        ADVANCE,
        /// Advance after a while.
        RETRY
    }

    private After finish() {
        long reached = 0;
        int failed = 0;
        for (DirectEngine.Write write : writes) {
            int result = write.result();
            if (result > 0) {
                reached = Staging.down(write.position() + result);
            }
            if (result < write.lengthBytes()) {
                failed = result == 0 ? Errno.EIO : Math.max(0, -result); // short: what is missing is written next
                break;
            }
        }
        writes.forEach(engine::done);
        writes = List.of();
        return finish(reached, failed);
    }

    private After finish(long reached, int failed) {
        long grownBytes;
        boolean lost;
        synchronized (this) {
            long before = writtenEnd;
            writtenEnd = Math.max(writtenEnd, Math.min(reached, inFlightEnd));
            grownBytes = writtenEnd - before;
            inFlightEnd = 0;
            trouble = isPassing(failed) ? failed : 0;
            lost = failed != 0 && trouble == 0 && failed != Errno.EINTR && failed != Errno.ECANCELED;
            if (lost) {
                errno = failed;
            }
            long mark = NO_MARK;
            while (!marks.isEmpty() && marks.getFirst().end() <= writtenEnd) {
                mark = marks.removeFirst().mark();
            }
            if (mark != NO_MARK) {
                progress.written(mark);
            }
            notifyAll();
        }
        if (grownBytes > 0) {
            progress.grown(grownBytes);
        }
        if (lost) {
            tellFailed(failed);
        }
        return isPassing(failed) ? After.RETRY : After.ADVANCE;
    }

    /// Want of room or of memory, which passes: it is tried again until it has, for what was taken can't be given
    /// back. Nothing of it is acknowledged meanwhile, and no more is taken.
    private static boolean isPassing(int errno) {
        return Errno.isOutOfSpace(errno) || errno == Errno.ENOMEM || errno == Errno.EAGAIN;
    }

    /// The engine's thread ends: nothing will be written any more.
    void fail(int newErrno) {
        synchronized (this) {
            if (errno != 0 || closing) {
                return;
            }
            errno = newErrno;
            notifyAll();
        }
        tellFailed(newErrno);
    }

    private void tellFailed(int why) {
        long position;
        synchronized (this) {
            position = writtenEnd;
        }
        progress.failed(why, "Writing at byte " + position + " of " + file.name());
    }
}
