package dev.sluice.broker.protocol;

/// Walks a Produce request, version 3 to 13, where it lies. The records stay there; this class tells where.
///
/// A request that was received as a whole:
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
/// A request that is still being received: [#begin], then [#advance] as bytes come, which stops behind each head,
/// before the records that it announces have arrived, and goes on when they have. So a client can be refused
/// before it has sent what it announced.
///
/// ```
///                        ┌────────────────────────────────┐
///                        ▼                                │
/// HEAD ──▶ TOPIC ──▶ PARTITION ──▶ RECORDS ──▶ PARTITION_TAGS    a state names what is read next;
///           │ ▲         │ none left                              tags exist from version 9
///           │ └── TOPIC_TAGS
///           └ none left ──▶ REQUEST_TAGS ──▶ END
/// ```
///
/// A topic may come twice in a request, and a partition twice in a topic. Bytes behind the end are ignored. All
/// of this as in Kafka.
///
/// Reused; owned by one thread. It borrows the reader, and with it the memory, to the end of the walk; the memory
/// must not move meanwhile.
public final class ProduceRequest {
    public static final int OLDEST_VERSION = 3;
    public static final int NEWEST_VERSION = 13;

    /// Where [#advance] stopped.
    public enum Step {
        /// The request's own fields are known, up to [#topicCount].
        HEAD,
        /// A topic and the number of its partitions are known.
        TOPIC,
        /// A partition and where its records are is known; they may not have been received yet.
        PARTITION,
        /// The request is through, and was received up to here.
        END,
        /// Nothing new is known until bytes up to [#neededEnd] were received.
        STARVED
    }

    private enum State {
        HEAD,
        TOPIC,
        PARTITION,
        RECORDS,
        PARTITION_TAGS,
        TOPIC_TAGS,
        REQUEST_TAGS,
        END
    }

    private final NameCache names;
    private WireReader reader = new WireReader();
    private State state = State.END;
    private long statePosition;
    private boolean flexible;
    private boolean byId;

    private long transactionalIdPosition;
    private int transactionalIdLengthBytes;
    private short acks;
    private int timeoutMs;
    private int topicCount;
    private int totalPartitions;

    private int topicsLeft;
    private String topicName = "";
    private long topicIdHigh;
    private long topicIdLow;
    private int partitionCount;

    private int partitionsLeft;
    private int partitionIndex;
    private long recordsPosition;
    private int recordsLengthBytes;

    /// @param names where topic names become strings; borrowed
    public ProduceRequest(NameCache names) {
        this.names = names;
    }

    static boolean isFlexible(int version) {
        return version >= 9;
    }

    static boolean isByTopicId(int version) {
        return version >= 13;
    }

    /// Takes a whole request and checks it to its end, so that nothing of a malformed one is ever appended; then
    /// stands before the first topic.
    ///
    /// @param reader at the body, its limit the end of the frame
    /// @throws MalformedRequestException when the bytes are no Produce request of this version
    public void wrap(WireReader reader, int version) {
        begin(reader, version);
        step();
        long firstTopic = reader.position();
        int partitions = 0;
        for (Step step = step(); step != Step.END; step = step()) {
            if (step == Step.PARTITION) {
                partitions++;
            }
        }
        totalPartitions = partitions;
        reader.rewind(firstTopic);
        topicsLeft = topicCount;
        enter(State.TOPIC);
    }

    /// Takes a request of which perhaps nothing has been received yet; go on with [#advance]. What is malformed
    /// behind the bytes received so far shows later, when partitions before it may have been appended.
    ///
    /// @param reader at the body, its limit the end that the frame declares
    /// @throws MalformedRequestException when Produce has no such version
    public void begin(WireReader reader, int version) {
        if (version < OLDEST_VERSION || version > NEWEST_VERSION) {
            throw new MalformedRequestException("apiVersion", reader.position(), "Produce has no version " + version);
        }
        this.reader = reader;
        flexible = isFlexible(version);
        byId = isByTopicId(version);
        totalPartitions = 0;
        partitionsLeft = 0;
        topicsLeft = 0;
        enter(State.HEAD);
    }

