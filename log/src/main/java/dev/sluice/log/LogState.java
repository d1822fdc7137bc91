package dev.sluice.log;

import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// What the parts of one partition's log share: its locks, where it lies, where it begins, and whether it goes on.
///
/// **Locks**, in the order in which they are taken where several are held:
///
/// | lock | held while | may wait for |
/// |---|---|---|
/// | [#unlinkLock] | files are unlinked by their names, which must not be those of another log by then: the folder is
/// not moved away meanwhile | the disk |
/// | [#flushLock] | flushing, which appends need not wait for | the device |
/// | [#lock] | appending, and for every change of what is in here | a write |
///
/// **Threads.** What is in here is written under [#lock] (the configuration by whoever sets it), and read by any
/// thread without it.
final class LogState {
    /// The end of a sentence about a log that has failed.
    static final String STOPPED = " takes no more appends until the broker is restarted and has verified it.";

    private final LogContext context;
    private final PartitionName name;
    private final SegmentList segments;
    private final LogListeners listeners;
    private final ReentrantLock unlinkLock = new ReentrantLock();
    private final ReentrantLock flushLock = new ReentrantLock();
    private final ReentrantLock lock = new ReentrantLock();

    private volatile Path folder;
    private volatile LogConfig config;
    private volatile long startOffset;
    private volatile boolean closed;
    private volatile AppendOutcome.@Nullable Failed failure;

    LogState(
            LogContext context,
            PartitionName name,
            SegmentList segments,
            LogListeners listeners,
            Path folder,
            LogConfig config,
            long startOffset) {
        this.context = context;
        this.name = name;
        this.segments = segments;
        this.listeners = listeners;
        this.folder = folder;
        this.config = config;
        this.startOffset = startOffset;
    }

    LogContext context() {
        return context;
    }

    Kernel kernel() {
        return context.kernel();
    }

    PartitionName name() {
        return name;
    }

    SegmentList segments() {
        return segments;
    }

    LogListeners listeners() {
        return listeners;
    }

    ReentrantLock unlinkLock() {
        return unlinkLock;
    }

    ReentrantLock flushLock() {
        return flushLock;
    }

    ReentrantLock lock() {
        return lock;
    }

    // ---- Where it lies and begins

    Path folder() {
        return folder;
    }

    /// The folder has another name now. Under the lock.
    void movedTo(Path newFolder) {
        folder = newFolder;
    }

    LogConfig config() {
        return config;
    }

    void configure(LogConfig newConfig) {
        config = newConfig;
    }

    /// The first offset that can be read, unless it is the end.
    long startOffset() {
        return startOffset;
    }

    /// Makes the log begin at `offset`, unless it begins above.
    ///
    /// @return where it begins now
    /// @throws IOException when it is closed
    long moveStart(long offset) throws IOException {
        lock.lock();
        try {
            if (closed) {
                throw new IOException(name + " is closed");
            }
            startOffset = Math.max(startOffset, offset);
            return startOffset;
        } finally {
            lock.unlock();
        }
    }

    // ---- Whether it goes on

    boolean isClosed() {
        return closed;
    }

    /// The same, when a deletion that is under way has come to its end.
    boolean isClosedForGood() {
        lock.lock();
        try {
            return closed;
        } finally {
            lock.unlock();
        }
    }

    /// Under the lock.
    void close() {
        closed = true;
    }

    /// Why it takes no more appends, or null.
    AppendOutcome.@Nullable Failed failure() {
        return failure;
    }

    /// Takes no more appends from now on, unless that is so for another reason already. Tells nobody: it may be
    /// called under the lock.
    void fail(AppendOutcome.Failed why) {
        lock.lock();
        try {
            if (failure == null) {
                failure = why;
            }
        } finally {
            lock.unlock();
        }
    }

    /// A flush failed: what it was to cover may be lost, and the kernel tells that once. So that nobody trusts the
    /// page cache after a restart either, a mark is left in the folder.
    ///
    /// @param fromOffset everything below is on the device
    void fence(ErrnoException e, long fromOffset) {
        AppendOutcome.Failed failed = new AppendOutcome.Failed(
                e.errno(),
                true,
                "Flushing failed (" + e.getMessage() + "). What was appended from offset " + fromOffset
                        + " on may not be on the device; " + name + STOPPED);
        fail(failed);
        FenceMark.leave(kernel(), folder, failed.message()); // if the folder is gone by now, nobody misses it
    }

    boolean hasStopped() {
        return closed || failure != null;
    }

    /// @throws IOException when it has stopped
    void checkGoesOn() throws IOException {
        AppendOutcome.Failed failed = failure;
        if (failed != null) {
            throw new IOException(failed.message());
        }
        if (closed) {
            throw new IOException(name + " is closed");
        }
    }
}
