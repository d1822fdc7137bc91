package dev.sluice.systemtest;

import dev.sluice.io.async.QueueConfig;
import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.log.DirectOptions;
import dev.sluice.log.SegmentWriter;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// The direct engine for a simulation: on threads, whose calls a gate sees (a ring makes its own), and whoever commits
/// waits until it is written, so that the calls come one after the other and the same seed does the same.
record AwaitedDirect(SegmentWriter.Engine real) implements SegmentWriter.Engine {
    static SegmentWriter.Engine stopped() {
        return new AwaitedDirect(
                SegmentWriter.direct(new DirectOptions(DirectOptions.LEAST_POOL_BYTES, QueueConfig.Engine.THREADS)));
    }

    @Override
    public SegmentWriter.Engine start(Kernel kernel, Path folder, Account account) throws IOException {
        return new AwaitedDirect(real.start(kernel, folder, account));
    }

    @Override
    public SegmentWriter open(
            Kernel kernel, Descriptor file, long endBytes, long stepBytes, SegmentWriter.Progress progress)
            throws ErrnoException {
        Marks marks = new Marks(progress);
        return new Writer(real.open(kernel, file, endBytes, stepBytes, marks), marks);
    }

    @Override
    public boolean isAsynchronous() {
        return real.isAsynchronous();
    }

    @Override
    public boolean isPastPageCache() {
        return real.isPastPageCache();
    }

    @Override
    public void close() {
        real.close();
    }

    /// How far one segment was written: told on the engine's thread, waited for by the log's.
    private static final class Marks implements SegmentWriter.Progress {
        private final SegmentWriter.Progress told;

        // Guarded by this.
        private long written = -1;
        private boolean failed;

        private Marks(SegmentWriter.Progress told) {
            this.told = told;
        }

        @Override
        public synchronized void written(long mark) {
            told.written(mark);
            written = mark;
            notifyAll();
        }

        @Override
        public void grown(long lengthBytes) {
            told.grown(lengthBytes);
        }

        @Override
        public synchronized void failed(int errno, String what) {
            told.failed(errno, what);
            failed = true;
            notifyAll();
        }

        private synchronized void await(long mark) {
            boolean interrupted = false;
            while (written < mark && !failed) {
                try {
                    wait();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private record Writer(SegmentWriter real, Marks marks) implements SegmentWriter {
        @Override
        public void commit(long mark) {
            real.commit(mark);
            marks.await(mark);
        }

        @Override
        public long room(long lengthBytes) {
            return real.room(lengthBytes);
        }

        @Override
        public long write(MemorySegment batches) {
            return real.write(batches);
        }

        @Override
        public long end() {
            return real.end();
        }

        @Override
        public long trim() {
            return real.trim();
        }

        @Override
        public long flush() {
            return real.flush();
        }

        @Override
        public @Nullable InMemory inMemory(long position, long lengthBytes) {
            return real.inMemory(position, lengthBytes);
        }

        @Override
        public void close() {
            real.close();
        }
    }
}