    /// Reads the next head.
    ///
    /// @param receivedEnd first position that was not received yet; it never goes back
    /// @throws MalformedRequestException when the bytes are no Produce request of this version
    public Step advance(long receivedEnd) {
        reader.receivedUpTo(receivedEnd);
        try {
            return step();
        } catch (Starved more) {
            reader.rewind(statePosition);
            return Step.STARVED;
        }
    }

    /// Bytes before this position must have been received before [#advance] gets further than [Step#STARVED].
    public long neededEnd() {
        return reader.neededEnd();
    }

    private void enter(State next) {
        state = next;
        statePosition = reader.position();
    }

    private Step step() {
        while (true) {
            switch (state) {
                case HEAD -> {
                    readHead();
                    enter(State.TOPIC);
                    return Step.HEAD;
                }
                case TOPIC -> {
                    if (topicsLeft > 0) {
                        readTopic();
                        enter(State.PARTITION);
                        return Step.TOPIC;
                    }
                    enter(State.REQUEST_TAGS);
                }
                case PARTITION -> {
                    if (partitionsLeft > 0) {
                        readPartition();
                        enter(State.RECORDS);
                        return Step.PARTITION;
                    }
                    enter(State.TOPIC_TAGS);
                }
                case RECORDS -> {
                    reader.skip("records", Math.max(recordsLengthBytes, 0));
                    enter(State.PARTITION_TAGS);
                }
                case PARTITION_TAGS -> {
                    skipTags("partition tags");
                    enter(State.PARTITION);
                }
                case TOPIC_TAGS -> {
                    skipTags("topic tags");
                    enter(State.TOPIC);
                }
                case REQUEST_TAGS -> {
                    skipTags("request tags");
                    enter(State.END);
                }
                case END -> {
                    return Step.END;
                }
            }
        }
    }

    private void readHead() {
        transactionalIdLengthBytes = reader.readNullableString("transactionalId", flexible);
        transactionalIdPosition = reader.position() - Math.max(transactionalIdLengthBytes, 0);
        acks = reader.readInt16("acks");
        timeoutMs = reader.readInt32("timeoutMs");
        int emptyName = flexible ? 1 : 2;
        topicCount = reader.readCount("topics", flexible, (byId ? Wire.UUID_BYTES : emptyName) + (flexible ? 2 : 4));
        topicsLeft = topicCount;
    }

    private void readTopic() {
        if (byId) {
            topicIdHigh = reader.readInt64("topicId");
            topicIdLow = reader.readInt64("topicId");
        } else {
            topicName = reader.readTopicName(flexible, names);
        }
        partitionCount = reader.readCount("partitions", flexible, 4 + (flexible ? 2 : 4));
        partitionsLeft = partitionCount;
        topicsLeft--;
    }

    private void readPartition() {
        partitionIndex = reader.readInt32("partition index");
        recordsLengthBytes = reader.readRecordsLength("records", flexible);
        recordsPosition = reader.position();
        partitionsLeft--;
    }

    private void skipTags(String field) {
        if (flexible) {
            reader.skipTags(field);
        }
    }

    /// Whether the producer named a transaction.
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

    /// The sum over all topics; known after [#wrap].
    public int totalPartitions() {
        return totalPartitions;
    }

    /// Goes to the next topic of a wrapped request, past partitions of this one that were not looked at.
    ///
    /// @return false when there is none
    public boolean nextTopic() {
        if (topicsLeft == 0) {
            return false;
        }
        while (step() != Step.TOPIC) {
            // a partition that nobody asked for
        }
        return true;
    }

    /// Goes to the next partition of this topic of a wrapped request.
    ///
    /// @return false when there is none
    public boolean nextPartition() {
        if (partitionsLeft == 0) {
            return false;
        }
        step();
        return true;
    }

    /// Whether topics go by id (version 13) instead of by name.
    public boolean isByTopicId() {
        return byId;
    }

    /// The topic's name; up to version 12.
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

    public int partitionIndex() {
        return partitionIndex;
    }

    /// Where the partition's records begin in the reader's memory.
    public long recordsPosition() {
        return recordsPosition;
    }

    /// −1 when there are no records at all, which is not the same as 0 bytes of them.
    public int recordsLengthBytes() {
        return recordsLengthBytes;
    }
}
