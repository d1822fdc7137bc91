package dev.sluice.log;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.ErrnoException;
import java.io.IOException;
import java.util.OptionalLong;

/// How one log lets go of its oldest records: by age, by size, or because somebody deletes them.
///
/// First the log's start moves, then that is written down durably, then files are unlinked; whoever calls does the
/// second step, for all logs at once.
///
/// **Threads.** Any thread that may wait for the disk.
final class LogRetention {
    private final LogState state;
    private final HighWatermark watermark;
    private final SegmentRoller roller;

    LogRetention(LogState state, HighWatermark watermark, SegmentRoller roller) {
        this.state = state;
        this.watermark = watermark;
        this.roller = roller;
    }

    /// See [PartitionLog#deleteBefore].
    long deleteBefore(long offset) throws IOException {
        if (offset > watermark.offset()) {
            throw new IllegalArgumentException(
                    "Offset " + offset + " of " + state.name() + " is above its high watermark, " + watermark.offset());
        }
        long start = state.moveStart(offset);
        state.context().logStarts().keep();
        dropBelow(start);
        return state.startOffset();
    }

    /// Moves the start above the segments that are due to go by age or size. Kafka's rules, `UnifiedLog`: by age a
    /// segment goes when its youngest record is older than `retention.ms`; by size the oldest go while the others
    /// hold at least `retention.bytes`. The active segment goes too, and a new one is begun.
    ///
    /// Unlinks nothing: [#dropBelow] does, once it was written down where the log begins.
    ///
    /// @param nowMs what counts as now; empty when nothing is to go by age
    /// @throws IOException when that can't be found out; what lies before is due all the same
    void expire(OptionalLong nowMs) throws IOException {
        LogConfig using = state.config();
        if (state.isClosed() || !using.deleted()) {
            return;
        }
        Segment[] all = state.segments().all();
        Expiry expiry = new Expiry(using, nowMs, state.segments().bytes());
        long start = all[0].baseOffset();
        try {
            for (int i = 0; i + 1 < all.length; i++) {
                if (!expiry.takes(all[i], null) || all[i + 1].baseOffset() > watermark.offset()) {
                    return;
                }
                start = all[i + 1].baseOffset();
            }
            start = Math.max(start, expireActive(all[all.length - 1], expiry));
        } finally {
            if (start > state.startOffset()) {
                state.moveStart(start);
            }
        }
    }

    /// @return the end of the log if all of it is due, and a new segment was begun there; else 0
    private long expireActive(Segment last, Expiry expiry) throws IOException {
        state.lock().lock();
        try {
            long end = state.segments().endOffset();
            boolean empty = Segment.endPosition(last.published()) == 0;
            if (state.hasStopped() || last != state.segments().active() || empty || end > watermark.offset()) {
                return 0;
            }
            if (!expiry.takes(last, last.appender())) {
                return 0;
            }
            state.context().reserve().spendFor(() -> roller.roll(end));
            return end;
        } finally {
            state.lock().unlock();
        }
    }

    /// Unlinks the segments that hold nothing from `start` on, the oldest first.
    ///
    /// @param start a log start offset that was written down durably. Not the one of now: somebody else may have
    ///     moved that meanwhile, and not have written it down yet
    /// @return how many went, with how many bytes
    /// @throws IOException when the folder does not let go of one
    Dropped dropBelow(long start) throws IOException {
        state.unlinkLock().lock();
        try {
            Segment[] gone = takeBelow(start);
            long bytes = 0;
            long failed = 0;
            for (Segment segment : gone) {
                bytes += Segment.endPosition(segment.published());
                long result = segment.delete();
                failed = failed == 0 ? result : failed;
            }
            ErrnoException.check(failed, Call.UNLINK, state.folder().toString());
            return new Dropped(gone.length, bytes);
        } finally {
            state.unlinkLock().unlock();
        }
    }

    /// Takes the segments out of the log that hold nothing from `start` on; readers find them no more.
    private Segment[] takeBelow(long start) {
        state.flushLock().lock(); // a flush under way needs their files by name
        state.lock().lock();
        try {
            return state.isClosed() ? new Segment[0] : state.segments().takeBelow(start);
        } finally {
            state.lock().unlock();
            state.flushLock().unlock();
        }
    }

    /// What retention has unlinked.
    record Dropped(int segments, long bytes) {}
}
