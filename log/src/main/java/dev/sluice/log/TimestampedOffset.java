package dev.sluice.log;

/// A record found by its timestamp.
///
/// @param timestampMs the record's timestamp, ms since the epoch
/// @param offset      its offset
/// @param leaderEpoch the epoch of the batch it is in
public record TimestampedOffset(long timestampMs, long offset, int leaderEpoch) {}
