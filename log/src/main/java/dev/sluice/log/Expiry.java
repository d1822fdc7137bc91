package dev.sluice.log;

import dev.sluice.io.linux.ErrnoException;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// Which segments of a log are due to go, asked from the oldest on: one look at one log, by one thread.
final class Expiry {
    private final LogConfig config;
    private final OptionalLong nowMs;
    /// How much more the log holds than it has to.
    private long excessBytes;

    /// @param nowMs    what counts as now; empty when nothing is to go by age
    /// @param logBytes of all segments
    Expiry(LogConfig config, OptionalLong nowMs, long logBytes) {
        this.config = config;
        this.nowMs = nowMs;
        this.excessBytes = logBytes - config.retentionBytes();
    }

    /// Whether this segment, the oldest that was not asked about, is due. May read the disk.
    ///
    /// @param appender of the active segment, if it has one
    boolean takes(Segment segment, @Nullable SegmentAppender appender) throws ErrnoException {
        int bytes = Segment.endPosition(segment.published());
        boolean tooMuch = config.retentionBytes() >= 0 && excessBytes >= bytes;
        excessBytes -= bytes;
        return tooMuch || isTooOld(segment, appender);
    }

    private boolean isTooOld(Segment segment, @Nullable SegmentAppender appender) throws ErrnoException {
        if (config.retentionMs() < 0 || nowMs.isEmpty()) {
            return false;
        }
        LargestTimestamp youngest = appender != null ? appender.largest() : youngestIn(segment);
        return segment.sinceYoungestMs(youngest, nowMs.getAsLong()) > config.retentionMs();
    }

    /// A segment that is damaged goes by its file's last change: the damage must not keep it, and all behind it,
    /// for ever.
    private static LargestTimestamp youngestIn(Segment segment) throws ErrnoException {
        try {
            return segment.largest();
        } catch (CorruptBatchException e) {
            return LargestTimestamp.none(segment.baseOffset());
        }
    }
}
