package dev.sluice.broker.protocol;

import dev.sluice.broker.config.RecordRules;
import dev.sluice.io.memory.SlabPool;
import dev.sluice.log.BatchView;
import dev.sluice.log.Compression;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.compress.GzipCompression;
import org.apache.kafka.common.compress.Lz4Compression;
import org.apache.kafka.common.compress.ZstdCompression;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.common.utils.ByteBufferOutputStream;
import org.jspecify.annotations.Nullable;

/// Holds a produced batch to what its topic asks of records, before it is appended.
///
/// By default that costs one look at the header: a batch whose largest timestamp is not too far ahead is taken as it
/// came. Only a topic that asks for more (keys, times not too old, another compression) has its batches read record by
/// record, decompressed if need be: that is work of the processor alone, on the loop, and the bytes that a batch may
/// unfold to are bounded. Records are copied only for another compression, and then as one stream: the bytes of the
/// records themselves stay what they are.
///
/// A header whose largest timestamp is smaller than that of one of its records is believed where nobody has to look at
/// the records; Kafka always looks. It misleads searches by time in that batch, for those who read that producer.
///
/// Reused; owned by one loop. What [#batch] answers after a rewriting lies in memory of the loop's pool until
/// [#release].
public final class RecordAdmission {
    /// A record for which the batch is refused.
    ///
    /// @param index of the record in its batch
    public record RecordError(int index, String message) {}

    private static final int CHUNK_BYTES = 16 << 10;

    /// Records that a refusal names: a batch may have millions, and what is said of each is longer than it is.
    static final int MOST_RECORD_ERRORS = 100;

    private final SlabPool slabs;
    private final int mostBytes;
    private final BufferSupplier buffers = BufferSupplier.create();
    private final BatchView rewritten = new BatchView();
    private @Nullable RecordBytes bytes;

    // The outcome.
    private @Nullable BatchView batch;
    private @Nullable MemorySegment slab;
    private Errors error = Errors.NONE;
    private @Nullable String message;
    private List<RecordError> recordErrors = List.of();
    private long logAppendTimeMs;

    /// @param slabs     of the loop
    /// @param mostBytes that the records of one batch may have when they are not compressed
    public RecordAdmission(SlabPool slabs, int mostBytes) {
        this.slabs = slabs;
        this.mostBytes = mostBytes;
    }

    /// Looks at a batch that [BatchView#check] has found good. Its timestamps may be changed where it lies.
    ///
    /// @param maxBytes the topic's `max.message.bytes`, which holds for what a batch becomes, too
    /// @return whether [#batch] is to be appended; else [#error] and [#message] say why not
    public boolean admit(BatchView produced, RecordRules rules, int maxBytes, long nowMs) {
        release();
        batch = produced;
        error = Errors.NONE;
        message = null;
        recordErrors = List.of();
        logAppendTimeMs = BatchView.NO_TIMESTAMP;
        boolean rewrite = rules.compression() != null && rules.compression() != produced.compression();
        boolean checksTimes = !rules.logAppendTime()
                && (rules.beforeMaxMs() != Long.MAX_VALUE || isAhead(produced.maxTimestamp(), nowMs, rules));
        if (rewrite || checksTimes || rules.keysRequired()) {
            look(produced, rules, rewrite, maxBytes, nowMs);
        }
        if (error == Errors.NONE && rules.logAppendTime()) {
            batch().patchLogAppendTime(nowMs);
            logAppendTimeMs = nowMs;
        }
        return error == Errors.NONE;
    }

    private static boolean isAhead(long timestampMs, long nowMs, RecordRules rules) {
        return timestampMs > nowMs && timestampMs - nowMs > rules.afterMaxMs();
    }

    private static boolean isBehind(long timestampMs, long nowMs, RecordRules rules) {
        return timestampMs < nowMs - rules.beforeMaxMs(); // the other difference overflows for times far below zero
    }

    /// What is to be appended: what was produced, or what was made of it.
    public BatchView batch() {
        BatchView now = batch;
        if (now == null) {
            throw new IllegalStateException("no batch was admitted");
        }
        return now;
    }

    public Errors error() {
        return error;
    }

    /// Why the batch is refused; null when it is not.
    public @Nullable String message() {
        return message;
    }

    /// For which of its records the batch is refused, the first [#MOST_RECORD_ERRORS] of them; none when it is for
    /// the batch as a whole.
    public List<RecordError> recordErrors() {
        return recordErrors;
    }

    /// The timestamp that all records got, or −1 when they keep their own.
    public long logAppendTimeMs() {
        return logAppendTimeMs;
    }

    /// Lets go of the batch, and of the memory of one that was rewritten.
    public void release() {
        batch = null;
        MemorySegment taken = slab;
        if (taken != null) {
            slab = null;
            slabs.give(taken);
        }
    }

