package dev.sluice.log.local;

import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.view.FaultDelivery;
import dev.sluice.log.BatchView;
import dev.sluice.log.Compression;
import dev.sluice.log.CorruptBatchException;
import dev.sluice.log.local.LocalLogException.Reason;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/// Reads one partition, record by record, where the records lie.
///
/// ```
///                 open, next                   the end was reached, and it was rolled since
///   in a segment ───────────► more ◄─────────────────────────────────────────► the next segment (one request)
///        │  ▲
///        ▼  │ LocalLog.await
///      no more yet ──► DELETED, BROKER_GONE: an exception, once all that was held is read
/// ```
///
/// A segment that the broker deletes meanwhile stays readable to its end; where the log begins behind it by then, going
/// on from there is [Reason#OFFSET_OUT_OF_RANGE], with the offsets that there are.
///
/// Owned by its log's thread. Frees its maps when it is closed; what it lends is valid until the next call.
public final class LocalReader implements AutoCloseable {
    private static final int UNKNOWN = -1;
    /// The CRC covers a batch from its attributes on, see [BatchView].
    private static final int CRC_STARTS_AT = 21;
    /// Checksums aren't reckoned by the view, which would do it in native code over the map.
    private static final ByteBuffer NO_VIEW = ByteBuffer.allocate(0);

    private final LocalLog log;
    private final LocalLog.Options options;
    private final EndPage page;
    private final String topic;
    private final int partition;
    private final int slot;
    private final BatchView header = new BatchView();
    private final BatchBody body = new BatchBody();
    private final RecordCursor cursor = new RecordCursor();
    private final LocalRecord record = new LocalRecord(cursor);

    private SegmentMap map;
    /// Where the segment's batches end for good, or UNKNOWN.
    private int sealedEnd;
    /// Of the next batch, in the segment.
    private long position;
    /// The least offset that the next batch may have.
    private long nextOffset;
    /// The high watermark, as it was last looked at.
    private long seenEnd;
    /// Set once there was nothing more in this segment: what comes is fresh.
    private boolean hasCaughtUp;

    // The batch that the reader is at.
    private long batchAt;
    private int batchBytes;
    private int recordsLeft;
    private long baseOffset;
    /// What a record's timestamp is counted from, or, by append time, what it is.
    private long baseTimestampMs;
    private boolean isAppendTime;
    /// The offset of the next record that is wanted.
    private long wanted;

    private boolean closed;

    LocalReader(
            LocalLog log, LocalLog.Options options, EndPage page, String topic, int partition, LocalLog.Passed passed) {
        this.log = log;
        this.options = options;
        this.page = page;
        this.topic = topic;
        this.partition = partition;
        this.slot = passed.segment().slot();
        this.map = passed.map();
        this.nextOffset = passed.segment().offset();
        this.wanted = nextOffset;
        begin(passed.segment());
    }

    private void begin(LocalReply.Segment segment) {
        sealedEnd = segment.isSealed() ? segment.endPosition() : UNKNOWN;
        position = segment.position();
        hasCaughtUp = false;
    }

    private String name() {
        return topic + "-" + partition;
    }

    /// The topic that it reads.
    public String topic() {
        return topic;
    }

    /// The partition that it reads.
    public int partition() {
        return partition;
    }

    /// The offset of the next record: where to open a reader that goes on for this one.
    public long position() {
        return wanted;
    }

    /// The offset below which there are records to read now.
    public long highWatermark() {
        return page.highWatermark(slot);
    }

    /// The first offset that the broker has; about a second old.
    public long logStartOffset() {
        return page.logStartOffset(slot);
    }

    // ---- Records

    /// Goes to the next record.
    ///
    /// @return whether there is one: then [#record] shows it
    /// @throws LocalLogException     when there will be none: see its reasons
    /// @throws CorruptBatchException when stored bytes are no records
    public boolean next() throws IOException {
        try {
            while (true) {
                while (recordsLeft > 0) {
                    recordsLeft--;
                    cursor.next();
                    long offset = baseOffset + cursor.offsetDelta();
                    if (offset >= wanted) {
                        wanted = offset + 1;
                        record.at(offset, isAppendTime ? baseTimestampMs : baseTimestampMs + cursor.timestampDelta());
                        return true;
                    }
                }
                if (!nextBatch()) {
                    return false;
                }
                beginRecords();
            }
        } catch (RecordCursor.NoRecordException e) {
            recordsLeft = 0;
            map.verify(batchAt);
            throw new CorruptBatchException(map.name(), batchAt, header.count() + " records", e.found());
        } catch (InternalError e) {
            throw explained(e);
        }
    }

    private void beginRecords() throws IOException {
        if (header.isControl()) {
            return; // a mark of a transaction's end, for nobody to see
        }
        long from = batchAt + BatchView.HEADER_BYTES;
        int bytes = batchBytes - BatchView.HEADER_BYTES;
        Compression compression = header.compression();
        if (compression == Compression.NONE) {
            cursor.begin(map.memory(), from, from + bytes);
        } else {
            MemorySegment opened =
                    body.open(options.decompressor(), compression, map.memory(), from, bytes, map.name());
            cursor.begin(opened, 0, opened.byteSize());
        }
        recordsLeft = header.count();
        baseOffset = header.baseOffset();
        isAppendTime = header.isLogAppendTime();
        baseTimestampMs = isAppendTime ? header.maxTimestamp() : header.baseTimestamp();
        wanted = Math.max(wanted, baseOffset);
    }

