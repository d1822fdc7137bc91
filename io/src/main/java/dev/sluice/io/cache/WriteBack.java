package dev.sluice.io.cache;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Which blocks wait to be written, for how long, and in which order they go.
///
/// Oldest first is who goes; by position is how they go: each batch is sorted by file and position and begins behind
/// where the last one ended, once round, so that the disk sees rising positions and can join neighbours. Owned by the
/// cache's thread.
final class WriteBack {
    /// Writes out one block.
    interface Writer {
        void writeOut(Frame frame);
    }

    private final int blockBytes;
    private final Frame[] frames;
    private final LongIntMap table;
    private final long[] batch;
    private int batchSize;

    private @Nullable Frame oldest;
    private @Nullable Frame newest;
    /// Dirty blocks, and those of them that are being written.
    private int waiting;

    private int writing;
    private long lastKey = -1;

    WriteBack(int blockBytes, Frame[] frames, LongIntMap table) {
        this.blockBytes = blockBytes;
        this.frames = frames;
        this.table = table;
        this.batch = new long[frames.length];
    }

    /// Bytes that are not on disk: dirty or being written.
    long unwrittenBytes() {
        return (long) (waiting + writing) * blockBytes;
    }

    /// Bytes that are dirty, and nobody writes them yet.
    long waitingBytes() {
        return (long) waiting * blockBytes;
    }

    /// Since when the oldest block waits; null when none does.
    @Nullable Frame oldest() {
        return oldest;
    }

    /// A clean block was changed.
    void changed(Frame frame, CachedFile file, long nowNs) {
        file.unwrittenBlocksBy(1);
        frame.state = Frame.State.DIRTY;
        frame.dirtySinceNs = nowNs;
        frame.older = newest;
        frame.newer = null;
        if (newest == null) {
            oldest = frame;
        } else {
            newest.newer = frame;
        }
        newest = frame;
        waiting++;
    }

    /// A dirty block is about to be written.
    void begun(Frame frame) {
        unlink(frame);
        writing++;
    }

    /// A block's write is over, well or not.
    void ended(CachedFile file) {
        file.unwrittenBlocksBy(-1);
        writing--;
    }

    /// A dirty block is thrown away.
    void droppedDirty(Frame frame, CachedFile file) {
        file.unwrittenBlocksBy(-1);
        unlink(frame);
    }

    private void unlink(Frame frame) {
        Frame before = frame.older;
        Frame after = frame.newer;
        if (before == null) {
            oldest = after;
        } else {
            before.newer = after;
        }
        if (after == null) {
            newest = before;
        } else {
            after.older = before;
        }
        frame.older = null;
        frame.newer = null;
        waiting--;
    }

    /// Writes out the oldest blocks until no more than `leftBytes` wait.
    void oldestDownTo(long leftBytes, Writer writer) {
        batchSize = 0;
        Frame frame = oldest;
        for (long left = waitingBytes(); frame != null && left > leftBytes; left -= blockBytes) {
            batch[batchSize++] = frame.key;
            frame = frame.newer;
        }
        writeBatch(writer);
    }

    /// Writes out what has waited since `sinceNs` or longer.
    void agedSince(long sinceNs, Writer writer) {
        batchSize = 0;
        for (Frame frame = oldest; frame != null && frame.dirtySinceNs - sinceNs <= 0; frame = frame.newer) {
            batch[batchSize++] = frame.key;
        }
        writeBatch(writer);
    }

    /// Writes out all of one file.
    void allOf(CachedFile file, Writer writer) {
        batchSize = 0;
        for (Frame frame = oldest; frame != null; frame = frame.newer) {
            if (frame.file == file) {
                batch[batchSize++] = frame.key;
            }
        }
        writeBatch(writer);
    }

    private void writeBatch(Writer writer) {
        Arrays.sort(batch, 0, batchSize);
        int start = 0;
        while (start < batchSize && batch[start] <= lastKey) {
            start++;
        }
        for (int i = 0; i < batchSize; i++) {
            long key = batch[(start + i) % batchSize];
            int index = table.get(key);
            // Writing one out can wait for room in the queue, and a failure told meanwhile can take others away.
            if (index != LongIntMap.NONE && frames[index].state == Frame.State.DIRTY) {
                lastKey = key;
                writer.writeOut(frames[index]);
            }
        }
    }
}
