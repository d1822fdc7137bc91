package dev.sluice.broker.local;

/// One partition that a local reader has open.
///
/// @param pid               of the process that connected
/// @param uid               its user
/// @param segmentBaseOffset of the segment that it was passed last
/// @param segmentBytes      of that, about
/// @param isExpired         whether the broker has deleted that segment: its bytes stay on the disk while the reader
///     holds it
public record LocalReaderStatus(
        int pid, int uid, String topic, int partition, long segmentBaseOffset, long segmentBytes, boolean isExpired) {}
