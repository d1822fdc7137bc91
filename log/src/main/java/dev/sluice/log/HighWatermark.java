package dev.sluice.log;

import org.jspecify.annotations.Nullable;

/// How far readers may see one log, and what is acknowledged: the least of
///
/// - what is published: all that was appended, while nothing below says less;
/// - *shown*: what is on the device, under [FlushPolicy#ACK], and otherwise what lies below the ceiling, see
///   [Ceilings];
/// - *written*: what an asynchronous engine has in the file, see [SegmentWriter].
///
/// ```
///        begins         shown                 written           published
///   ───────┼──────────────┼──────────────────────┼──────────────────┼────────▶ offsets
///          └─ can be read ┘                 (here: the smaller of the two)
/// ```
///
/// **Threads.** The appending thread says what it is about to publish, under the log's lock, before it does; whoever
/// flushes, raises a ceiling or writes for the engine raises the bound. Readers read what is published first and the
/// bound then: so nobody sees the one without the other.
final class HighWatermark {
    private final LogState state;

    /// What readers may see, or null for all that is published. Written under the log's lock.
    private volatile @Nullable End shown;
    /// How far an asynchronous engine has come, or null where what is published is written. Set under the log's
    /// lock, then raised on the engine's thread.
    private volatile @Nullable End written;
    /// Below it, offsets may be shown before they are on the device.
    private volatile long ceiling;
    /// Guarded by the log's lock.
    private boolean wantsCeiling;

    HighWatermark(LogState state, long ceiling) {
        this.state = state;
        this.ceiling = ceiling;
    }

    long offset() {
        long end = state.segments().endOffset();
        End bound = bound();
        return bound == null ? end : bound.offset();
    }

    /// The end of what readers may see, or null for all that is published; to be read after what is published was.
    @Nullable End bound() {
        End allowed = shown;
        End there = written;
        return allowed == null || (there != null && there.offset() < allowed.offset()) ? there : allowed;
    }

    /// The end of what readers may see, in a segment that was there at the call.
    End readable() {
        End end = state.segments().end();
        End bound = bound();
        return bound != null && bound.segment().baseOffset() <= end.segment().baseOffset() ? bound : end;
    }

    // ---- Under the log's lock: an append

    /// Holds back what may not be seen of a batch that is about to be published.
    ///
    /// @param isUnflushedShown whether the flush policy lets readers see what is not on the device
    /// @param isAsynchronous   whether the batch is written later than it was published
    void admit(long lastOffset, boolean isUnflushedShown, boolean isAsynchronous) {
        if (shown == null && !(isUnflushedShown && lastOffset < ceiling)) {
            shown = state.segments().end();
        }
        if (written == null && isAsynchronous) {
            written = state.segments().end();
        }
        wantsCeiling |= isUnflushedShown && lastOffset >= ceiling - Ceilings.STEP / 2;
    }

    /// Whether neither a flush nor a ceiling is waited for.
    boolean isAllShown() {
        return shown == null;
    }

    /// Whether no write is waited for.
    boolean isAllWritten() {
        return written == null;
    }

    // ---- Raising it

    /// Lets readers see what may be seen now.
    ///
    /// @param reached       an end up to which all may be
    /// @param recoveryPoint everything below is on the device; one that has risen meanwhile will be told by who
    ///                      raised it
    /// @return bytes that can be read now and could not before
    long raise(End reached, long recoveryPoint) {
        state.lock().lock();
        try {
            End before = shown;
            if (before == null) {
                return 0;
            }
            SegmentList segments = state.segments();
            End end = segments.end();
            boolean unflushed = state.config().effectiveFlushPolicy() != FlushPolicy.ACK;
            if (end.offset() <= recoveryPoint || (unflushed && end.offset() <= ceiling)) {
                shown = null;
                return segments.bytesBetween(before, end);
            }
            if (reached.offset() <= before.offset()) {
                return 0;
            }
            shown = reached;
            return segments.bytesBetween(before, reached);
        } finally {
            state.lock().unlock();
        }
    }

    /// An asynchronous engine has come so far. On its thread, under no lock.
    void writtenUpTo(End end) {
        written = end;
    }

    /// Whether readers may see more as the engine writes more: else whoever shows more tells them.
    boolean isBoundByWrites() {
        End there = written;
        End allowed = shown;
        return there == null || allowed == null || there.offset() <= allowed.offset();
    }

    // ---- The ceiling

    long ceiling() {
        return ceiling;
    }

    /// It is on the device. What was appended meanwhile may have asked for it too.
    void ceilingIs(long raised) {
        state.lock().lock();
        try {
            ceiling = raised;
            wantsCeiling &= state.segments().endOffset() > raised - Ceilings.STEP / 2;
        } finally {
            state.lock().unlock();
        }
    }

    /// Nothing is seen above `offset` that is not on the device. Under the log's lock.
    void lowerCeiling(long offset) {
        ceiling = Math.min(ceiling, offset);
    }

    /// Under the log's lock.
    boolean wantsCeiling() {
        return wantsCeiling;
    }

    /// Under the log's lock.
    void wantsCeiling(boolean wants) {
        wantsCeiling = wants;
    }
}
