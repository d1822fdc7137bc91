package dev.sluice.systemtest;

import dev.sluice.testkit.History;
import dev.sluice.testkit.NumberedRecord;
import dev.sluice.testkit.RawKafkaClient;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopicCollection;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsResponseData;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.ListOffsetsResponseData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceDataCollection;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.SimpleRecord;

/// What the crash campaign asks a broker, one blocking connection each: kafka-clients' own producer would retry behind
/// our back, and hide what the broker has said.
final class CrashClient implements AutoCloseable {
    static final String TOPIC = "crash";

    private static final short PRODUCE_VERSION = 9;
    private static final short FETCH_VERSION = 12;
    private static final int FETCH_BYTES = 1 << 20;
    private static final int WAIT_MS = 120_000;
    private static final int STUCK_BOUND = 50;
    private static final long LATEST = -1;
    private static final long EARLIEST = -2;

    /// The answer to a batch.
    record Stored(Errors error, long baseOffset) {}

    /// Where a fetch left off.
    record Fetched(Errors error, long nextOffset, long highWatermark) {}

    /// Whom the broker takes a producer for.
    record ProducerIdentity(long id, short epoch) {}

    private final RawKafkaClient connection;

    private CrashClient(RawKafkaClient connection) {
        this.connection = connection;
    }

