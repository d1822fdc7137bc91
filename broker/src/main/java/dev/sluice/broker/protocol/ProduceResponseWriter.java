package dev.sluice.broker.protocol;

import dev.sluice.io.memory.SlabPool;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// Writes the answer to a Produce request, version 3 to 13.
///
/// begin, for each topic: topic, for each of its partitions: partition, then end.
public final class ProduceResponseWriter {
    public ProduceResponseWriter(SlabPool pool) {}

    public void begin(int correlationId, int version, int topicCount) {}

    public void topic(String name, int partitionCount) {}

    public void topic(long idHigh, long idLow, int partitionCount) {}

    public void partition(
            int index,
            short errorCode,
            long baseOffset,
            long logAppendTimeMs,
            long logStartOffset,
            @Nullable String errorMessage) {}

    /// Finishes the frame.
    ///
    /// @return memory of the pool with the frame in its first [#lengthBytes]; the caller gives it back when it was sent
    public MemorySegment end(int throttleTimeMs) {
        throw new UnsupportedOperationException();
    }

    /// The whole frame, its size field included.
    public long lengthBytes() {
        return 0;
    }

    /// Gives up a frame that was begun and not ended.
    public void abandon() {}
}
