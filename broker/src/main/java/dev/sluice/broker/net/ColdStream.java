package dev.sluice.broker.net;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import java.lang.foreign.MemorySegment;

/// The way of one consumer through a file that it reads from the disk: a descriptor of its own, and what of the page
/// cache it has filled on it.
///
/// The kernel keeps with each open file how far a reader has come in sequence, and reads the further ahead, in larger
/// and larger folios, the longer the sequence lasts. So the descriptor stays as long as the consumer goes on.
///
/// ```
///   | others' | dropped | brought in and left behind: dropped next | KEPT_BYTES | ▲ sent so far | being read ahead |
///             ▲         ▲ dropFrom                                               position
/// ```
///
/// Its consumer's loop sends; any thread may close it.
final class ColdStream implements ColdFile {
    /// What [#send] answers when another has closed it.
    static final long CLOSED = Long.MIN_VALUE;

    /// What a lone reader leaves in the page cache behind it: so far apart may others follow without reading the
    /// disk again.
    private static final long KEPT_BYTES = 16 << 20;

    /// What ranges that are dropped begin and end with multiples of: no folio is larger, and one that lies in the
    /// range with a part of it alone would stay.
    private static final long LARGEST_FOLIO_BYTES = 2 << 20;

    /// A file that is being appended to may end in zeros.
    private static final long MOST_ZEROS_BYTES = 256 << 10;

    private final Kernel kernel;
    private final ColdThreads threads;
    private final Descriptor file;

    // Guarded by this.
    private boolean inUse;
    private boolean closed;

    // Of the loop that sends.
    /// Where what may be dropped begins, a multiple of the largest folio.
    private long dropFrom;

    /// Up to where it was this consumer that had the disk read, as far as is known.
    private long broughtTo;

    /// @param threads close it, if need be
    /// @param file    of its own; the stream closes it
    ColdStream(Kernel kernel, ColdThreads threads, Descriptor file) {
        this.kernel = kernel;
        this.threads = threads;
        this.file = file;
    }

    /// Sends a range, and waits for the disk where it has to.
    ///
    /// @return as sendfile(2), or [#CLOSED]
    long send(Descriptor socket, long position, long lengthBytes, MemorySegment scratch) {
        if (!begin()) {
            return CLOSED;
        }
        try {
            return kernel.sockets().sendfile(socket, file, position, lengthBytes, scratch);
        } finally {
            end();
        }
    }

    /// Whether the descriptor is there, until [#end].
    private synchronized boolean begin() {
        inUse = !closed;
        return inUse;
    }

    private void end() {
        boolean isLeft;
        synchronized (this) {
            inUse = false;
            isLeft = closed;
        }
        if (isLeft) {
            file.close();
        }
    }

    /// Notes what was sent.
    ///
    /// @param readBytes what was read from the disk meanwhile, ahead too
    /// @return whether the consumer has come so far that [#drop] has something to do
    boolean sent(long position, long lengthBytes, long readBytes) {
        if (readBytes > 0) {
            if (position > broughtTo || position < dropFrom) {
                dropFrom = position & -LARGEST_FOLIO_BYTES; // what lies between was there for others
                broughtTo = position;
            }
            broughtTo += readBytes;
        }
        return dropTo(position + lengthBytes) > dropFrom;
    }

    private long dropTo(long position) {
        return Math.min(position - KEPT_BYTES, broughtTo) & -LARGEST_FOLIO_BYTES;
    }

    /// Drops from the page cache what lies far enough behind the consumer, of what it has brought in.
    ///
    /// @param isShared whether others read the file too: then it is left to them
    void drop(long position, boolean isShared) {
        long to = dropTo(position);
        if (!isShared && begin()) {
            // A hint: what a socket still sends keeps its pages.
            kernel.files().advise(file, dropFrom, to - dropFrom, Files.FADV_DONTNEED);
            end();
        }
        dropFrom = to;
    }

    /// Closes it when it was sent to its end.
    void closeAtEnd(long position) {
        if (begin()) {
            boolean isAtEnd = position + MOST_ZEROS_BYTES >= sizeBytes();
            end();
            if (isAtEnd) {
                close();
            }
        }
    }

    private long sizeBytes() {
        try {
            return kernel.files().status(file).sizeBytes();
        } catch (ErrnoException e) {
            return 0; // whoever reads on will be told
        }
    }

    @Override
    public synchronized boolean isClosed() {
        return closed;
    }

    @Override
    public boolean closeIfAtRest() {
        synchronized (this) {
            if (inUse) {
                return false;
            }
        }
        close();
        return true;
    }

    @Override
    public void close() {
        boolean isLeft;
        synchronized (this) {
            isLeft = !closed && !inUse;
            closed = true;
        }
        if (isLeft && !threads.runLater(file::close)) {
            file.close();
        }
    }
}
