package dev.sluice.io.cache;

import dev.sluice.io.direct.DirectFile;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// A file or block device behind a [BlockCache], used like a file: read, write, flush, close, at any position and
/// length.
///
/// A write is visible to reads at once and on disk after [#flush]; what was not flushed is lost with the process. The
/// first delayed write or sync that fails fences the file: this and every later call throw [WriteBackException] until
/// it was closed and opened again, reads too, for what they would find in memory is not what is on disk.
///
/// Owned by the cache's thread.
public final class CachedFile implements AutoCloseable {
    private final BlockCache cache;
    private final DirectFile direct;
    private final int number;
    private final int blockBytes;
    private final ReadStreams streams;

    /// As its users see it; on disk it is so long after a flush.
    private long sizeBytes;

    private long lastWriteEnd;
    private int unwritten;
    /// Something was written since the last sync.
    private boolean unsynced;
    private int doomed;
    private @Nullable WriteBackException fence;
    private boolean closed;

    CachedFile(BlockCache cache, DirectFile direct, int number, int readAheadBlocks) {
        this.cache = cache;
        this.direct = direct;
        this.number = number;
        this.blockBytes = cache.blockBytes();
        this.streams = new ReadStreams(readAheadBlocks);
        this.sizeBytes = direct.sizeBytes();
    }

    /// The file's length as its readers see it, delayed writes included.
    public long sizeBytes() {
        return sizeBytes;
    }

    /// The path that it was opened by.
    public Path path() {
        return direct.path();
    }

    /// Reads from a position until `target` is full or the file ends.
    ///
    /// @return bytes read, fewer than asked only at the end of the file
    /// @throws WriteBackException when delayed writes to this file were lost
    /// @throws ErrnoException     when the device fails to read; another read may succeed
    public long read(MemorySegment target, long position) throws IOException {
        requireOpen();
        requireUsable();
        checkPosition(position);
        long length = Math.min(target.byteSize(), sizeBytes - position);
        if (length <= 0) {
            return 0;
        }
        cache.poll();
        boolean goesOn = position % blockBytes != 0 && streams.endsAt(position);
        int stream = streams.tell(position, length);
        long end = position + length;
        long last = (end - 1) / blockBytes;
        if (last > position / blockBytes) {
            cache.loadAhead(this, position / blockBytes, lastOnDisk(last), true); // all that are missing at once
        }
        long at = position;
        while (at < end) {
            long block = at / blockBytes;
            long to = Math.min(end, (block + 1) * blockBytes);
            // A block that is not on disk and not in memory is a hole behind the end of the file on disk.
            Frame frame = isOnDisk(block) ? cache.demand(this, block, goesOn) : cache.fresh(this, block, goesOn, true);
            MemorySegment.copy(frame.memory(), at - block * blockBytes, target, at - position, to - at);
            goesOn = false;
            at = to;
        }
        long aheadTo = lastOnDisk(streams.aheadTo(stream, last));
        if (aheadTo >= streams.aheadFrom(stream, last)) {
            streams.ahead(stream, cache.loadAhead(this, streams.aheadFrom(stream, last), aheadTo, false));
        }
        return length;
    }

    /// Writes all of `source` at a position, into memory. Waits while too much of the cache is dirty.
    ///
    /// @throws WriteBackException when delayed writes to this file were lost, perhaps these
    /// @throws ErrnoException     when a block that is changed in part can't be read; ENOSPC past the end of a
    ///                            block device
    public void write(MemorySegment source, long position) throws IOException {
        requireOpen();
        requireUsable();
        checkPosition(position);
        long end = position + source.byteSize();
        if (direct.isBlockDevice() && end > sizeBytes) {
            throw new ErrnoException(Call.PWRITEV2, Errno.ENOSPC, path().toString(), sizeBytes);
        }
        cache.poll();
        boolean goesOn = position == lastWriteEnd && position % blockBytes != 0;
        long at = position;
        while (at < end) {
            long block = at / blockBytes;
            long begin = block * blockBytes;
            long to = Math.min(end, begin + blockBytes);
            boolean full = to - at == blockBytes;
            boolean allThereIs = at == begin && to >= sizeBytes;
            Frame frame = full || allThereIs || !isOnDisk(block)
                    ? cache.fresh(this, block, goesOn, !full)
                    : cache.demand(this, block, goesOn);
            cache.awaitChangeable(frame, this);
            MemorySegment.copy(source, at - position, frame.memory(), at - begin, to - at);
            sizeBytes = Math.max(sizeBytes, to);
            unsynced = true;
            cache.changed(frame, this);
            cache.throttle();
            requireUsable();
            goesOn = false;
            at = to;
        }
        lastWriteEnd = end;
    }

    /// Returns when everything that was written is on the device, with the file's length, and its name if it is
    /// new.
    ///
    /// @throws WriteBackException when some of it is lost
    public void flush() throws IOException {
        requireOpen();
        requireUsable();
        if (!unsynced && !direct.needsSync()) {
            return;
        }
        cache.writeOutAll(this);
        assert direct.sizeBytes() == sizeBytes : "the last block was not written";
        try {
            direct.sync();
            unsynced = false;
        } catch (ErrnoException e) {
            fence(new WriteBackException(path(), -1, e.errno()));
            cache.drop(this);
            requireUsable();
        }
    }

    /// Flushes, and closes the file below.
    ///
    /// @throws WriteBackException when delayed writes were lost, now or before; it is closed all the same
    @Override
    public void close() throws IOException {
        if (closed) {
            return;
        }
        try {
            flush();
        } finally {
            closed = true;
            cache.drop(this);
            try {
                cache.forget(this);
            } finally {
                direct.close();
            }
        }
    }

    // ---- for the cache ----

    int number() {
        return number;
    }

    DirectFile direct() {
        return direct;
    }

    boolean isOnDisk(long block) {
        return block * blockBytes < direct.sizeBytes();
    }

    private long lastOnDisk(long block) {
        return Math.min(block, Math.floorDiv(direct.sizeBytes() - 1, blockBytes));
    }

    /// How much of a block is read: all of it, or up to the end of the file in whole units.
    int onDiskLength(long position, int mostBytes) {
        return (int) direct.alignment().up(Math.min(mostBytes, direct.sizeBytes() - position));
    }

    boolean isFenced() {
        return fence != null;
    }

    void fence(WriteBackException failure) {
        if (fence == null) {
            fence = failure;
        }
    }

    void requireUsable() throws WriteBackException {
        if (fence != null) {
            throw new WriteBackException(fence);
        }
    }

    void unwrittenBlocksBy(int difference) {
        unwritten += difference;
        assert unwritten >= 0;
    }

    /// Blocks that are dirty or being written.
    int unwrittenBlocks() {
        return unwritten;
    }

    void operationDoomed() {
        doomed++;
    }

    void operationEnded() {
        doomed--;
    }

    int doomedOperations() {
        return doomed;
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException(path() + " is closed");
        }
    }

    private static void checkPosition(long position) {
        if (position < 0) {
            throw new IllegalArgumentException("position " + position);
        }
    }
}
