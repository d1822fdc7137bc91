package dev.sluice.log;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// An asynchronous engine for tests that were written for one that is not: who commits waits until it is written, so
/// that what was appended can be read, and calls come one after the other. Around another engine it unpads alone.
public final class AwaitedEngine implements SegmentWriter.Engine {
    private final SegmentWriter.Engine real;
    private final boolean unpads;

    /// Of the files that it has written to, where they are to be cut.
    private final Map<Path, SegmentWriter> ends = new ConcurrentHashMap<>();

    private AwaitedEngine(SegmentWriter.Engine real, boolean unpads) {
        this.real = real;
        this.unpads = unpads;
    }

    /// @param real not started yet
    public static SegmentWriter.Engine of(SegmentWriter.Engine real) {
        return new AwaitedEngine(real, false);
    }

    /// The same, and files are cut to their batches when it ends, as after a death they would not be: for tests
    /// that spoil the end of a file.
    static SegmentWriter.Engine unpadding(SegmentWriter.Engine real) {
        return new AwaitedEngine(real, true);
    }

    @Override
    public SegmentWriter.Engine start(Kernel kernel, Path folder, Account account) throws IOException {
        return new AwaitedEngine(real.start(kernel, folder, account), unpads);
    }

    @Override
    public SegmentWriter open(
            Kernel kernel, Descriptor file, long endBytes, long stepBytes, SegmentWriter.Progress progress)
            throws ErrnoException {
        Marks marks = new Marks(progress);
        SegmentWriter writer = real.open(kernel, file, endBytes, stepBytes, marks);
        if (unpads) {
            ends.put(Path.of(file.name()), writer);
        }
        return isAsynchronous() ? new Awaited(writer, marks) : writer;
    }

    @Override
    public boolean isAsynchronous() {
        return real.isAsynchronous();
    }

    @Override
    public boolean fillsAhead() {
        return real.fillsAhead();
    }

    @Override
    public boolean isPastPageCache() {
        return real.isPastPageCache();
    }

    @Override
    public void close() {
        real.close();
        ends.forEach(AwaitedEngine::unpad);
    }

    private static void unpad(Path path, SegmentWriter writer) {
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.WRITE)) {
            file.truncate(writer.end());
        } catch (NoSuchFileException e) {
            // deleted meanwhile
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
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

    private static final class Awaited extends ForwardingWriter {
        private final Marks marks;

        private Awaited(SegmentWriter real, Marks marks) {
            super(real);
            this.marks = marks;
        }

        @Override
        public void commit(long mark) {
            super.commit(mark);
            marks.await(mark);
        }
    }
}
