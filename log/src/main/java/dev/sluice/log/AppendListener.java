package dev.sluice.log;

/// Is told that a partition's log has grown.
@FunctionalInterface
public interface AppendListener {
    /// Called on the appending thread, after the batch became readable and outside the log's lock; two calls may
    /// overtake each other. Must be quick and must not throw.
    ///
    /// @param logEndOffset the offset after the last one appended
    void appended(PartitionLog log, long logEndOffset);
}
