package dev.sluice.log;

/// How often a partition's log was flushed for its appends since it was opened, and what that came to.
///
/// @param flushes   waits for the device
/// @param batches   batches that waited for one of them, which is none but under [FlushPolicy#ACK]
/// @param totalNs   how long all of them took
/// @param longestNs how long the longest took
public record FlushCounts(long flushes, long batches, long totalNs, long longestNs) {}
