package dev.sluice.log;

/// The largest timestamp in a segment, and the last offset of the first batch that has it.
///
/// @param timestampMs [BatchView#NO_TIMESTAMP] in a segment without timestamps
record LargestTimestamp(long timestampMs, long lastOffset) {
    static LargestTimestamp none(long segmentBaseOffset) {
        return new LargestTimestamp(BatchView.NO_TIMESTAMP, segmentBaseOffset);
    }
}