    static CrashClient connect(int port) throws IOException {
        return new CrashClient(RawKafkaClient.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port)));
    }

    void createTopic(int partitions) throws IOException {
        createTopic(TOPIC, partitions);
    }

    void createTopic(String name, int partitions) throws IOException {
        CreatableTopicCollection topics = new CreatableTopicCollection();
        topics.add(
                new CreatableTopic().setName(name).setNumPartitions(partitions).setReplicationFactor((short) 1));
        CreateTopicsResponseData answer = connection.ask(
                ApiKeys.CREATE_TOPICS,
                5,
                new CreateTopicsRequestData().setTopics(topics).setTimeoutMs(WAIT_MS),
                CreateTopicsResponseData.class);
        Errors error = Errors.forCode(answer.topics().iterator().next().errorCode());
        CampaignFailure.require(error == Errors.NONE, "the topic was refused: " + error);
    }

    void deleteTopic(String name) throws IOException {
        DeleteTopicsResponseData answer = connection.ask(
                ApiKeys.DELETE_TOPICS,
                5,
                new DeleteTopicsRequestData().setTopicNames(List.of(name)).setTimeoutMs(WAIT_MS),
                DeleteTopicsResponseData.class);
        Errors error = Errors.forCode(answer.responses().iterator().next().errorCode());
        CampaignFailure.require(error == Errors.NONE, "the topic was not deleted: " + error);
    }

    ProducerIdentity newProducer() throws IOException {
        InitProducerIdResponseData answer = connection.ask(
                ApiKeys.INIT_PRODUCER_ID,
                1,
                new InitProducerIdRequestData().setTransactionalId(null).setTransactionTimeoutMs(WAIT_MS),
                InitProducerIdResponseData.class);
        CampaignFailure.require(answer.errorCode() == 0, "no producer id: " + Errors.forCode(answer.errorCode()));
        return new ProducerIdentity(answer.producerId(), answer.producerEpoch());
    }

    /// Sends one batch and waits for its acknowledgement.
    Stored produce(int partition, ProducerIdentity producer, int sequence, List<byte[]> contents) throws IOException {
        SimpleRecord[] records = new SimpleRecord[contents.size()];
        for (int i = 0; i < records.length; i++) {
            records[i] = new SimpleRecord(System.currentTimeMillis(), contents.get(i));
        }
        TopicProduceDataCollection topics = new TopicProduceDataCollection();
        topics.add(new TopicProduceData()
                .setName(TOPIC)
                .setPartitionData(List.of(new PartitionProduceData()
                        .setIndex(partition)
                        .setRecords(MemoryRecords.withIdempotentRecords(
                                Compression.NONE, producer.id(), producer.epoch(), sequence, records)))));
        ProduceResponseData.PartitionProduceResponse answer = connection
                .ask(
                        ApiKeys.PRODUCE,
                        PRODUCE_VERSION,
                        new ProduceRequestData()
                                .setAcks((short) -1)
                                .setTimeoutMs(WAIT_MS)
                                .setTopicData(topics),
                        ProduceResponseData.class)
                .responses()
                .iterator()
                .next()
                .partitionResponses()
                .getFirst();
        return new Stored(Errors.forCode(answer.errorCode()), answer.baseOffset());
    }

    long endOffset(int partition) throws IOException {
        return offset(partition, LATEST);
    }

    long startOffset(int partition) throws IOException {
        return offset(partition, EARLIEST);
    }

    private long offset(int partition, long timestamp) throws IOException {
        ListOffsetsResponseData answer = connection.ask(
                ApiKeys.LIST_OFFSETS,
                5,
                new ListOffsetsRequestData()
                        .setReplicaId(-1)
                        .setTopics(List.of(new ListOffsetsTopic()
                                .setName(TOPIC)
                                .setPartitions(List.of(new ListOffsetsPartition()
                                        .setPartitionIndex(partition)
                                        .setTimestamp(timestamp))))),
                ListOffsetsResponseData.class);
        var found = answer.topics().getFirst().partitions().getFirst();
        CampaignFailure.require(found.errorCode() == 0, "no end offset: " + Errors.forCode(found.errorCode()));
        return found.offset();
    }

    /// Reads what comes next, and shows it to the reading.
    ///
    /// @param waitMs how long the broker may wait for a record
    Fetched fetch(int partition, long offset, int waitMs, History.Reading reading) throws IOException {
        FetchResponseData answer = fetch(partition, offset, waitMs);
        if (answer.errorCode() != 0) {
            return new Fetched(Errors.forCode(answer.errorCode()), offset, -1);
        }
        var part = answer.responses().getFirst().partitions().getFirst();
        if (part.errorCode() != 0) {
            return new Fetched(Errors.forCode(part.errorCode()), offset, part.highWatermark());
        }
        long next = part.records() == null ? offset : show((MemoryRecords) part.records(), offset, reading);
        return new Fetched(Errors.NONE, next, part.highWatermark());
    }

    /// Reads what lies at an offset, and looks at nothing of it.
    ///
    /// @return how many bytes came; 0 also for an offset that is no more
    long fetchBytes(int partition, long offset) throws IOException {
        FetchResponseData answer = fetch(partition, offset, 0);
        var part = answer.responses().getFirst().partitions().getFirst();
        return part.records() == null ? 0 : part.records().sizeInBytes();
    }

    private FetchResponseData fetch(int partition, long offset, int waitMs) throws IOException {
        return connection.ask(
                ApiKeys.FETCH,
                FETCH_VERSION,
                new FetchRequestData()
                        .setMaxWaitMs(waitMs)
                        .setMinBytes(1)
                        .setMaxBytes(FETCH_BYTES)
                        .setSessionEpoch(-1)
                        .setTopics(List.of(new FetchTopic()
                                .setTopic(TOPIC)
                                .setPartitions(List.of(new FetchPartition()
                                        .setPartition(partition)
                                        .setFetchOffset(offset)
                                        .setPartitionMaxBytes(FETCH_BYTES))))),
                FetchResponseData.class);
    }

    /// Reads a partition to its end, while nobody writes, and holds that against the history: what is missing is
    /// lost.
    ///
    /// @param from    where to begin; at most the end
    /// @param crashNs when the broker before was ended
    /// @return the end
    long readBack(History history, int partition, long from, long crashNs) throws IOException {
        long end = endOffset(partition);
        long next = Math.min(from, end);
        History.Reading reading = history.reading(partition, next);
        int stuck = 0;
        while (next < end) {
            Fetched fetched = fetch(partition, next, 0, reading);
            CampaignFailure.require(
                    fetched.error() == Errors.NONE,
                    "offset " + next + " of partition " + partition + " can't be read: " + fetched.error());
            stuck = fetched.nextOffset() == next ? stuck + 1 : 0;
            CampaignFailure.require(
                    stuck < STUCK_BOUND,
                    "nothing comes from offset " + next + " of partition " + partition + ", which ends at " + end);
            next = fetched.nextOffset();
        }
        reading.endsAfterCrash(end, crashNs);
        return end;
    }

    /// All of a partition.
    void readBack(History history, int partition) throws IOException {
        readBack(history, partition, startOffset(partition), System.nanoTime());
    }

    /// @return the offset behind the last whole batch
    private static long show(MemoryRecords records, long from, History.Reading reading) {
        long next = from;
        try {
            for (RecordBatch batch : records.batches()) {
                batch.ensureValid();
                for (Record record : batch) {
                    if (record.offset() >= from) {
                        show(record, reading);
                    }
                }
                next = Math.max(next, batch.nextOffset());
            }
        } catch (CorruptRecordException e) {
            reading.torn(next, e.getMessage());
            return next;
        }
        if (next == from && records.sizeInBytes() > 0) {
            reading.torn(from, records.sizeInBytes() + " bytes without a whole batch");
        }
        return next;
    }

    private static void show(Record record, History.Reading reading) {
        ByteBuffer value = record.value();
        try {
            reading.record(record.offset(), NumberedRecord.of(value));
        } catch (IllegalArgumentException e) {
            reading.torn(record.offset(), e.getMessage());
        }
    }

    @Override
    public void close() throws IOException {
        connection.close();
    }
}
