package dev.sluice.broker.protocol;

/// Walks a Produce request, version 3 to 13, where it lies. The records stay there; this class tells where.
///
/// ```java
/// request.wrap(reader, version);
/// while (request.nextTopic()) {
///     while (request.nextPartition()) {
///         ... request.partitionIndex(), request.recordsPosition(), request.recordsLengthBytes() ...
///     }
/// }
/// ```
///
/// Reused; owned by one thread. It borrows the reader, and with it the memory, from [#wrap] to the end of the walk.
public final class ProduceRequest {
    public static final int OLDEST_VERSION = 3;
    public static final int NEWEST_VERSION = 13;

    private final NameCache names;
    private WireReader reader = new WireReader();
    private boolean flexible;
    private boolean byId;
    private long topicsPosition;
    private long transactionalIdPosition;
    private int transactionalIdLengthBytes;
    private short acks;
    private int timeoutMs;
    private int topicCount;
    private int totalPartitions;
    private long totalRecordsBytes;

    private int topicsLeft;
    private String topicName = "";
    private long topicIdHigh;
    private long topicIdLow;
    private int partitionCount;
    private int partitionsLeft;
    private boolean inTopic;
    private int partitionIndex;
    private long recordsPosition;
    private int recordsLengthBytes;
    private boolean inPartition;

    /// @param names where topic names become strings; borrowed
    public ProduceRequest(NameCache names) {
        this.names = names;
    }

    static boolean isFlexible(int version) {
        return version >= 9;
    }

    /// Takes a whole request and checks it to its end, so that nothing of a malformed one is ever appended; then stands before the first topic.
    ///
    /// @param reader at the body, its limit the end of the frame
    /// @throws MalformedRequestException when the bytes are no Produce request of this version
    public void wrap(WireReader reader, int version) {
        if (version < OLDEST_VERSION || version > NEWEST_VERSION) {
            throw new MalformedRequestException("apiVersion", reader.position(), "Produce has no version " + version);
        }
        this.reader = reader;
        flexible = isFlexible(version);
        byId = version >= 13;
        transactionalIdLengthBytes = reader.readNullableString("transactionalId", flexible);
        transactionalIdPosition = reader.position() - Math.max(transactionalIdLengthBytes, 0);
        acks = reader.readInt16("acks");
        timeoutMs = reader.readInt32("timeoutMs");
        topicCount = reader.readCount("topics", flexible, smallestTopicBytes());
        topicsPosition = reader.position();
        rewind();
        int partitions = 0;
        long recordsBytes = 0;
        while (nextTopic()) {
            partitions += partitionCount;
            while (nextPartition()) {
                recordsBytes += Math.max(recordsLengthBytes, 0);
            }
        }
        totalPartitions = partitions;
        totalRecordsBytes = recordsBytes;
        reader.rewind(topicsPosition);
        rewind();
    }

    private void rewind() {
        topicsLeft = topicCount;
        partitionsLeft = 0;
        inTopic = false;
        inPartition = false;
    }

    private int smallestTopicBytes() {
        return (byId ? Wire.UUID_BYTES : flexible ? 1 : 2) + (flexible ? 2 : 4);
    }

    private int smallestPartitionBytes() {
        return 4 + (flexible ? 2 : 4);
    }

    /// Whether the producer is a transactional one.
    public boolean isTransactional() {
        return transactionalIdLengthBytes >= 0;
    }

    /// Where the transactional id's bytes begin.
    public long transactionalIdPosition() {
        return transactionalIdPosition;
    }

    /// −1 when there is none.
    public int transactionalIdLengthBytes() {
        return transactionalIdLengthBytes;
    }

    /// 0: the client expects no answer; 1 or −1: it does. Anything else is the caller's to refuse.
    public short acks() {
        return acks;
    }

    public int timeoutMs() {
        return timeoutMs;
    }

    public int topicCount() {
        return topicCount;
    }

    /// The sum over all topics.
    public int totalPartitions() {
        return totalPartitions;
    }

    /// The sum over all partitions.
    public long totalRecordsBytes() {
        return totalRecordsBytes;
    }

    /// Whether topics go by id (version 13) instead of by name.
    public boolean isByTopicId() {
        return byId;
    }

    /// Goes to the next topic, past partitions of this one that were not looked at.
    ///
    /// @return false when there is none
    public boolean nextTopic() {
        while (nextPartition()) {
            // passes over it
        }
        if (topicsLeft == 0) {
            return false;
        }
        if (byId) {
            topicIdHigh = reader.readInt64("topicId");
            topicIdLow = reader.readInt64("topicId");
        } else {
            int length = reader.readString("topic name", flexible);
            topicName = names.exactName("topic name", reader.memory(), reader.position() - length, length);
        }
        partitionCount = reader.readCount("partitions", flexible, smallestPartitionBytes());
        partitionsLeft = partitionCount;
        inTopic = true;
        topicsLeft--;
        return true;
    }

    /// The topic's name; up to version 12. A name may come twice in a request.
    public String topicName() {
        return topicName;
    }

    /// The more significant half of the topic's id; version 13.
    public long topicIdHigh() {
        return topicIdHigh;
    }

    /// The less significant half of the topic's id; version 13.
    public long topicIdLow() {
        return topicIdLow;
    }

    /// Partitions of this topic.
    public int partitionCount() {
        return partitionCount;
    }

    /// Goes to the next partition of this topic.
    ///
    /// @return false when there is none
    public boolean nextPartition() {
        finishPartition();
        if (partitionsLeft == 0) {
            finishTopic();
            return false;
        }
        partitionIndex = reader.readInt32("partition index");
        recordsLengthBytes = reader.readRecordsLength("records", flexible);
        recordsPosition = reader.position();
        inPartition = true;
        partitionsLeft--;
        return true;
    }

    private void finishPartition() {
        if (inPartition) {
            reader.skip("records", Math.max(recordsLengthBytes, 0));
            if (flexible) {
                reader.skipTags("partition tags");
            }
            inPartition = false;
        }
    }

    private void finishTopic() {
        if (inTopic) {
            if (flexible) {
                reader.skipTags("topic tags");
            }
            inTopic = false;
            if (topicsLeft == 0) {
                finishRequest();
            }
        }
    }

    private void finishRequest() {
        if (flexible) {
            reader.skipTags("request tags");
        }
    }

    public int partitionIndex() {
        return partitionIndex;
    }

    /// Where the partition's records begin in the reader's memory.
    public long recordsPosition() {
        return recordsPosition;
    }

    /// −1 when there are no records at all, which is not the same as 0 of them.
    public int recordsLengthBytes() {
        return recordsLengthBytes;
    }
}
