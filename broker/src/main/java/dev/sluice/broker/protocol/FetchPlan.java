package dev.sluice.broker.protocol;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// What a Fetch request asks for, kept after its bytes are gone: a parked long poll holds one.
///
/// The partitions of all topics are numbered through, from 0; topic t has those from [#firstPartition] to before
/// [#endPartition]. The same goes for the forgotten ones. A field that the request's version doesn't have has
/// Kafka's default.
///
/// Filled by [FetchRequest#parse]; reused; owned by one thread.
public final class FetchPlan {
    /// Arrays that grew beyond this are dropped by [#clear], so that one large request doesn't cost its
    /// connection 32 bytes a partition for good.
    private static final int KEPT = 1024;

    final TopicTable topics = new TopicTable();
    final TopicTable forgottenTopics = new TopicTable();
    int version;
    int replicaId;
    long replicaEpoch;
    int maxWaitMs;
    int minBytes;
    int maxBytes;
    byte isolationLevel;
    int sessionId;
    int sessionEpoch;
    String rackId = "";

    @Nullable String clusterId;

    int partitionCount;
    private int[] indexes = {};
    private int[] currentLeaderEpochs = {};
    private long[] fetchOffsets = {};
    private int[] lastFetchedEpochs = {};
    private long[] logStartOffsets = {};
    private int[] maxBytesOf = {};

    int forgottenPartitionCount;
    private int[] forgottenIndexes = {};

    public FetchPlan() {
        clear();
    }

    /// Forgets everything, and the memory that an unusually large request took.
    public void clear() {
        topics.clear();
        forgottenTopics.clear();
        version = FetchRequest.OLDEST_VERSION;
        replicaId = -1;
        replicaEpoch = -1;
        maxWaitMs = 0;
        minBytes = 0;
        maxBytes = 0;
        isolationLevel = 0;
        sessionId = 0;
        sessionEpoch = -1;
        rackId = "";
        clusterId = null;
        partitionCount = 0;
        if (indexes.length > KEPT) {
            resize(0);
        }
        forgottenPartitionCount = 0;
        if (forgottenIndexes.length > KEPT) {
            forgottenIndexes = new int[0];
        }
    }

    /// Makes room for as many partitions more, which the request has the bytes for.
    void makeRoom(int partitions) {
        int needed = partitionCount + partitions;
        if (needed > indexes.length) {
            resize(Math.max(needed, indexes.length * 2));
        }
    }

    private void resize(int partitions) {
        indexes = Arrays.copyOf(indexes, partitions);
        currentLeaderEpochs = Arrays.copyOf(currentLeaderEpochs, partitions);
        fetchOffsets = Arrays.copyOf(fetchOffsets, partitions);
        lastFetchedEpochs = Arrays.copyOf(lastFetchedEpochs, partitions);
        logStartOffsets = Arrays.copyOf(logStartOffsets, partitions);
        maxBytesOf = Arrays.copyOf(maxBytesOf, partitions);
    }

    /// For tests: how many partitions fit without growing.
    int partitionCapacity() {
        return indexes.length;
    }

    void addPartition(
            int index,
            int currentLeaderEpoch,
            long fetchOffset,
            int lastFetchedEpoch,
            long logStartOffset,
            int partitionMaxBytes) {
        int partition = partitionCount++;
        indexes[partition] = index;
        currentLeaderEpochs[partition] = currentLeaderEpoch;
        fetchOffsets[partition] = fetchOffset;
        lastFetchedEpochs[partition] = lastFetchedEpoch;
        logStartOffsets[partition] = logStartOffset;
        maxBytesOf[partition] = partitionMaxBytes;
    }

    /// Takes over what a request asks for of all its partitions together.
    void takeHead(FetchPlan request) {
        version = request.version;
        replicaId = request.replicaId;
        replicaEpoch = request.replicaEpoch;
        maxWaitMs = request.maxWaitMs;
        minBytes = request.minBytes;
        maxBytes = request.maxBytes;
        isolationLevel = request.isolationLevel;
        sessionId = request.sessionId;
        sessionEpoch = request.sessionEpoch;
        rackId = request.rackId;
        clusterId = request.clusterId;
    }

    /// Adds a partition of a request that names topics by id, behind all others.
    void append(FetchPlan request, int topic, int partition) {
        long high = request.topicIdHigh(topic);
        long low = request.topicIdLow(topic);
        int last = topics.count() - 1;
        if (last < 0 || topics.idHigh(last) != high || topics.idLow(last) != low) {
            topics.add("", high, low);
        }
        makeRoom(1);
        partitionCount++;
        set(partitionCount - 1, request, partition);
        topics.close(partitionCount);
    }

