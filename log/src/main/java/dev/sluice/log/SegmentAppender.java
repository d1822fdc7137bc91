package dev.sluice.log;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;

/// What a segment has while it is appended to: its writer, its mapped indexes, the places of its newest batches.
///
/// Made at the first append, dropped when the segment is sealed or the partition rests; it holds one reference on the
/// segment's file. Appended to by the thread that holds the partition's lock; the ring and the indexes are read by
/// any.
final class SegmentAppender {
    private final long baseOffset;
    private final CachedFile log;
    private final SegmentWriter writer;
    private final MappedIndex offsetIndex;
    private final MappedIndex timeIndex;
    private final BatchRing ring;

    private int bytesSinceIndexEntry;
    private long largestTimestamp;
    private long offsetOfLargestTimestamp;
    private long lastIndexedTimestamp;

    private SegmentAppender(
            long baseOffset,
            CachedFile log,
            SegmentWriter writer,
            MappedIndex offsetIndex,
            MappedIndex timeIndex,
            LargestTimestamp largest) {
        this.baseOffset = baseOffset;
        this.log = log;
        this.writer = writer;
        this.offsetIndex = offsetIndex;
        this.timeIndex = timeIndex;
        this.ring = new BatchRing(baseOffset);
        this.largestTimestamp = largest.timestampMs();
        this.offsetOfLargestTimestamp = largest.lastOffset();
        this.lastIndexedTimestamp = BatchView.NO_TIMESTAMP;
    }

    /// @param endPosition where the segment's whole batches end
    /// @param largest     the largest timestamp in it
    /// @param progress    told how far an asynchronous engine has come
    /// @throws ErrnoException when its file can't be opened, or an index can't be mapped
    static SegmentAppender open(
            LogContext context,
            LogConfig config,
            long baseOffset,
            CachedFile log,
            IndexFile offsetIndex,
            IndexFile timeIndex,
            int endPosition,
            LargestTimestamp largest,
            SegmentWriter.Progress progress)
            throws ErrnoException {
        Descriptor file = log.acquire();
        SegmentWriter writer;
        try {
            writer = context.engineFor(config)
                    .open(context.kernel(), file, endPosition, config.preallocateStepBytes(), progress);
        } catch (ErrnoException e) {
            log.release();
            throw e;
        }
        SegmentAppender appender = new SegmentAppender(
                baseOffset,
                log,
                writer,
                new MappedIndex(
                        context.kernel(),
                        IndexFormat.OFFSET,
                        offsetIndex.file(),
                        offsetIndex.count(),
                        config.indexBytes()),
                new MappedIndex(
                        context.kernel(), IndexFormat.TIME, timeIndex.file(), timeIndex.count(), config.indexBytes()),
                largest);
        try {
            appender.resumeTimeIndex(timeIndex);
        } catch (ErrnoException e) {
            appender.close();
            throw e;
        }
        return appender;
    }

    private void resumeTimeIndex(IndexFile before) throws ErrnoException {
        if (before.count() > 0) {
            lastIndexedTimestamp = before.entry(before.count() - 1).key();
        }
    }

    BatchRing ring() {
        return ring;
    }

    MappedIndex offsetIndex() {
        return offsetIndex;
    }

    MappedIndex timeIndex() {
        return timeIndex;
    }

    SegmentWriter writer() {
        return writer;
    }

    /// @param entriesAhead the most that are put before the next one
    boolean indexIsFull(int entriesAhead) {
        return offsetIndex.isFull(entriesAhead) || timeIndex.isFull(entriesAhead);
    }

    LargestTimestamp largest() {
        return new LargestTimestamp(largestTimestamp, offsetOfLargestTimestamp);
    }

    /// Makes room for batches and for the index entries that they may bring.
    ///
    /// @param lengthBytes of all of them
    /// @return 0, or −errno
    long room(int lengthBytes, int batches, int indexIntervalBytes) {
        if (batches > 1 || indexesNext(indexIntervalBytes)) {
            try {
                offsetIndex.room(batches);
                timeIndex.room(batches);
            } catch (ErrnoException e) {
                return -e.errno();
            }
        }
        return writer.room(lengthBytes);
    }

    private boolean indexesNext(int indexIntervalBytes) {
        return bytesSinceIndexEntry > indexIntervalBytes;
    }

    /// Writes a batch at the end.
    ///
    /// @return its position, or −errno
    long write(BatchView batch) {
        return writer.write(batch.memory(), batch.position(), batch.lengthBytes());
    }

    /// Writes batches at the end.
    ///
    /// @return the position of the first of them, or −errno
    long write(BatchGroup group, int from, int end) {
        return writer.write(group.memory(), group.position(from), group.lengthBytes(from, end));
    }

    /// Takes a batch that was written into the indexes, by Kafka's rule: an entry once more than
    /// `indexIntervalBytes` were written since the last one. Cannot fail.
    void index(BatchView batch, int position, int indexIntervalBytes) {
        long lastOffset = batch.lastOffset();
        long timestamp = batch.maxTimestamp();
        if (timestamp > largestTimestamp) {
            largestTimestamp = timestamp;
            offsetOfLargestTimestamp = lastOffset;
        }
        if (indexesNext(indexIntervalBytes)) {
            offsetIndex.append(lastOffset - baseOffset, position);
            indexTimestamp();
            bytesSinceIndexEntry = 0;
        }
        bytesSinceIndexEntry += batch.lengthBytes();
        ring.add(batch.baseOffset(), position);
    }

    private void indexTimestamp() {
        if (largestTimestamp > lastIndexedTimestamp) {
            timeIndex.append(largestTimestamp, (int) (offsetOfLargestTimestamp - baseOffset));
            lastIndexedTimestamp = largestTimestamp;
        }
    }

    /// Leaves the files as Kafka leaves those of a sealed segment: the largest timestamp is the time index's last
    /// entry, and none is longer than what it holds. Appending may go on afterwards.
    ///
    /// @throws ErrnoException when a file can't be trimmed
    void finish(IndexFile offsetIndexFile, IndexFile timeIndexFile) throws ErrnoException {
        if (largestTimestamp > lastIndexedTimestamp && timeIndexHasRoom()) {
            indexTimestamp();
        }
        offsetIndex.trim();
        timeIndex.trim();
        long result = writer.trim();
        if (result < 0) {
            throw new ErrnoException(Call.FTRUNCATE, (int) -result, log.path().toString());
        }
        offsetIndexFile.count(offsetIndex.count());
        timeIndexFile.count(timeIndex.count());
    }

    /// Without the last entry the largest timestamp has to be looked for in the headers: a full disk is no reason
    /// not to close.
    private boolean timeIndexHasRoom() throws ErrnoException {
        try {
            timeIndex.room(1);
            return true;
        } catch (ErrnoException e) {
            if (Errno.isOutOfSpace(e.errno())) {
                return false;
            }
            throw e;
        }
    }

    /// Lets go of the file and the maps; neither trims nor flushes.
    void close() {
        writer.close();
        offsetIndex.close();
        timeIndex.close();
        log.release();
    }
}