    /// The record that [#next] went to.
    public LocalRecord record() {
        return record;
    }

    // ---- Batches

    /// Goes to the next batch, past what is left of the records of this one.
    ///
    /// @return whether there is one: then [#batch] shows it
    /// @throws LocalLogException     when there will be none: see its reasons
    /// @throws CorruptBatchException when stored bytes are no batches
    public boolean nextBatch() throws IOException {
        recordsLeft = 0;
        wanted = Math.max(wanted, nextOffset);
        try {
            while (true) {
                if (nextOffset >= seenEnd && !looksFurther()) {
                    return false;
                }
                int end = endHere();
                if (end == UNKNOWN) {
                    goOn(); // it was rolled
                } else if (position < end) {
                    read(end);
                    if (nextOffset > wanted) { // else all of it lies before what is wanted
                        return true;
                    }
                } else if (sealedEnd != UNKNOWN) {
                    goOn();
                } else {
                    nextOffset = seenEnd; // the last offsets are given to none
                    wanted = Math.max(wanted, nextOffset);
                }
            }
        } catch (InternalError e) {
            throw explained(e);
        }
    }

    /// The whole batch that [#nextBatch] or [#next] went to, as it is stored: Kafka's format, magic 2. Of the page
    /// cache; [LocalRecord] says what not to do with it.
    public MemorySegment batch() {
        return map.memory().asSlice(batchAt, batchBytes);
    }

    /// Looks at the page whether there is more.
    private boolean looksFurther() throws LocalLogException {
        if (closed) {
            throw new IllegalStateException("The reader of " + name() + " was closed");
        }
        boolean isDeleted = page.isDeleted(slot);
        boolean isStopped = page.isStopped(); // both before the end, which is told before them
        seenEnd = page.highWatermark(slot);
        if (nextOffset < seenEnd) {
            return true;
        }
        hasCaughtUp = true;
        if (isDeleted) {
            throw new LocalLogException(Reason.DELETED, name() + " was deleted; all of it was read that could be");
        }
        if (isStopped) {
            throw log.stopped();
        }
        return false;
    }

    /// Whether [#next] has something to say.
    boolean canGoOn() {
        return recordsLeft > 0 || nextOffset < page.highWatermark(slot) || page.isDeleted(slot) || page.isStopped();
    }

    /// Where the published batches of this segment end, or UNKNOWN when it was sealed and we don't know where.
    private int endHere() {
        if (sealedEnd != UNKNOWN) {
            return sealedEnd;
        }
        int end = page.endPosition(slot); // after the watermark, before the base offset: see EndPage
        return page.baseOffset(slot) == map.baseOffset() ? end : UNKNOWN;
    }

    /// Asks where the next offset lies: in this segment still, whose end is known then, or in the next.
    private void goOn() throws LocalLogException {
        LocalLog.Passed passed = log.segment(name(), new LocalRequest.Next(slot, nextOffset));
        if (passed.map().baseOffset() == map.baseOffset() && passed.segment().isSealed()) {
            sealedEnd = passed.segment().endPosition();
            passed.map().close(); // we have it
            return;
        }
        map.close();
        map = passed.map();
        begin(passed.segment());
    }

    /// Takes the batch at [#position].
    private void read(int end) throws IOException {
        reach(end);
        map.bringIn(position, Math.min(position + BatchView.HEADER_BYTES, end), end, hasCaughtUp);
        MemorySegment memory = map.memory();
        if (end - position < BatchView.HEADER_BYTES) {
            throw corrupt("a batch header of 61 bytes", (end - position) + " bytes");
        }
        header.wrap(memory, NO_VIEW, position, BatchView.HEADER_BYTES);
        long length = header.batchLengthBytes();
        if (length < BatchView.HEADER_BYTES || length > end - position) {
            throw corrupt("a length from 61 to " + (end - position), Long.toString(length));
        }
        if (header.magic() != BatchView.MAGIC) {
            throw corrupt("magic 2", Byte.toString(header.magic()));
        }
        if (header.lastOffsetDelta() < 0 || header.lastOffset() < nextOffset || header.lastOffset() >= seenEnd) {
            throw corrupt(
                    "a last offset from " + nextOffset + " and below " + seenEnd, Long.toString(header.lastOffset()));
        }
        map.bringIn(position, position + length, end, hasCaughtUp);
        if (options.checksCrc()) {
            int crc = body.crc(memory, position + CRC_STARTS_AT, length - CRC_STARTS_AT);
            if (crc != header.crc()) {
                throw corrupt("CRC " + Integer.toHexString(header.crc()), Integer.toHexString(crc));
            }
        }
        FaultDelivery.now();
        batchAt = position;
        batchBytes = (int) length;
        position += length;
        nextOffset = header.lastOffset() + 1;
    }

    private void reach(int end) throws LocalLogException {
        try {
            map.reach(end);
        } catch (ErrnoException e) {
            throw new LocalLogException(
                    Reason.UNREADABLE, "More of " + map.name() + " can't be mapped: " + e.getMessage());
        }
    }

    private IOException corrupt(String expected, String found) throws LocalLogException {
        map.verify(position); // else what was found is what a page that isn't there gave
        return new CorruptBatchException(map.name(), position, expected, found);
    }

    private IOException explained(InternalError e) {
        if (FaultDelivery.isFault(e)) {
            return map.unreadable(position);
        }
        throw e;
    }

    /// Closing twice changes nothing.
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            recordsLeft = 0;
            log.close(this, slot);
            map.close();
            body.close();
        }
    }
}
