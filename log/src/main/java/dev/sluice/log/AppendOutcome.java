package dev.sluice.log;

/// What became of a batch that was given to [PartitionLog#append].
public sealed interface AppendOutcome {
    /// The one [Appended]: what is to be told of it stands in the batch, so that an append makes no garbage.
    Appended APPENDED = new Appended();

    /// It is in the log, and readers see it. The offsets that its records got stand in the batch that was given:
    /// [BatchView#baseOffset] to [BatchView#lastOffset].
    record Appended() implements AppendOutcome {}

    /// The producer sent it before, and it is in the log already; nothing was appended.
    ///
    /// @param baseOffset the offset that its first record got then
    /// @param lastOffset the offset that its last record got then
    record Duplicate(long baseOffset, long lastOffset, long logAppendTimeMs, long logStartOffset)
            implements AppendOutcome {}

    /// It may not be appended; nothing changed.
    ///
    /// @param message says why, with the numbers
    record Rejected(Reason reason, String message) implements AppendOutcome {}

    /// It could not be written; nothing was published. What of it reached the file is overwritten by the next
    /// append.
    ///
    /// @param errno     the error number; with out-of-space ones the next append tries again
    /// @param permanent whether the partition takes no more appends until it was reopened
    /// @param message   says what was tried and what to do
    record Failed(int errno, boolean permanent, String message) implements AppendOutcome {}

    /// Why a batch was rejected; each names the error code of Kafka's protocol for it.
    enum Reason {
        /// OUT_OF_ORDER_SEQUENCE_NUMBER
        OUT_OF_ORDER_SEQUENCE,
        /// INVALID_PRODUCER_EPOCH
        INVALID_PRODUCER_EPOCH,
        /// RECORD_LIST_TOO_LARGE: larger than `segment.bytes`.
        TOO_LARGE_FOR_SEGMENT,
        /// INVALID_TXN_STATE: a transactional batch; transactions are not supported.
        TRANSACTIONAL,
        /// NOT_LEADER_OR_FOLLOWER: the log was closed or deleted.
        CLOSED
    }
}
