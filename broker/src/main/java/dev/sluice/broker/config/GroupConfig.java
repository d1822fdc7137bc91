package dev.sluice.broker.config;

/// What holds for consumer groups. Immutable.
///
/// @param offsetsPartitions      partitions of `__consumer_offsets`, when it is made
/// @param offsetsSegmentBytes    its segments' size; also when it is rewritten, see `OffsetsLog`
/// @param offsetsRetentionMinutes how long the offsets of a group without members are kept
/// @param retentionCheckMs       how often that is looked at
/// @param metadataMaxBytes       the longest metadata that a commit may bring along
/// @param initialRebalanceDelayMs how long the first members of an empty group wait for others (classic protocol)
/// @param minSessionTimeoutMs    the least session timeout a member may ask for (classic protocol)
/// @param maxSessionTimeoutMs    the largest (classic protocol)
/// @param maxSize                members of a group (classic protocol)
/// @param consumerSessionTimeoutMs how long a silent member stays (consumer protocol)
/// @param consumerHeartbeatMs    how often members are told to report (consumer protocol)
/// @param consumerMaxSize        members of a group (consumer protocol)
public record GroupConfig(
        int offsetsPartitions,
        int offsetsSegmentBytes,
        int offsetsRetentionMinutes,
        long retentionCheckMs,
        int metadataMaxBytes,
        int initialRebalanceDelayMs,
        int minSessionTimeoutMs,
        int maxSessionTimeoutMs,
        int maxSize,
        int consumerSessionTimeoutMs,
        int consumerHeartbeatMs,
        int consumerMaxSize) {}
