package dev.sluice.log;

import java.util.function.Consumer;

/// How a partition's log behaves. Each value has Kafka's name and default where Kafka has the same thing.
///
/// @param segmentBytes           `segment.bytes`: a segment is not grown past it
/// @param segmentMs              `segment.ms`: a batch whose largest timestamp lies further than this above the first
///     batch's begins a new segment
/// @param segmentJitterMs        `segment.jitter.ms`: the most that `segmentMs` is shortened by, for each segment by
///     another part, so that those that began together don't end together
/// @param indexIntervalBytes     `index.interval.bytes`: about how many bytes lie between two index entries
/// @param indexBytes             `segment.index.bytes`: the most that one index file holds; a full one begins a new
///     segment
/// @param maxMessageBytes        `max.message.bytes`: the largest batch that a client may send, see [BatchView#check]
/// @param compacted              `cleanup.policy` contains `compact`: offsets rise from batch to batch, with gaps
/// @param deleted                `cleanup.policy` contains `delete`: segments go by age and size
/// @param retentionMs            `retention.ms`: a segment goes when its youngest record is older; -1 for never
/// @param retentionBytes         `retention.bytes`: the oldest segments go while the others hold as much as this; -1
///     for never
/// @param producerIdExpirationMs `producer.id.expiration.ms`: how long after its last batch a producer is remembered
/// @param preallocateStepBytes   `sluice.log.preallocate.step.bytes`: the most that is reserved on the disk ahead of
///     the active segment's end at a time; a small segment reserves less
/// @param vital                  whether it may be appended to with the reserve of a full disk; no key, for the broker
///     says so of its own topics
/// @param flushPolicy            `sluice.flush.policy`: what an acknowledgement waits for, see [#effectiveFlushPolicy]
/// @param flushMessages          `flush.messages`: flushed when so many records were not; [#NEVER] for no such rule
/// @param flushMs                `flush.ms`: flushed when a record was not for so long; [#NEVER] for no such rule
public record LogConfig(
        int segmentBytes,
        long segmentMs,
        long segmentJitterMs,
        int indexIntervalBytes,
        int indexBytes,
        int maxMessageBytes,
        boolean compacted,
        boolean deleted,
        long retentionMs,
        long retentionBytes,
        long producerIdExpirationMs,
        int preallocateStepBytes,
        boolean vital,
        FlushPolicy flushPolicy,
        long flushMessages,
        long flushMs) {

    private static final long DAY_MS = 24 * 3_600_000L;

    /// Of what is kept without a bound.
    public static final long UNLIMITED = -1;

    /// Kafka's way to say that a flush is not wanted: so many records, so many milliseconds.
    public static final long NEVER = Long.MAX_VALUE;

    /// How long [FlushPolicy#INTERVAL] leaves a record where nobody has said how long.
    private static final long FLUSH_MS = 1_000;

    /// Kafka's defaults.
    public static final LogConfig DEFAULT = new Draft().build();

    /// @throws IllegalArgumentException naming the value that can't be
    public LogConfig {
        atLeast("segment.bytes", segmentBytes, BatchView.HEADER_BYTES);
        atLeast("segment.ms", segmentMs, 1);
        atLeast("segment.jitter.ms", segmentJitterMs, 0);
        atLeast("index.interval.bytes", indexIntervalBytes, 0);
        // Two entries of the larger kind: one, and the place kept for the last. Kafka allows 4, an index full
        // from the start.
        atLeast("segment.index.bytes", indexBytes, 24);
        atLeast("max.message.bytes", maxMessageBytes, 0);
        atLeast("retention.ms", retentionMs, UNLIMITED);
        atLeast("retention.bytes", retentionBytes, UNLIMITED);
        atLeast("producer.id.expiration.ms", producerIdExpirationMs, 1);
        atLeast("sluice.log.preallocate.step.bytes", preallocateStepBytes, 0);
        atLeast("flush.messages", flushMessages, 1);
        atLeast("flush.ms", flushMs, 0);
    }

    private static void atLeast(String name, long value, long least) {
        if (value < least) {
            throw new IllegalArgumentException(name + " is " + value + ", and must be at least " + least);
        }
    }

    /// The policy that the three flush settings come to: the strictest that one of them asks for.
    /// `flush.messages=1` is Kafka's way to say `ack`, for Kafka then flushes before it answers.
    public FlushPolicy effectiveFlushPolicy() {
        if (flushPolicy == FlushPolicy.ACK || flushMessages == 1) {
            return FlushPolicy.ACK;
        }
        boolean bounded = flushPolicy == FlushPolicy.INTERVAL || flushMessages != NEVER || flushMs != NEVER;
        return bounded ? FlushPolicy.INTERVAL : FlushPolicy.OS;
    }

    /// The policy in words: `os`, `interval (1000 ms)`, `ack`.
    public String describeFlushPolicy() {
        return switch (effectiveFlushPolicy()) {
            case OS -> "os";
            case ACK -> "ack";
            case INTERVAL -> {
                String ms = effectiveFlushMs() == NEVER ? "" : effectiveFlushMs() + " ms";
                String records = flushMessages == NEVER ? "" : flushMessages + " records";
                yield "interval (" + ms + (ms.isEmpty() || records.isEmpty() ? "" : ", ") + records + ")";
            }
        };
    }

    /// How long a record is left unflushed under [FlushPolicy#INTERVAL], or [#NEVER] where only records are
    /// counted.
    long effectiveFlushMs() {
        return flushMs == NEVER && flushMessages == NEVER ? FLUSH_MS : flushMs;
    }

    /// A configuration that is being changed: begins with the defaults.
    private static final class Draft {
        private int segmentBytes = 1 << 30;
        private long segmentMs = 7 * DAY_MS;
        private long segmentJitterMs;
        private int indexIntervalBytes = 4096;
        private int indexBytes = 10 << 20;
        private int maxMessageBytes = 1_048_588;
        private boolean compacted;
        private boolean deleted = true;
        private long retentionMs = 7 * DAY_MS;
        private long retentionBytes = UNLIMITED;
        private long producerIdExpirationMs = DAY_MS;
        private int preallocateStepBytes = 4 << 20;
        private boolean vital;
        private FlushPolicy flushPolicy = FlushPolicy.OS;
        private long flushMessages = NEVER;
        private long flushMs = NEVER;

        LogConfig build() {
            return new LogConfig(
                    segmentBytes,
                    segmentMs,
                    segmentJitterMs,
                    indexIntervalBytes,
                    indexBytes,
                    maxMessageBytes,
                    compacted,
                    deleted,
                    retentionMs,
                    retentionBytes,
                    producerIdExpirationMs,
                    preallocateStepBytes,
                    vital,
                    flushPolicy,
                    flushMessages,
                    flushMs);
        }
    }

    private LogConfig with(Consumer<Draft> change) {
        Draft draft = new Draft();
        draft.segmentBytes = segmentBytes;
        draft.segmentMs = segmentMs;
        draft.segmentJitterMs = segmentJitterMs;
        draft.indexIntervalBytes = indexIntervalBytes;
        draft.indexBytes = indexBytes;
        draft.maxMessageBytes = maxMessageBytes;
        draft.compacted = compacted;
        draft.deleted = deleted;
        draft.retentionMs = retentionMs;
        draft.retentionBytes = retentionBytes;
        draft.producerIdExpirationMs = producerIdExpirationMs;
        draft.preallocateStepBytes = preallocateStepBytes;
        draft.vital = vital;
        draft.flushPolicy = flushPolicy;
        draft.flushMessages = flushMessages;
        draft.flushMs = flushMs;
        change.accept(draft);
        return draft.build();
    }

    // Copies with one value changed, in the unit its name ends in; each throws as the constructor does.

    /// With another [#segmentBytes].
    public LogConfig withSegmentBytes(int bytes) {
        return with(draft -> draft.segmentBytes = bytes);
    }

    /// With another [#segmentMs].
    public LogConfig withSegmentMs(long ms) {
        return with(draft -> draft.segmentMs = ms);
    }

    /// With another [#segmentJitterMs].
    public LogConfig withSegmentJitterMs(long ms) {
        return with(draft -> draft.segmentJitterMs = ms);
    }

    /// With another [#indexIntervalBytes].
    public LogConfig withIndexIntervalBytes(int bytes) {
        return with(draft -> draft.indexIntervalBytes = bytes);
    }

    /// With another [#indexBytes].
    public LogConfig withIndexBytes(int bytes) {
        return with(draft -> draft.indexBytes = bytes);
    }

    /// With another [#maxMessageBytes].
    public LogConfig withMaxMessageBytes(int bytes) {
        return with(draft -> draft.maxMessageBytes = bytes);
    }

    /// With another [#compacted].
    public LogConfig withCompacted(boolean value) {
        return with(draft -> draft.compacted = value);
    }

    /// With another [#deleted].
    public LogConfig withDeleted(boolean value) {
        return with(draft -> draft.deleted = value);
    }

    /// With another [#retentionMs].
    public LogConfig withRetentionMs(long ms) {
        return with(draft -> draft.retentionMs = ms);
    }

    /// With another [#retentionBytes].
    public LogConfig withRetentionBytes(long bytes) {
        return with(draft -> draft.retentionBytes = bytes);
    }

    /// With another [#producerIdExpirationMs].
    public LogConfig withProducerIdExpirationMs(long ms) {
        return with(draft -> draft.producerIdExpirationMs = ms);
    }

    /// With another [#preallocateStepBytes].
    public LogConfig withPreallocateStepBytes(int bytes) {
        return with(draft -> draft.preallocateStepBytes = bytes);
    }

    /// With another [#vital].
    public LogConfig withVital(boolean value) {
        return with(draft -> draft.vital = value);
    }

    /// With another [#flushPolicy].
    public LogConfig withFlushPolicy(FlushPolicy policy) {
        return with(draft -> draft.flushPolicy = policy);
    }

    /// With another [#flushMessages].
    public LogConfig withFlushMessages(long records) {
        return with(draft -> draft.flushMessages = records);
    }

    /// With another [#flushMs].
    public LogConfig withFlushMs(long ms) {
        return with(draft -> draft.flushMs = ms);
    }
}
