package dev.sluice.log;

/// What a log remembers of an idempotent producer.
///
/// @param lastSequence           −1 when it has sent nothing in this epoch
/// @param coordinatorEpoch       −1 without a transaction
/// @param transactionFirstOffset −1 without a transaction
public record ProducerSummary(
        long id,
        short epoch,
        int lastSequence,
        long lastTimestampMs,
        int coordinatorEpoch,
        long transactionFirstOffset) {}
