package dev.sluice.broker;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.testkit.Batches;
import java.util.List;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsRequestData.DeleteTopicState;
import org.apache.kafka.common.message.DescribeClusterRequestData;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataRequestData.MetadataRequestTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;

/// A request of every API that is offered, in every version: one that is answered, and changes nothing.
final class SampleRequests {
    /// What a broker offers.
    static final List<ApiKeys> OFFERED = List.of(
            ApiKeys.PRODUCE,
            ApiKeys.FETCH,
            ApiKeys.LIST_OFFSETS,
            ApiKeys.METADATA,
            ApiKeys.CREATE_TOPICS,
            ApiKeys.DELETE_TOPICS,
            ApiKeys.INIT_PRODUCER_ID,
            ApiKeys.DESCRIBE_CLUSTER,
            ApiKeys.API_VERSIONS);

    private SampleRequests() {}

    static int newest(ApiKeys api) {
        return api.latestVersion(false);
    }

    /// @param topic one that exists; nothing is stored in it, for the batch that is produced is broken
    static ApiMessage of(ApiKeys api, int version, TopicRef topic) {
        return switch (api) {
            case PRODUCE ->
                TestClient.produceRequest(
                        version,
                        TestClient.ALL,
                        topic,
                        0,
                        Batches.withWrongCrc(Batches.of("never stored").bytes()));
            case FETCH -> TestClient.fetchRequest(version, topic, 0, 0);
            case LIST_OFFSETS ->
                new ListOffsetsRequestData()
                        .setReplicaId(-1)
                        .setTopics(List.of(new ListOffsetsTopic()
                                .setName(topic.name())
                                .setPartitions(List.of(new ListOffsetsPartition()
                                        .setPartitionIndex(0)
                                        .setTimestamp(0)))));
            case METADATA ->
                new MetadataRequestData()
                        .setAllowAutoTopicCreation(true)
                        .setTopics(List.of(new MetadataRequestTopic().setName(topic.name())));
            case CREATE_TOPICS -> {
                CreateTopicsRequestData request = TestClient.createRequest(topic.name(), 1, "segment.bytes", "1000");
                yield request.setValidateOnly(true);
            }
            case DELETE_TOPICS ->
                version < 6
                        ? new DeleteTopicsRequestData().setTopicNames(List.of("nobody"))
                        : new DeleteTopicsRequestData().setTopics(List.of(new DeleteTopicState().setName("nobody")));
            case INIT_PRODUCER_ID ->
                new InitProducerIdRequestData().setTransactionalId("refused").setTransactionTimeoutMs(1);
            case DESCRIBE_CLUSTER -> new DescribeClusterRequestData();
            case API_VERSIONS ->
                version < 3
                        ? new ApiVersionsRequestData()
                        : new ApiVersionsRequestData()
                                .setClientSoftwareName("sample")
                                .setClientSoftwareVersion("1.0");
            default -> throw new IllegalArgumentException(api + " is not offered");
        };
    }
}