    /// Overwrites what is asked of a partition by what a request asks of one.
    void set(int partition, FetchPlan request, int of) {
        indexes[partition] = request.indexes[of];
        currentLeaderEpochs[partition] = request.currentLeaderEpochs[of];
        fetchOffsets[partition] = request.fetchOffsets[of];
        lastFetchedEpochs[partition] = request.lastFetchedEpochs[of];
        logStartOffsets[partition] = request.logStartOffsets[of];
        maxBytesOf[partition] = request.maxBytesOf[of];
    }

    void makeForgottenRoom(int partitions) {
        int needed = forgottenPartitionCount + partitions;
        if (needed > forgottenIndexes.length) {
            forgottenIndexes = Arrays.copyOf(forgottenIndexes, Math.max(needed, forgottenIndexes.length * 2));
        }
    }

    void addForgottenPartition(int index) {
        forgottenIndexes[forgottenPartitionCount++] = index;
    }

    /// The version that the answer is to have.
    public int version() {
        return version;
    }

    /// How long to wait for [#minBytes].
    public int maxWaitMs() {
        return maxWaitMs;
    }

    public int minBytes() {
        return minBytes;
    }

    /// The most that all partitions together should answer.
    public int maxBytes() {
        return maxBytes;
    }

    /// 0: read uncommitted, 1: read committed; anything else is the caller's to refuse.
    public byte isolationLevel() {
        return isolationLevel;
    }

    /// Whether it asks to be told of aborted transactions.
    public boolean isReadCommitted() {
        return isolationLevel == 1;
    }

    /// The follower's broker id; −1 for a consumer.
    public int replicaId() {
        return replicaId;
    }

    /// −1 for a consumer, and up to version 14.
    public long replicaEpoch() {
        return replicaEpoch;
    }

    /// 0: none yet.
    public int sessionId() {
        return sessionId;
    }

    /// −1: no session wanted; 0: a new one wanted.
    public int sessionEpoch() {
        return sessionEpoch;
    }

    /// Empty when the consumer named none.
    public String rackId() {
        return rackId;
    }

    /// The cluster that the asker believes this is; null when it didn't say.
    public @Nullable String clusterId() {
        return clusterId;
    }

    /// Whether topics go by id (from version 13) instead of by name.
    public boolean isByTopicId() {
        return FetchRequest.isByTopicId(version);
    }

    public int topicCount() {
        return topics.count();
    }

    /// Empty when topics go by id.
    public String topicName(int topic) {
        return topics.name(topic);
    }

    /// The more significant half of the topic's id; 0 when topics go by name.
    public long topicIdHigh(int topic) {
        return topics.idHigh(topic);
    }

    /// The less significant half of the topic's id; 0 when topics go by name.
    public long topicIdLow(int topic) {
        return topics.idLow(topic);
    }

    /// The topic's first partition.
    public int firstPartition(int topic) {
        return topics.first(topic);
    }

    /// The partition after the topic's last one.
    public int endPartition(int topic) {
        return topics.end(topic);
    }

    /// Of all topics.
    public int partitionCount() {
        return partitionCount;
    }

    /// The partition's number within its topic.
    public int partitionIndex(int partition) {
        return indexes[partition];
    }

    /// −1: not known to the asker, so not to be checked.
    public int currentLeaderEpoch(int partition) {
        return currentLeaderEpochs[partition];
    }

    public long fetchOffset(int partition) {
        return fetchOffsets[partition];
    }

    /// −1: none.
    public int lastFetchedEpoch(int partition) {
        return lastFetchedEpochs[partition];
    }

    /// The follower's; −1 for a consumer.
    public long logStartOffset(int partition) {
        return logStartOffsets[partition];
    }

    public int partitionMaxBytes(int partition) {
        return maxBytesOf[partition];
    }

    public int forgottenTopicCount() {
        return forgottenTopics.count();
    }

    /// Empty when topics go by id.
    public String forgottenTopicName(int topic) {
        return forgottenTopics.name(topic);
    }

    public long forgottenTopicIdHigh(int topic) {
        return forgottenTopics.idHigh(topic);
    }

    public long forgottenTopicIdLow(int topic) {
        return forgottenTopics.idLow(topic);
    }

    public int firstForgottenPartition(int topic) {
        return forgottenTopics.first(topic);
    }

    public int endForgottenPartition(int topic) {
        return forgottenTopics.end(topic);
    }

    public int forgottenPartitionIndex(int partition) {
        return forgottenIndexes[partition];
    }
}
