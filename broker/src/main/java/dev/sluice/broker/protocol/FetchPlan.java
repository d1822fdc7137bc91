package dev.sluice.broker.protocol;

/// What a Fetch request asks for, kept after its bytes are gone: a parked long poll holds one.
///
/// Partitions of all topics are numbered through, from 0; topic t has those from [#firstPartition] to before [#endPartition]. Reused; owned by one
/// thread.
public final class FetchPlan {
    public int version() { return 0; }

    public int maxWaitMs() { return 0; }

    public int minBytes() { return 0; }

    public int maxBytes() { return 0; }

    /// 0: read uncommitted, 1: read committed.
    public byte isolationLevel() { return 0; }

    public boolean isReadCommitted() { return isolationLevel() == 1; }

    public int replicaId() { return -1; }

    public long replicaEpoch() { return -1; }

    public int sessionId() { return 0; }

    public int sessionEpoch() { return -1; }

    public String rackId() { return ""; }

    public boolean isByTopicId() { return false; }

    public int topicCount() { return 0; }

    public String topicName(int topic) { return ""; }

    public long topicIdHigh(int topic) { return 0; }

    public long topicIdLow(int topic) { return 0; }

    public int firstPartition(int topic) { return 0; }

    public int endPartition(int topic) { return 0; }

    /// Of all topics.
    public int partitionCount() { return 0; }

    public int partitionIndex(int partition) { return 0; }

    public int currentLeaderEpoch(int partition) { return -1; }

    public long fetchOffset(int partition) { return 0; }

    public int lastFetchedEpoch(int partition) { return -1; }

    public long logStartOffset(int partition) { return -1; }

    public int partitionMaxBytes(int partition) { return 0; }

    public int forgottenTopicCount() { return 0; }

    public String forgottenTopicName(int topic) { return ""; }

    public long forgottenTopicIdHigh(int topic) { return 0; }

    public long forgottenTopicIdLow(int topic) { return 0; }

    public int firstForgottenPartition(int topic) { return 0; }

    public int endForgottenPartition(int topic) { return 0; }

    public int forgottenPartitionIndex(int partition) { return 0; }
}
