package dev.sluice.cli.compare;

import dev.sluice.io.async.BufferPool;
import dev.sluice.io.async.FileOperation;
import dev.sluice.io.async.FileQueue;
import dev.sluice.io.async.PoolBuffer;
import dev.sluice.io.direct.DirectFile;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.ErrnoException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Reads or writes a range of a direct file piece by piece, with as many operations under way as the queue is deep:
/// each that ends makes room for the next. Used once, by the queue's thread; borrows everything.
final class DirectPump {
    private static final int PAGE_BYTES = 4096;

    private final Job job;
    private final FileQueue queue;
    private final DirectFile file;
    private final boolean reading;
    private final PoolBuffer[] buffers;
    private final FileOperation[] operations;

    /// A piece, rounded up to what positions are multiples of.
    private final int pieceBytes;

    private long next;
    private @Nullable IOException trouble;

    DirectPump(Job job, FileQueue queue, BufferPool pool, DirectFile file, boolean reading) {
        this.job = job;
        this.queue = queue;
        this.file = file;
        this.reading = reading;
        this.pieceBytes = (job.pieceBytes() + PAGE_BYTES - 1) & -PAGE_BYTES;
        this.buffers = new PoolBuffer[queue.depth()];
        this.operations = new FileOperation[queue.depth()];
        for (int slot = 0; slot < buffers.length; slot++) {
            buffers[slot] = Objects.requireNonNull(pool.take());
            operations[slot] = new FileOperation(this::completed, slot);
            Stamped.fill(buffers[slot].slice(0, pieceBytes));
        }
    }

    void run() throws IOException {
        try {
            for (int slot = 0; slot < operations.length && next < job.lengthBytes(); slot++) {
                stage(slot);
            }
            while (queue.pending() > 0) {
                queue.await(1, -1);
            }
            if (trouble != null) {
                throw trouble;
            }
            if (!reading) {
                file.extended(next);
                if (next != job.lengthBytes()) {
                    file.truncate(job.lengthBytes());
                }
                file.sync();
            }
        } finally {
            for (PoolBuffer buffer : buffers) {
                buffer.release();
            }
        }
    }

    private void stage(int slot) throws ErrnoException {
        FileOperation operation = operations[slot];
        if (reading) {
            operation.read(file.queued(), buffers[slot], 0, pieceBytes, job.position() + next);
        } else {
            Stamped.stamp(buffers[slot].slice(0, pieceBytes), next);
            operation.write(file.queued(), buffers[slot], 0, pieceBytes, next);
        }
        if (!queue.stage(operation)) {
            throw new IllegalStateException("the queue is as deep as there are operations");
        }
        next += pieceBytes;
    }

    private void completed(FileOperation operation, int result) {
        int slot = (int) operation.token();
        long done = reading ? operation.position() - job.position() : operation.position();
        long wanted = reading ? Math.min(pieceBytes, job.lengthBytes() - done) : pieceBytes;
        if (result < wanted) {
            trouble = result < 0
                    ? new ErrnoException(
                            reading ? Call.RING_READ : Call.RING_WRITE, -result, file.path() + ", byte " + done)
                    : new IOException(file.path() + ": " + result + " of " + wanted + " bytes at byte " + done);
        } else if (reading) {
            MemorySegment read = buffers[slot].slice(0, wanted);
            job.keep(read, done);
        }
        if (trouble == null && next < job.lengthBytes()) {
            try {
                stage(slot);
            } catch (ErrnoException e) {
                trouble = e;
            }
        }
    }
}
