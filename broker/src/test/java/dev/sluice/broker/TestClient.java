package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testkit.RawKafkaClient;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopicConfig;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicResult;
import org.apache.kafka.common.message.DeleteRecordsRequestData;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsPartition;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsTopic;
import org.apache.kafka.common.message.DeleteRecordsResponseData;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsResponseData;
import org.apache.kafka.common.message.DeleteTopicsResponseData.DeletableTopicResult;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterConfigsResource;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterableConfig;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData.AlterConfigsResourceResponse;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.ListOffsetsResponseData;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsPartitionResponse;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataRequestData.MetadataRequestTopic;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.OffsetCommitResponseData;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.message.OffsetFetchResponseData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.requests.ListOffsetsRequest;

/// A raw connection, and the questions that most tests ask through it.
final class TestClient implements AutoCloseable {
    static final int PRODUCE = ApiKeys.PRODUCE.latestVersion();
    static final int FETCH = ApiKeys.FETCH.latestVersion();
    static final int FIRST_PRODUCE_BY_ID = 13;
    static final int FIRST_FETCH_BY_ID = 13;

    static final short ALL = -1;

    /// A topic as requests name it: by name in old versions, by id in new ones.
    record TopicRef(String name, Uuid id) {}

    final RawKafkaClient raw;

    private TestClient(RawKafkaClient raw) {
        this.raw = raw;
    }

    static TestClient connect(InetSocketAddress address) throws IOException {
        return new TestClient(RawKafkaClient.connect(address));
    }

    static TestClient connect(InetSocketAddress address, int receiveBufferBytes) throws IOException {
        return new TestClient(RawKafkaClient.connect(address, receiveBufferBytes));
    }

    /// From an address that is not the broker's host's.
    static TestClient connectFromElsewhere(InetSocketAddress address) throws IOException {
        return new TestClient(RawKafkaClient.connectFrom("127.0.0.2", address));
    }

    /// What the broker calls this connection.
    String peerName() {
        return "127.0.0.1:" + raw.localAddress().getPort();
    }

    // ---- Topics

    /// Makes a topic, or fails.
    ///
    /// @param configs key, value, key, value…
    TopicRef create(String name, int partitions, String... configs) throws IOException {
        CreatableTopicResult result = tryCreate(name, partitions, configs);
        assertThat(Errors.forCode(result.errorCode())).as(result.errorMessage()).isEqualTo(Errors.NONE);
        return new TopicRef(name, result.topicId());
    }

    CreatableTopicResult tryCreate(String name, int partitions, String... configs) throws IOException {
        return raw.ask(
                        ApiKeys.CREATE_TOPICS,
                        7,
                        createRequest(name, partitions, configs),
                        CreateTopicsResponseData.class)
                .topics()
                .iterator()
                .next();
    }

    static CreateTopicsRequestData createRequest(String name, int partitions, String... configs) {
        CreatableTopic topic =
                new CreatableTopic().setName(name).setNumPartitions(partitions).setReplicationFactor((short) 1);
        for (int i = 0; i < configs.length; i += 2) {
            topic.configs().add(new CreatableTopicConfig().setName(configs[i]).setValue(configs[i + 1]));
        }
        CreateTopicsRequestData request = new CreateTopicsRequestData().setTimeoutMs(30_000);
        request.topics().add(topic);
        return request;
    }

    /// Has a partition begin at an offset.
    void deleteRecords(TopicRef topic, int partition, long offset) throws IOException {
        DeleteRecordsRequestData request = new DeleteRecordsRequestData()
                .setTimeoutMs(10_000)
                .setTopics(List.of(new DeleteRecordsTopic()
                        .setName(topic.name())
                        .setPartitions(List.of(new DeleteRecordsPartition()
                                .setPartitionIndex(partition)
                                .setOffset(offset)))));
        assertThat(raw.ask(ApiKeys.DELETE_RECORDS, 2, request, DeleteRecordsResponseData.class)
                        .topics()
                        .find(topic.name())
                        .partitions()
                        .find(partition)
                        .errorCode())
                .isZero();
    }

    Errors delete(String name) throws IOException {
        DeletableTopicResult result = raw.ask(
                        ApiKeys.DELETE_TOPICS,
                        5,
                        new DeleteTopicsRequestData()
                                .setTopicNames(List.of(name))
                                .setTimeoutMs(30_000),
                        DeleteTopicsResponseData.class)
                .responses()
                .iterator()
                .next();
        return Errors.forCode(result.errorCode());
    }

