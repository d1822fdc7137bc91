package dev.sluice.log;

import dev.sluice.io.linux.Descriptor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Finds records by their timestamps: time index → offset index → batch headers → inside one batch.
///
/// The answers are those of Kafka 4.3.1's `UnifiedLog.fetchOffsetByTimestamp`. A search of one moment of the log;
/// owned by the searching thread.
final class TimestampSearch {
    private final Segment[] segments;
    private final long activePublished;
    /// At least the largest timestamp of what may be seen of the last segment: there may be larger ones behind.
    private final LargestTimestamp activeLargest;
    private final BatchCodec codec;

    /// @param activePublished what may be seen of the last segment
    /// @param activeLargest   the largest timestamp in that segment, also of what may not be seen yet
    TimestampSearch(Segment[] segments, long activePublished, LargestTimestamp activeLargest, BatchCodec codec) {
        this.segments = segments;
        this.activePublished = activePublished;
        this.activeLargest = activeLargest;
        this.codec = codec;
    }

    /// The first record at or above `startOffset` whose timestamp is at least `timestampMs`.
    Optional<TimestampedOffset> first(long timestampMs, long startOffset) throws IOException {
        for (int i = 0; i < segments.length; i++) {
            if (largestIn(i).timestampMs() >= timestampMs) {
                Optional<TimestampedOffset> found = firstIn(i, timestampMs, startOffset);
                if (found.isPresent()) {
                    return found;
                }
            }
        }
        return Optional.empty();
    }

    private Optional<TimestampedOffset> firstIn(int index, long timestampMs, long startOffset) throws IOException {
        Segment segment = segments[index];
        Descriptor file = segment.log().acquire();
        try (HeaderCursor cursor = segment.cursorAtTime(file, timestampMs, startOffset, publishedIn(index))) {
            while (cursor.next()) {
                if (cursor.header().maxTimestamp() >= timestampMs) {
                    long base = cursor.header().baseOffset();
                    Optional<TimestampedOffset> found = inside(
                            cursor, (delta, timestamp) -> timestamp >= timestampMs && base + delta >= startOffset);
                    if (found.isPresent()) {
                        return found;
                    }
                }
            }
        } finally {
            segment.log().release();
        }
        return Optional.empty();
    }

    /// The first record with the largest timestamp.
    Optional<TimestampedOffset> largest() throws IOException {
        if (segments.length == 0) {
            return Optional.empty();
        }
        int best = 0;
        LargestTimestamp largest = seenIn(0);
        for (int i = 1; i < segments.length; i++) {
            LargestTimestamp other = seenIn(i);
            if (other.timestampMs() > largest.timestampMs()) {
                best = i;
                largest = other;
            }
        }
        long timestampMs = largest.timestampMs();
        if (timestampMs == BatchView.NO_TIMESTAMP) {
            return Optional.empty();
        }
        Segment segment = segments[best];
        Descriptor file = segment.log().acquire();
        try (HeaderCursor cursor = segment.cursorAt(file, largest.lastOffset(), publishedIn(best))) {
            while (cursor.next()) {
                if (cursor.header().maxTimestamp() == timestampMs) {
                    return inside(cursor, (_, timestamp) -> timestamp == timestampMs);
                }
            }
        } finally {
            segment.log().release();
        }
        return Optional.empty();
    }

    private LargestTimestamp largestIn(int index) throws IOException {
        return index == segments.length - 1 ? activeLargest : segments[index].largest();
    }

    /// The largest timestamp of what may be seen.
    private LargestTimestamp seenIn(int index) throws IOException {
        LargestTimestamp known = largestIn(index);
        Segment segment = segments[index];
        long published = publishedIn(index);
        return known.lastOffset() < segment.endOffset(published) ? known : segment.largestBelow(published);
    }

    private long publishedIn(int index) {
        return index == segments.length - 1 ? activePublished : segments[index].published();
    }

    @FunctionalInterface
    private interface Wanted {
        boolean test(int offsetDelta, long timestampMs);
    }

    /// The first wanted record of the batch that the cursor is at.
    private Optional<TimestampedOffset> inside(HeaderCursor cursor, Wanted wanted) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            BatchView batch = cursor.body(arena);
            FirstWanted visitor = new FirstWanted(batch, wanted);
            codec.visit(batch, visitor);
            return Optional.ofNullable(visitor.found);
        }
    }

    private static final class FirstWanted implements BatchCodec.RecordVisitor {
        private final BatchView batch;
        private final Wanted wanted;
        private @Nullable TimestampedOffset found;

        FirstWanted(BatchView batch, Wanted wanted) {
            this.batch = batch;
            this.wanted = wanted;
        }

        @Override
        public boolean record(int offsetDelta, long timestampMs) {
            if (wanted.test(offsetDelta, timestampMs)) {
                found = new TimestampedOffset(timestampMs, batch.baseOffset() + offsetDelta, batch.leaderEpoch());
            }
            return found == null;
        }
    }
}
