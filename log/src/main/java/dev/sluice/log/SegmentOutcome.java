package dev.sluice.log;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.transfer.Hold;

/// The answer to [PartitionLog#segmentFor].
public sealed interface SegmentOutcome {
    /// The segment that the batch with the asked offset lies in, or the first one behind it where offsets are left
    /// out; of an offset that is the end, the segment that the end lies in.
    ///
    /// @param file        its file, open for reading and writing; borrowed until `hold` is released, once
    /// @param baseOffset  by which the segment is told from others of the partition
    /// @param position    first byte of that batch, or where the next one comes
    /// @param endPosition where the batches end that readers may see
    /// @param isSealed    whether that is where they end for good: readers see another segment behind it
    record Found(Descriptor file, Hold hold, long baseOffset, int position, int endPosition, boolean isSealed)
            implements SegmentOutcome {}

    /// The offset asked for is not in the log.
    record OutOfRange(long logStartOffset, long endOffset) implements SegmentOutcome {}

    /// The log was closed or deleted.
    record Closed() implements SegmentOutcome {}
}
