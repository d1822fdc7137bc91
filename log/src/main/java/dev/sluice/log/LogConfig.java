package dev.sluice.log;

/// How a partition's log behaves. Each value has Kafka's name and default where Kafka has the same thing.
///
/// @param segmentBytes           `segment.bytes`: a segment is not grown past it
/// @param segmentMs              `segment.ms`: a batch whose largest timestamp lies further than this above the first
///     batch's begins a new segment
/// @param indexIntervalBytes     `index.interval.bytes`: about how many bytes lie between two index entries
/// @param indexBytes             `segment.index.bytes`: the most that one index file holds; a full one begins a new
///     segment
/// @param maxMessageBytes        `max.message.bytes`: the largest batch that a client may send, see [BatchView#check]
/// @param compacted              `cleanup.policy` contains `compact`: offsets rise from batch to batch, with gaps
/// @param producerIdExpirationMs `producer.id.expiration.ms`: how long after its last batch a producer is remembered
/// @param preallocateStepBytes   `sluice.log.preallocate.step.bytes`: the most that is reserved on the disk ahead of
///     the active segment's end at a time; a small segment reserves less
public record LogConfig(
        int segmentBytes,
        long segmentMs,
        int indexIntervalBytes,
        int indexBytes,
        int maxMessageBytes,
        boolean compacted,
        long producerIdExpirationMs,
        int preallocateStepBytes) {

    /// Kafka's defaults.
    public static final LogConfig DEFAULT =
            new LogConfig(1 << 30, 7 * 24 * 3_600_000L, 4096, 10 << 20, 1_048_588, false, 24 * 3_600_000L, 4 << 20);

    /// @throws IllegalArgumentException naming the value that can't be
    public LogConfig {
        atLeast("segment.bytes", segmentBytes, BatchView.HEADER_BYTES);
        atLeast("segment.ms", segmentMs, 1);
        atLeast("index.interval.bytes", indexIntervalBytes, 0);
        // Two entries of the larger kind: one, and the place kept for the last. Kafka allows 4, an index full
        // from the start.
        atLeast("segment.index.bytes", indexBytes, 24);
        atLeast("max.message.bytes", maxMessageBytes, 0);
        atLeast("producer.id.expiration.ms", producerIdExpirationMs, 1);
        atLeast("sluice.log.preallocate.step.bytes", preallocateStepBytes, 0);
    }

    private static void atLeast(String name, long value, long least) {
        if (value < least) {
            throw new IllegalArgumentException(name + " is " + value + ", and must be at least " + least);
        }
    }

    public LogConfig withSegmentBytes(int bytes) {
        return new LogConfig(
                bytes,
                segmentMs,
                indexIntervalBytes,
                indexBytes,
                maxMessageBytes,
                compacted,
                producerIdExpirationMs,
                preallocateStepBytes);
    }

    public LogConfig withSegmentMs(long ms) {
        return new LogConfig(
                segmentBytes,
                ms,
                indexIntervalBytes,
                indexBytes,
                maxMessageBytes,
                compacted,
                producerIdExpirationMs,
                preallocateStepBytes);
    }

    public LogConfig withIndexIntervalBytes(int bytes) {
        return new LogConfig(
                segmentBytes,
                segmentMs,
                bytes,
                indexBytes,
                maxMessageBytes,
                compacted,
                producerIdExpirationMs,
                preallocateStepBytes);
    }

    public LogConfig withIndexBytes(int bytes) {
        return new LogConfig(
                segmentBytes,
                segmentMs,
                indexIntervalBytes,
                bytes,
                maxMessageBytes,
                compacted,
                producerIdExpirationMs,
                preallocateStepBytes);
    }

    public LogConfig withMaxMessageBytes(int bytes) {
        return new LogConfig(
                segmentBytes,
                segmentMs,
                indexIntervalBytes,
                indexBytes,
                bytes,
                compacted,
                producerIdExpirationMs,
                preallocateStepBytes);
    }

    public LogConfig withCompacted(boolean value) {
        return new LogConfig(
                segmentBytes,
                segmentMs,
                indexIntervalBytes,
                indexBytes,
                maxMessageBytes,
                value,
                producerIdExpirationMs,
                preallocateStepBytes);
    }

    public LogConfig withProducerIdExpirationMs(long ms) {
        return new LogConfig(
                segmentBytes,
                segmentMs,
                indexIntervalBytes,
                indexBytes,
                maxMessageBytes,
                compacted,
                ms,
                preallocateStepBytes);
    }

    public LogConfig withPreallocateStepBytes(int bytes) {
        return new LogConfig(
                segmentBytes,
                segmentMs,
                indexIntervalBytes,
                indexBytes,
                maxMessageBytes,
                compacted,
                producerIdExpirationMs,
                bytes);
    }
}
