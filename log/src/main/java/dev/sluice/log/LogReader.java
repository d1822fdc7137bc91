package dev.sluice.log;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.transfer.Hold;
import dev.sluice.io.transfer.Span;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Answers where the records of one log lie: by offset for fetches and for who reads the files himself, by time.
///
/// **Threads.** Any number of them, beside the one that appends. No lock is taken but by searches by time, and where a
/// file can't be opened, to wait for a deletion that is under way. What is published never changes, and segments leave
/// by unlink, so what was handed out stays true.
///
/// **Memory.** Nothing is copied: what is answered lies in a file, or in an engine's memory, and is kept by a hold that
/// whoever gets it releases.
final class LogReader {
    private final LogState state;
    private final SegmentList segments;
    private final HighWatermark watermark;

    /// The last failure of a read; by whichever thread met it.
    private volatile @Nullable IOException failure;

    LogReader(LogState state, HighWatermark watermark) {
        this.state = state;
        this.segments = state.segments();
        this.watermark = watermark;
    }

    /// The last failure to read, or null.
    @Nullable IOException failure() {
        return failure;
    }

    // ---- By offset

    /// See [PartitionLog#read].
    ReadOutcome read(long offset, int maxBytes, boolean atLeastOneBatch) throws IOException {
        Segment[] all = segments.all();
        Segment last = all[all.length - 1];
        long lastPublished = last.published();
        long publishedEnd = last.endOffset(lastPublished);
        End bound = watermark.bound();
        if (bound != null && bound.segment().baseOffset() <= last.baseOffset()) { // else it rose beyond all of these
            last = bound.segment();
            lastPublished = bound.published();
        }
        long endOffset = last.endOffset(lastPublished);
        if (state.isClosed()) {
            return new ReadOutcome.Closed();
        }
        if (offset >= endOffset && offset <= publishedEnd) {
            return new ReadOutcome.AtEnd(endOffset);
        }
        if (offset < state.startOffset() || offset > publishedEnd) {
            return new ReadOutcome.OutOfRange(state.startOffset(), endOffset);
        }
        try {
            for (int i = SegmentList.floor(all, offset); i < all.length; i++) {
                long published = all[i] == last ? lastPublished : all[i].published();
                ReadOutcome found = readIn(all[i], published, offset, maxBytes, atLeastOneBatch);
                if (found != null) {
                    return found;
                }
                if (all[i] == last) {
                    break; // what is behind may not be seen
                }
            }
        } catch (ErrnoException e) {
            if (state.isClosedForGood()) {
                return new ReadOutcome.Closed(); // its files were moved away meanwhile
            }
            if (offset < state.startOffset()) {
                return new ReadOutcome.OutOfRange(state.startOffset(), endOffset); // deleted meanwhile
            }
            failure = e;
            throw e;
        } catch (CorruptBatchException e) {
            failure = e;
            throw e;
        }
        if (offset < state.startOffset()) {
            return new ReadOutcome.OutOfRange(state.startOffset(), endOffset);
        }
        throw new CorruptBatchException(
                last.log().path().toString(),
                Segment.endPosition(lastPublished),
                "a batch with offset " + offset,
                "the end, though the next offset is " + endOffset);
    }

    /// See [PartitionLog#segmentFor].
    SegmentOutcome segmentFor(long offset) throws IOException {
        End end = watermark.readable();
        Segment[] all = segments.all(); // read after the end, whose segment is among them, or deleted
        if (state.isClosed()) {
            return new SegmentOutcome.Closed();
        }
        if (offset < state.startOffset() || offset > end.offset()) {
            return new SegmentOutcome.OutOfRange(state.startOffset(), end.offset());
        }
        try {
            for (int i = SegmentList.floor(all, offset); i < all.length; i++) {
                SegmentOutcome found = placeIn(all[i], end, offset);
                if (found != null) {
                    return found;
                }
            }
        } catch (ErrnoException e) {
            if (state.isClosedForGood()) {
                return new SegmentOutcome.Closed(); // its files were moved away meanwhile
            }
            if (offset >= state.startOffset()) {
                failure = e;
                throw e;
            }
        }
        return new SegmentOutcome.OutOfRange(state.startOffset(), end.offset()); // deleted meanwhile
    }

    /// See [PartitionLog#hasSegment].
    boolean hasSegment(long baseOffset) {
        Segment[] all = segments.all();
        return !state.isClosed() && all[SegmentList.floor(all, baseOffset)].baseOffset() == baseOffset;
    }

