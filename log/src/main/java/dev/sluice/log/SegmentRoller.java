package dev.sluice.log;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.ErrnoException;

/// When a log's active segment ends, and how the next one begins. Used under the log's lock.
final class SegmentRoller {
    private final LogState state;
    private final RecoveryPoint recoveryPoint;
    private final ProducerStates producers;
    private final LazyAccount account;
    private long snapshotOffset;

    /// @param producers      what is written down at each roll
    /// @param account        of the log, parent of those of new segments
    /// @param snapshotOffset of the newest producer snapshot, or the log start offset
    SegmentRoller(
            LogState state,
            RecoveryPoint recoveryPoint,
            ProducerStates producers,
            LazyAccount account,
            long snapshotOffset) {
        this.state = state;
        this.recoveryPoint = recoveryPoint;
        this.producers = producers;
        this.account = account;
        this.snapshotOffset = snapshotOffset;
    }

    /// Whether a batch is to begin a new segment. Kafka's rule, `LogSegment.shouldRoll`.
    ///
    /// @param baseOffset that the batch will get
    /// @param appender   of the active segment
    /// @param batchesAhead batches that are written together with it, before it, and their bytes
    boolean isDue(
            BatchView batch,
            LogConfig using,
            long baseOffset,
            SegmentAppender appender,
            int batchesAhead,
            int bytesAhead)
            throws ErrnoException, CorruptBatchException {
        Segment segment = state.segments().active();
        int size = Segment.endPosition(segment.published());
        if (size == 0) {
            return false;
        }
        long lastOffset = baseOffset + batch.lastOffsetDelta();
        return (long) size + bytesAhead > using.segmentBytes() - batch.lengthBytes()
                || lastOffset - segment.baseOffset() > Integer.MAX_VALUE
                || appender.indexIsFull(batchesAhead)
                || segment.ageMs(batch.maxTimestamp(), state.context().clock().millis())
                        > using.segmentMs() - jitterMs(segment, using);
    }

    /// By how much this segment rolls earlier: another part for each, the same whenever it is asked for.
    private long jitterMs(Segment segment, LogConfig using) {
        long most = Math.min(using.segmentJitterMs(), using.segmentMs());
        if (most == 0) {
            return 0;
        }
        long mixed = (state.name().hashCode() + segment.baseOffset() * 31) * 0x9E3779B97F4A7C15L;
        return (mixed >>> 1) % most;
    }

    /// Begins a new segment. When anything fails, the old one stays the active one.
    void roll(long baseOffset) throws ErrnoException {
        LogContext context = state.context();
        SegmentFiles files = new SegmentFiles(state.folder(), baseOffset);
        Segment old = state.segments().active();
        old.trim(); // first: once there is another behind it, a start trusts its length
        if (mustKeepLength(baseOffset)) {
            keepLength(old);
        }
        Segment next = Segment.create(context, files, state.config().compacted(), account);
        try {
            snapshotProducers(baseOffset);
            old.finish();
        } catch (ErrnoException e) {
            next.retire();
            Segment.unlink(context.kernel(), files);
            throw e;
        }
        recoveryPoint.namesChanged();
        old.cool();
        state.segments().add(next);
    }

    /// Past the page cache all but the length is on the device, and no flush comes for it. A segment that was
    /// filled ahead is flushed with all that follow the recovery point, its length too; but not when that is beyond
    /// it.
    private boolean mustKeepLength(long endOffset) {
        SegmentWriter.Engine engine = state.context().engineFor(state.config());
        return engine.isPastPageCache() || (engine.fillsAhead() && recoveryPoint.aimedAt() >= endOffset);
    }

    /// Waits until a segment's length is on the device, which was longer by zeros until now: where all of it was
    /// flushed before, nobody would look at it again after a power loss, and readers would come to the zeros.
    private void keepLength(Segment trimmed) throws ErrnoException {
        try {
            trimmed.flush();
        } catch (ErrnoException e) {
            if (e.call() == Call.FDATASYNC) {
                state.fence(e, recoveryPoint.offset());
            }
            throw e;
        }
    }

    /// Writes down what is remembered of producers, unless that was done at this offset.
    void snapshotProducers(long offset) throws ErrnoException {
        if (offset > snapshotOffset) {
            ProducerSnapshot.write(
                    state.kernel(), SegmentFiles.of(state.folder(), offset, SegmentFiles.SNAPSHOT), producers);
            snapshotOffset = offset;
        }
    }
}
