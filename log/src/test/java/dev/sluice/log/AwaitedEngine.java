package dev.sluice.log;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// An asynchronous engine for tests that were written for one that is not: who commits waits until it is written, so
/// that what was appended can be read. Around another engine it unpads alone.
///
/// @param unpads whether files are cut to their batches when it ends, as after a death they would not be: for tests
///     that spoil the end of a file
/// @param ends   of the files that it has written to
record AwaitedEngine(SegmentWriter.Engine real, boolean unpads, Map<Path, SegmentWriter> ends)
        implements SegmentWriter.Engine {
    @Override
    public SegmentWriter.Engine start(Kernel kernel, Path folder, Account account) throws IOException {
        return new AwaitedEngine(real.start(kernel, folder, account), unpads, new ConcurrentHashMap<>());
    }

    @Override
    public SegmentWriter open(
            Kernel kernel, Descriptor file, long endBytes, long stepBytes, SegmentWriter.Progress progress)
            throws ErrnoException {
        Awaited awaited = new Awaited(progress, isAsynchronous());
        ends.put(Path.of(file.name()), awaited);
        awaited.writer = real.open(kernel, file, endBytes, stepBytes, awaited);
        return awaited;
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
        if (unpads) {
            ends.forEach(AwaitedEngine::unpad);
        }
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

    private static final class Awaited implements SegmentWriter, SegmentWriter.Progress {
        private final Progress told;
        private final boolean waits;
        private SegmentWriter writer;
        private long writtenMark = -1;
        private boolean failed;

        private Awaited(Progress told, boolean waits) {
            this.told = told;
            this.waits = waits;
        }

        @Override
        public void commit(long mark) {
            writer.commit(mark);
            boolean interrupted = false;
            synchronized (this) {
                while (waits && writtenMark < mark && !failed) {
                    try {
                        wait();
                    } catch (InterruptedException e) {
                        interrupted = true;
                    }
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public synchronized void written(long mark) {
            told.written(mark);
            writtenMark = mark;
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

        @Override
        public long room(long lengthBytes) {
            return writer.room(lengthBytes);
        }

        @Override
        public long write(MemorySegment batches) {
            return writer.write(batches);
        }

        @Override
        public long end() {
            return writer.end();
        }

        @Override
        public long trim() {
            return writer.trim();
        }

        @Override
        public long flush() {
            return writer.flush();
        }

        @Override
        public @Nullable InMemory inMemory(long position, long lengthBytes) {
            return writer.inMemory(position, lengthBytes);
        }

        @Override
        public void close() {
            writer.close();
        }
    }
}