    /// What there is, without making anything.
    MetadataResponseData metadata(String... names) throws IOException {
        MetadataRequestData request = new MetadataRequestData().setAllowAutoTopicCreation(false);
        if (names.length == 0) {
            request.setTopics(null);
        }
        for (String name : names) {
            request.topics().add(new MetadataRequestTopic().setName(name));
        }
        return raw.ask(ApiKeys.METADATA, 13, request, MetadataResponseData.class);
    }

    /// The topic's reference, by its name; fails when there is none.
    TopicRef find(String name) throws IOException {
        var topic = metadata(name).topics().find(name);
        assertThat(Errors.forCode(topic.errorCode())).isEqualTo(Errors.NONE);
        return new TopicRef(name, topic.topicId());
    }

    long producerId() throws IOException {
        InitProducerIdResponseData answer = raw.ask(
                ApiKeys.INIT_PRODUCER_ID,
                4,
                new InitProducerIdRequestData().setTransactionalId(null).setTransactionTimeoutMs(60_000),
                InitProducerIdResponseData.class);
        assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.NONE);
        assertThat(answer.producerEpoch()).isZero();
        return answer.producerId();
    }

    /// Sets one key for all brokers, or fails.
    void setOfBroker(String key, String value) throws IOException {
        IncrementalAlterConfigsRequestData request = new IncrementalAlterConfigsRequestData();
        AlterConfigsResource resource = new AlterConfigsResource()
                .setResourceType(ConfigResource.Type.BROKER.id())
                .setResourceName("");
        resource.configs().add(new AlterableConfig().setName(key).setValue(value));
        request.resources().add(resource);
        AlterConfigsResourceResponse answer = raw.ask(
                        ApiKeys.INCREMENTAL_ALTER_CONFIGS, 1, request, IncrementalAlterConfigsResponseData.class)
                .responses()
                .getFirst();
        assertThat(Errors.forCode(answer.errorCode())).as(answer.errorMessage()).isEqualTo(Errors.NONE);
    }

    // ---- Produce

    /// Produces one batch with acks=all, and answers the offset it got; fails on any error.
    long append(TopicRef topic, int partition, byte[] batch) throws IOException {
        PartitionProduceResponse answer = produce(topic, partition, batch);
        assertThat(Errors.forCode(answer.errorCode())).as(answer.errorMessage()).isEqualTo(Errors.NONE);
        return answer.baseOffset();
    }

    PartitionProduceResponse produce(TopicRef topic, int partition, byte[] batch) throws IOException {
        return produce(PRODUCE, ALL, topic, partition, batch);
    }

    PartitionProduceResponse produce(int version, short acks, TopicRef topic, int partition, byte[] batch)
            throws IOException {
        return only(raw.ask(
                ApiKeys.PRODUCE,
                version,
                produceRequest(version, acks, topic, partition, batch),
                ProduceResponseData.class));
    }

    /// @param records null for a partition without records
    static ProduceRequestData produceRequest(int version, short acks, TopicRef topic, int partition, byte[] records) {
        ProduceRequestData request = new ProduceRequestData().setAcks(acks).setTimeoutMs(30_000);
        add(request, version, topic, partition, records);
        return request;
    }

    static void add(ProduceRequestData request, int version, TopicRef topic, int partition, byte[] records) {
        TopicProduceData data = version < FIRST_PRODUCE_BY_ID
                ? request.topicData().find(topic.name(), Uuid.ZERO_UUID)
                : request.topicData().find("", topic.id());
        if (data == null) {
            data = new TopicProduceData();
            if (version < FIRST_PRODUCE_BY_ID) {
                data.setName(topic.name());
            } else {
                data.setTopicId(topic.id());
            }
            request.topicData().add(data);
        }
        data.partitionData()
                .add(new PartitionProduceData()
                        .setIndex(partition)
                        .setRecords(records == null ? null : MemoryRecords.readableRecords(ByteBuffer.wrap(records))));
    }

    static PartitionProduceResponse only(ProduceResponseData answer) {
        assertThat(answer.responses()).hasSize(1);
        var topic = answer.responses().iterator().next();
        assertThat(topic.partitionResponses()).hasSize(1);
        return topic.partitionResponses().getFirst();
    }

    // ---- Fetch

    /// A fetch that is answered at once with all there is.
    static FetchRequestData fetchRequest() {
        return new FetchRequestData()
                .setMaxWaitMs(0)
                .setMinBytes(1)
                .setMaxBytes(Integer.MAX_VALUE)
                .setSessionId(0)
                .setSessionEpoch(-1);
    }

    static FetchRequestData fetchRequest(int version, TopicRef topic, int partition, long offset) {
        FetchRequestData request = fetchRequest();
        add(request, version, topic, partition, offset, Integer.MAX_VALUE);
        return request;
    }

    static FetchPartition add(
            FetchRequestData request, int version, TopicRef topic, int partition, long offset, int maxBytes) {
        FetchTopic data = request.topics().stream()
                .filter(each ->
                        each.topic().equals(topic.name()) || each.topicId().equals(topic.id()))
                .findFirst()
                .orElse(null);
        if (data == null) {
            data = new FetchTopic();
            if (version < FIRST_FETCH_BY_ID) {
                data.setTopic(topic.name());
            } else {
                data.setTopicId(topic.id());
            }
            request.topics().add(data);
        }
        FetchPartition asked = new FetchPartition()
                .setPartition(partition)
                .setFetchOffset(offset)
                .setPartitionMaxBytes(maxBytes);
        data.partitions().add(asked);
        return asked;
    }

    /// Everything from `offset` on, as one answer brings it; fails on any error.
    byte[] read(TopicRef topic, int partition, long offset) throws IOException {
        PartitionData answer = fetch(FETCH, fetchRequest(FETCH, topic, partition, offset));
        assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.NONE);
        return bytes(answer.records());
    }

    PartitionData fetch(int version, FetchRequestData request) throws IOException {
        return only(raw.ask(ApiKeys.FETCH, version, request, FetchResponseData.class));
    }

    static PartitionData only(FetchResponseData answer) {
        assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.NONE);
        assertThat(answer.responses()).hasSize(1);
        assertThat(answer.responses().getFirst().partitions()).hasSize(1);
        return answer.responses().getFirst().partitions().getFirst();
    }

    static byte[] bytes(BaseRecords records) {
        if (records == null) {
            return new byte[0];
        }
        ByteBuffer buffer = ((MemoryRecords) records).buffer().duplicate();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }

    // ---- Offsets

    // ---- Groups

    /// Commits an offset of a partition for a group without members.
    Errors commit(String group, TopicRef topic, int partition, long offset, String metadata) throws IOException {
        OffsetCommitRequestData request = new OffsetCommitRequestData()
                .setGroupId(group)
                .setTopics(List.of(new OffsetCommitRequestTopic()
                        .setName(topic.name())
                        .setPartitions(List.of(new OffsetCommitRequestPartition()
                                .setPartitionIndex(partition)
                                .setCommittedOffset(offset)
                                .setCommittedMetadata(metadata)))));
        OffsetCommitResponseData answer = raw.ask(ApiKeys.OFFSET_COMMIT, 9, request, OffsetCommitResponseData.class);
        return Errors.forCode(answer.topics().getFirst().partitions().getFirst().errorCode());
    }

    /// What the group committed, or -1.
    long committed(String group, TopicRef topic, int partition) throws IOException {
        OffsetFetchRequestData request = new OffsetFetchRequestData()
                .setGroups(List.of(new OffsetFetchRequestGroup()
                        .setGroupId(group)
                        .setTopics(List.of(new OffsetFetchRequestTopics()
                                .setName(topic.name())
                                .setPartitionIndexes(List.of(partition))))));
        var answer = raw.ask(ApiKeys.OFFSET_FETCH, 9, request, OffsetFetchResponseData.class)
                .groups()
                .getFirst();
        assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.NONE);
        return answer.topics().getFirst().partitions().getFirst().committedOffset();
    }

    // ---- Offsets of a log

    long endOffset(TopicRef topic, int partition) throws IOException {
        return listOffset(11, topic, partition, ListOffsetsRequest.LATEST_TIMESTAMP)
                .offset();
    }

    ListOffsetsPartitionResponse listOffset(int version, TopicRef topic, int partition, long timestamp)
            throws IOException {
        ListOffsetsRequestData request = new ListOffsetsRequestData()
                .setReplicaId(-1)
                .setTopics(List.of(new ListOffsetsTopic()
                        .setName(topic.name())
                        .setPartitions(List.of(new ListOffsetsPartition()
                                .setPartitionIndex(partition)
                                .setTimestamp(timestamp)))));
        return raw.ask(ApiKeys.LIST_OFFSETS, version, request, ListOffsetsResponseData.class)
                .topics()
                .getFirst()
                .partitions()
                .getFirst();
    }

    /// All versions of an API but one that is still being worked on.
    static List<Integer> versions(ApiKeys api) {
        List<Integer> versions = new ArrayList<>();
        for (int version = api.oldestVersion(); version <= api.latestVersion(false); version++) {
            versions.add(version);
        }
        return versions;
    }

    @Override
    public void close() throws IOException {
        raw.close();
    }
}
