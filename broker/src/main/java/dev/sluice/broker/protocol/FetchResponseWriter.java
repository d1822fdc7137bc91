package dev.sluice.broker.protocol;

import dev.sluice.io.memory.SlabPool;
import java.lang.foreign.MemorySegment;

/// Writes the answer to a Fetch request, version 4 to 18, around records that are not in memory.
///
/// ```
/// memory   |-------- bytes --------|------- bytes -------|--- bytes ---|
///                          cut 0 --^             cut 1 --^             ^-- lengthBytes
/// frame    |-------- bytes --------| records 0 |---- bytes ----| records 1 |--- bytes ---|
/// ```
public final class FetchResponseWriter {
    public FetchResponseWriter(SlabPool pool) {}

    public void begin(
            int correlationId, int version, int throttleTimeMs, short errorCode, int sessionId, int topicCount) {}

    public void topic(String name, int partitionCount) {}

    public void topic(long idHigh, long idLow, int partitionCount) {}

    /// @param abortedListed false: a null list of aborted transactions, Kafka's answer to read uncommitted; true: an empty one, its answer to read committed
    /// @param recordsLengthBytes above 0, a cut is made here where the caller sends as many bytes; −1: null
    public void partition(
            int index,
            short errorCode,
            long highWatermark,
            long lastStableOffset,
            long logStartOffset,
            int preferredReadReplica,
            boolean abortedListed,
            int recordsLengthBytes) {}

    /// Finishes the frame.
    ///
    /// @return memory of the pool, the frame without its records in its first [#lengthBytes]; the caller gives it back when it was sent
    public MemorySegment end() {
        throw new UnsupportedOperationException();
    }

    /// What was written to the memory: the frame, its size field included, without records.
    public long lengthBytes() {
        return 0;
    }

    /// The whole frame, its size field and all records included.
    public long frameLengthBytes() {
        return 0;
    }

    /// How many partitions had records.
    public int cutCount() {
        return 0;
    }

    /// Where in the memory the i-th of these partitions' records belong, rising with i.
    public long cut(int i) {
        return 0;
    }

    /// Gives up a frame that was begun and not ended.
    public void abandon() {}
}