    /// @return null when there is no batch at or behind `offset` in a sealed segment
    private static @Nullable SegmentOutcome placeIn(Segment segment, End end, long offset)
            throws CorruptBatchException, ErrnoException {
        boolean isSealed = segment.baseOffset() < end.segment().baseOffset();
        long published = isSealed ? segment.published() : Segment.NOTHING_PUBLISHED; // begun behind the end
        if (segment == end.segment()) {
            published = end.published();
        }
        Descriptor file = segment.log().acquire();
        boolean handedOut = false;
        try {
            int endPosition = Segment.endPosition(published);
            BatchPlace place = offset < segment.endOffset(published) ? segment.find(file, offset, published) : null;
            if (place == null && isSealed) {
                return null;
            }
            handedOut = true;
            return new SegmentOutcome.Found(
                    file,
                    segment.log(),
                    segment.baseOffset(),
                    place == null ? endPosition : place.position(),
                    endPosition,
                    isSealed);
        } finally {
            if (!handedOut) {
                segment.log().release();
            }
        }
    }

    private @Nullable ReadOutcome readIn(
            Segment segment, long published, long offset, int maxBytes, boolean atLeastOneBatch)
            throws CorruptBatchException, ErrnoException {
        CachedFile log = segment.log();
        Descriptor file = log.acquire();
        boolean handedOut = false;
        try {
            BatchPlace place = segment.find(file, offset, published);
            if (place == null) {
                return null;
            }
            int wanted = Math.max(maxBytes, atLeastOneBatch ? place.lengthBytes() : 0);
            int length = Math.min(wanted, Segment.endPosition(published) - place.position());
            int readableTo = Segment.endPosition(published);
            if (log.isSuspect()) {
                length = segment.readable(file, place, length);
                readableTo = place.position() + length;
            }
            Span span = span(segment, file, place.position(), length, readableTo);
            handedOut = true;
            return new ReadOutcome.Found(span, place.baseOffset());
        } finally {
            if (!handedOut) {
                log.release();
            }
        }
    }

    /// @param file of the segment, with a reference that the span takes over
    private Span span(Segment segment, Descriptor file, int position, int lengthBytes, int readableTo) {
        boolean isPastCache = state.context().engineFor(state.config()).isPastPageCache();
        SegmentAppender appending = isPastCache ? segment.appender() : null;
        SegmentWriter.InMemory inMemory =
                appending == null ? null : appending.writer().inMemory(position, lengthBytes);
        CachedFile log = segment.log();
        return inMemory == null
                ? new Span(file, position, lengthBytes, List.of(), isPastCache, readableTo, log)
                : new Span(
                        file,
                        position,
                        lengthBytes,
                        inMemory.slices(),
                        true,
                        readableTo,
                        new BothHolds(log, inMemory.hold()));
    }

    /// The hold of a file and that of some memory.
    private record BothHolds(Hold file, Hold memory) implements Hold {
        @Override
        public void release() {
            memory.release();
            file.release();
        }

        @Override
        public void unreadable() {
            file.unreadable();
        }
    }

    // ---- By time

    /// See [PartitionLog#offsetForTimestamp].
    Optional<TimestampedOffset> offsetForTimestamp(long timestampMs, BatchCodec codec) throws IOException {
        return search(codec, found -> found.first(timestampMs, state.startOffset()));
    }

    /// See [PartitionLog#offsetOfMaxTimestamp].
    Optional<TimestampedOffset> offsetOfMaxTimestamp(BatchCodec codec) throws IOException {
        return search(codec, TimestampSearch::largest);
    }

    /// Searches, and once more where a segment was deleted on the way.
    private Optional<TimestampedOffset> search(BatchCodec codec, Question question) throws IOException {
        while (true) {
            Segment first = segments.first();
            try {
                return question.ask(timestamps(codec));
            } catch (ErrnoException e) {
                if (e.errno() != Errno.ENOENT || segments.first() == first) {
                    throw e;
                }
            }
        }
    }

    @FunctionalInterface
    private interface Question {
        Optional<TimestampedOffset> ask(TimestampSearch search) throws IOException;
    }

    private TimestampSearch timestamps(BatchCodec codec) throws ErrnoException, CorruptBatchException {
        state.lock().lock();
        try {
            End published = segments.end();
            End bound = watermark.bound();
            End end = bound == null ? published : bound;
            SegmentAppender appender = end.segment().appender();
            LargestTimestamp largest =
                    appender != null ? appender.largest() : end.segment().largest();
            Segment[] all = segments.all();
            int last = SegmentList.floor(all, end.segment().baseOffset());
            int count = all[last] == end.segment() ? last + 1 : 0; // all that may be seen was deleted
            return new TimestampSearch(Arrays.copyOf(all, count), end.published(), largest, codec);
        } finally {
            state.lock().unlock();
        }
    }
}
