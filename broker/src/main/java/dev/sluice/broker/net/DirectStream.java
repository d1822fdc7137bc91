package dev.sluice.broker.net;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.transfer.SocketWriter;
import org.jspecify.annotations.Nullable;

/// The way of one consumer through a file that it reads past the page cache: a descriptor of its own, which stays
/// until the file's end.
///
/// Loops ask, one of the [ColdThreads] at a time works.
final class DirectStream implements Runnable, ColdFile {
    private record Wish(SocketWriter.Cold range, DirectReader.Sink sink) {}

    private final DirectReader reader;
    private final Descriptor file;

    // Guarded by this.
    private @Nullable Wish next;
    private boolean running;
    private boolean closed;

    /// @param file of its own; the stream closes it
    DirectStream(DirectReader reader, Descriptor file) {
        this.reader = reader;
        this.file = file;
    }

    /// Has at most what a pipe holds of a range read, and told to the sink; never when [#close] comes first.
    ///
    /// @return false when it is closed: a new one has to be begun
    boolean read(SocketWriter.Cold range, DirectReader.Sink sink) {
        boolean begin;
        synchronized (this) {
            if (closed) {
                return false;
            }
            next = new Wish(range, sink);
            begin = !running;
            running = true;
        }
        if (begin) {
            try {
                reader.threads().execute(this);
            } catch (RuntimeException | Error e) { // it stops, or OutOfMemoryError: the kernel has no thread for us
                synchronized (this) {
                    running = false;
                }
                close();
                throw e;
            }
        }
        return true;
    }

    /// On a thread that may wait for the disk.
    @Override
    public void run() {
        boolean last = false;
        while (true) {
            Wish wish;
            boolean isOver;
            synchronized (this) {
                wish = next;
                next = null;
                closed |= last && wish == null;
                isOver = closed;
                running = !isOver && wish != null;
            }
            if (isOver) {
                file.close();
                return;
            }
            if (wish == null) {
                return;
            }
            long read = reader.serve(file, wish.range, wish.sink);
            last = isEnd(wish.range.position() + Math.max(0, read));
        }
    }

    private boolean isEnd(long position) {
        try {
            return position >= reader.sizeBytes(file);
        } catch (ErrnoException e) {
            return true;
        }
    }

    @Override
    public synchronized boolean isClosed() {
        return closed;
    }

    @Override
    public boolean closeIfAtRest() {
        synchronized (this) {
            if (running) {
                return false;
            }
            closed = true;
        }
        closeFile();
        return true;
    }

    @Override
    public void close() {
        boolean isLeft;
        synchronized (this) {
            closed = true;
            isLeft = !running;
        }
        if (isLeft) {
            closeFile();
        }
    }

    /// On a thread that may wait for the disk, while there is one: it may take long, for the last descriptor of a
    /// file that was deleted gives the file's room back.
    private void closeFile() {
        if (!reader.threads().runLater(file::close)) {
            file.close();
        }
    }
}