    private void look(BatchView produced, RecordRules rules, boolean rewrite, int maxBytes, long nowMs) {
        ByteBuffer records = produced.bytes().asByteBuffer().position(BatchView.HEADER_BYTES);
        ByteBufferOutputStream target = rewrite ? new ByteBufferOutputStream(Math.max(512, records.remaining())) : null;
        try (var in = codec(produced.compression(), rules).wrapForInput(records, BatchView.MAGIC, buffers);
                OutputStream out = target == null ? null : target(rules).wrapForOutput(target, BatchView.MAGIC)) {
            RecordBytes reader = bytes();
            int most = maxBytes - BatchView.HEADER_BYTES;
            reader.begin(in, out, target == null ? () -> true : () -> target.position() <= most);
            check(produced, rules, reader, nowMs);
            reader.end();
        } catch (RecordBytes.TooLongException e) {
            fail(Errors.MESSAGE_TOO_LARGE, e.getMessage());
        } catch (IOException | RuntimeException e) { // codecs throw several kinds, all of them for bad bytes
            fail(Errors.INVALID_RECORD, "the records can't be read: " + e.getMessage());
        }
        if (error == Errors.NONE && target != null) {
            rewrite(produced, rules, target.buffer().flip(), maxBytes);
        }
    }

    private RecordBytes bytes() {
        if (bytes == null) {
            bytes = new RecordBytes(CHUNK_BYTES, mostBytes);
        }
        return bytes;
    }

    /// Layout of a record: length, attributes, timestamp delta, offset delta, key length, key, and the rest.
    ///
    /// All records are looked at, whatever the first ones are like, so that a producer learns which of them to
    /// leave out.
    private void check(BatchView produced, RecordRules rules, RecordBytes reader, long nowMs) throws IOException {
        boolean checksTimes = !rules.logAppendTime();
        long largest = BatchView.NO_TIMESTAMP;
        int count = produced.count();
        for (int i = 0; i < count; i++) {
            long length = reader.readVarlong();
            long end = reader.position() + length;
            reader.skip(1);
            long timestampMs = produced.baseTimestamp() + reader.readVarlong();
            long offsetDelta = reader.readVarlong();
            boolean hasKey = reader.readVarlong() >= 0;
            if (length < 0 || reader.position() > end) {
                fail(Errors.INVALID_RECORD, "record " + i + " of the batch is malformed");
                return;
            }
            if (offsetDelta != i) {
                fail(Errors.INVALID_RECORD, "record " + i + " of the batch has the offset delta " + offsetDelta);
                return;
            }
            reader.skip(end - reader.position());
            if (rules.keysRequired() && !hasKey) {
                refuse(i, Errors.INVALID_RECORD, "has no key, and the topic is compacted");
            } else if (checksTimes && timestampMs != BatchView.NO_TIMESTAMP && isOutside(timestampMs, rules, nowMs)) {
                refuse(
                        i,
                        Errors.INVALID_TIMESTAMP,
                        "has the timestamp " + timestampMs + ", which is too far from the broker's clock, " + nowMs);
            }
            largest = Math.max(largest, timestampMs);
        }
        if (!reader.isAtEnd()) {
            fail(Errors.INVALID_RECORD, "the batch has more bytes than its records");
        } else if (error == Errors.NONE && checksTimes && largest != produced.maxTimestamp()) {
            produced.patchMaxTimestamp(largest);
        }
    }

    /// Refuses the batch for one of its records. As in Kafka, the error is about time if any record's is.
    private void refuse(int index, Errors newError, String why) {
        String about = "record " + index + " of the batch " + why;
        if (error == Errors.NONE || (newError == Errors.INVALID_TIMESTAMP && error != newError)) {
            error = newError;
            message = about;
        }
        if (recordErrors.isEmpty()) {
            recordErrors = new ArrayList<>();
        }
        if (recordErrors.size() < MOST_RECORD_ERRORS) {
            recordErrors.add(new RecordError(index, about));
        }
    }

    private static boolean isOutside(long timestampMs, RecordRules rules, long nowMs) {
        return isAhead(timestampMs, nowMs, rules) || isBehind(timestampMs, nowMs, rules);
    }

    private void rewrite(BatchView produced, RecordRules rules, ByteBuffer records, int maxBytes) {
        int length = BatchView.HEADER_BYTES + records.remaining();
        Compression compression = rules.compression();
        if (compression == null || length > maxBytes) {
            fail(
                    Errors.MESSAGE_TOO_LARGE,
                    "the record batch, compressed as the topic asks for, is larger than max.message.bytes, which is "
                            + maxBytes);
            return;
        }
        MemorySegment taken = slabs.take(length);
        slab = taken;
        MemorySegment.copy(produced.bytes(), 0, taken, 0, BatchView.HEADER_BYTES);
        MemorySegment.copy(MemorySegment.ofBuffer(records), 0, taken, BatchView.HEADER_BYTES, records.remaining());
        rewritten.wrap(taken, taken.asByteBuffer(), 0, length).patchCompression(compression);
        batch = rewritten;
    }

    private static org.apache.kafka.common.compress.Compression target(RecordRules rules) {
        return codec(rules.compression() == null ? Compression.NONE : rules.compression(), rules);
    }

    private static org.apache.kafka.common.compress.Compression codec(Compression compression, RecordRules rules) {
        return switch (compression) {
            case GZIP ->
                new GzipCompression.Builder()
                        .level(rules.gzipLevel() == 0 ? -1 : rules.gzipLevel())
                        .build();
            case LZ4 -> new Lz4Compression.Builder().level(rules.lz4Level()).build();
            case ZSTD -> new ZstdCompression.Builder().level(rules.zstdLevel()).build();
            case SNAPPY ->
                org.apache.kafka.common.compress.Compression.of(CompressionType.SNAPPY)
                        .build();
            case NONE, UNKNOWN -> org.apache.kafka.common.compress.Compression.NONE;
        };
    }

    private void fail(Errors newError, @Nullable String why) {
        error = newError;
        message = why;
        recordErrors = List.of();
    }
}
