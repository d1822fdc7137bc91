package dev.sluice.log;

import dev.sluice.io.transfer.Span;

/// The answer to [PartitionLog#read].
public sealed interface ReadOutcome {
    /// Bytes from the first byte of the batch that contains the asked offset. They never change.
    ///
    /// @param span            the range; its hold keeps the segment's file open and is the caller's to release
    ///     once
    /// @param firstBaseOffset base offset of the first batch in it, at most the offset asked for
    record Found(Span span, long firstBaseOffset) implements ReadOutcome {}

    /// The offset asked for is the next one to be written.
    record AtEnd(long logEndOffset) implements ReadOutcome {}

    /// The offset asked for is not in the log.
    record OutOfRange(long logStartOffset, long logEndOffset) implements ReadOutcome {}

    /// The log was closed or deleted.
    record Closed() implements ReadOutcome {}
}
