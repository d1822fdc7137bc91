package dev.sluice.broker.protocol;

import dev.sluice.io.memory.SlabPool;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// Writes the answer to a Fetch request, version 4 to 18, around records that are not in memory: [#begin]; for
/// each topic `topic`, then [#partition] as often as it was told; [#end].
///
/// Records of a partition, of which only the length need be known, belong into the frame at a cut of the memory:
///
/// ```
/// memory   |---- bytes ----|--- bytes ---|- bytes -|
///                    cut 0 ^       cut 1 ^         ^ lengthBytes
/// frame    |---- bytes ----| records 0 |--- bytes ---| records 1 |- bytes -|
/// ```
///
/// so the caller, who keeps the spans in the order in which it told of them, sends
///
/// ```java
/// long from = 0;
/// for (int i = 0; i < writer.cutCount(); i++) {
///     out.add(memory.asSlice(from, writer.cut(i) - from), Hold.NONE);
///     out.add(spans.get(i));
///     from = writer.cut(i);
/// }
/// out.add(memory.asSlice(from, writer.lengthBytes() - from), () -> pool.give(memory)); // may be of no bytes
/// ```
///
/// Diverging epochs and snapshots are never told.
public final class FetchResponseWriter extends TopicsResponseWriter {
    private long[] cuts = new long[16];
    private int cutCount;
    private long recordsBytes;

    /// @param pool where frames' memory comes from; borrowed
    public FetchResponseWriter(SlabPool pool) {
        super(pool);
    }

    /// Begins a frame, which is to be ended or abandoned. One left unfinished by an exception is abandoned here.
    ///
    /// @param version   the request's
    /// @param errorCode of Kafka's Errors, 0 for none; told from version 7
    /// @param sessionId 0 for none; told from version 7
    public void begin(
            int correlationId, int version, int throttleTimeMs, short errorCode, int sessionId, int topicCount) {
        if (version < FetchRequest.OLDEST_VERSION || version > FetchRequest.NEWEST_VERSION) {
            throw new IllegalArgumentException("Fetch has no version " + version);
        }
        cutCount = 0;
        recordsBytes = 0;
        beginFrame(correlationId, version, FetchRequest.isFlexible(version), FetchRequest.isByTopicId(version));
        frame.putInt32(throttleTimeMs);
        if (version >= 7) {
            frame.putInt16(errorCode);
            frame.putInt32(sessionId);
        }
        beginTopics(topicCount);
    }

    /// Writes a partition of the topic, but for its records.
    ///
    /// @param errorCode            of Kafka's Errors, 0 for none
    /// @param highWatermark        −1 with an error
    /// @param lastStableOffset     −1 when not known
    /// @param logStartOffset       −1 when not known; told from version 5
    /// @param preferredReadReplica −1 for none; told from version 11
    /// @param abortedListed        false: aborted transactions are null, Kafka's answer to read uncommitted;
    ///                             true: there are none, its answer to read committed and with an error
    /// @param recordsLengthBytes   above 0: their cut is made here; −1: null, where Kafka answers 0
    public void partition(
            int index,
            short errorCode,
            long highWatermark,
            long lastStableOffset,
            long logStartOffset,
            int preferredReadReplica,
            boolean abortedListed,
            int recordsLengthBytes) {
        beginPartition(index, errorCode);
        frame.putInt64(highWatermark);
        frame.putInt64(lastStableOffset);
        if (version >= 5) {
            frame.putInt64(logStartOffset);
        }
        frame.putCount(abortedListed ? 0 : -1, flexible);
        if (version >= 11) {
            frame.putInt32(preferredReadReplica);
        }
        frame.putCount(recordsLengthBytes, flexible);
        if (recordsLengthBytes > 0) {
            cutFor(recordsLengthBytes);
        }
        endPartition();
    }

    private void cutFor(int recordsLengthBytes) {
        recordsBytes += recordsLengthBytes;
        if (cutCount == cuts.length) {
            cuts = Arrays.copyOf(cuts, cutCount * 2);
        }
        cuts[cutCount++] = frame.position();
    }

    /// Finishes the frame.
    ///
    /// @return memory of the pool, the frame without its records in its first [#lengthBytes]; now the caller's,
    ///     who gives it back to the pool
    /// @throws ArithmeticException when the frame exceeds 2 GiB, which its size field can't say; then abandon it
    public MemorySegment end() {
        return endFrame(recordsBytes);
    }

    /// The whole frame, its size field and the records included.
    public long frameLengthBytes() {
        return frame.position() + recordsBytes;
    }

    /// How many partitions have records.
    public int cutCount() {
        return cutCount;
    }

    /// Where in the memory the records of the i-th of these partitions belong; rises with i.
    public long cut(int i) {
        assert i < cutCount;
        return cuts[i];
    }
}
