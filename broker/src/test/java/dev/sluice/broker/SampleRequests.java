package dev.sluice.broker;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.testkit.Batches;
import java.io.Serial;
import java.util.List;
import java.util.stream.Stream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.message.AlterConfigsRequestData;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ConsumerGroupDescribeRequestData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.apache.kafka.common.message.CreatePartitionsRequestData;
import org.apache.kafka.common.message.CreatePartitionsRequestData.CreatePartitionsAssignment;
import org.apache.kafka.common.message.CreatePartitionsRequestData.CreatePartitionsTopic;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.DeleteGroupsRequestData;
import org.apache.kafka.common.message.DeleteRecordsRequestData;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsPartition;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsTopic;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsRequestData.DeleteTopicState;
import org.apache.kafka.common.message.DescribeClusterRequestData;
import org.apache.kafka.common.message.DescribeConfigsRequestData;
import org.apache.kafka.common.message.DescribeConfigsRequestData.DescribeConfigsResource;
import org.apache.kafka.common.message.DescribeGroupsRequestData;
import org.apache.kafka.common.message.DescribeLogDirsRequestData;
import org.apache.kafka.common.message.DescribeLogDirsRequestData.DescribableLogDirTopic;
import org.apache.kafka.common.message.DescribeLogDirsRequestData.DescribableLogDirTopicCollection;
import org.apache.kafka.common.message.DescribeProducersRequestData;
import org.apache.kafka.common.message.DescribeProducersRequestData.TopicRequest;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.ListGroupsRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.ListPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.ListPartitionReassignmentsRequestData.ListPartitionReassignmentsTopics;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataRequestData.MetadataRequestTopic;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetDeleteRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderPartition;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderTopic;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;

/// A request of every API that is offered, in every version: one that is answered, and changes nothing.
final class SampleRequests {
    /// What there is a request of. That it is what a broker offers is FramesTest's to see.
    static final List<ApiKeys> OFFERED =
            Stream.of(ApiKeys.values()).filter(SampleRequests::isKnown).toList();

    private static final byte TOPIC = ConfigResource.Type.TOPIC.id();

    private static final class UnknownApiException extends RuntimeException {
        @Serial
        private static final long serialVersionUID = 1L;

        private UnknownApiException(ApiKeys api) {
            super(api + " is not offered");
        }
    }

    private SampleRequests() {}

    private static boolean isKnown(ApiKeys api) {
        try {
            var _ = of(api, api.oldestVersion(), new TopicRef("topic", Uuid.ZERO_UUID));
            return true;
        } catch (UnknownApiException e) {
            return false;
        }
    }

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
            case DELETE_RECORDS ->
                new DeleteRecordsRequestData()
                        .setTopics(List.of(new DeleteRecordsTopic()
                                .setName("nobody")
                                .setPartitions(List.of(new DeleteRecordsPartition()
                                        .setPartitionIndex(0)
                                        .setOffset(1)))));
            case CREATE_PARTITIONS -> {
                CreatePartitionsRequestData request = new CreatePartitionsRequestData().setValidateOnly(true);
                request.topics()
                        .add(new CreatePartitionsTopic()
                                .setName(topic.name())
                                .setCount(2)
                                .setAssignments(List.of(new CreatePartitionsAssignment().setBrokerIds(List.of(1)))));
                yield request;
            }
            case DESCRIBE_CONFIGS ->
                new DescribeConfigsRequestData()
                        .setResources(List.of(new DescribeConfigsResource()
                                .setResourceType(TOPIC)
                                .setResourceName(topic.name())
                                .setConfigurationKeys(List.of("segment.bytes"))));
            case ALTER_CONFIGS -> {
                AlterConfigsRequestData request = new AlterConfigsRequestData().setValidateOnly(true);
                AlterConfigsRequestData.AlterConfigsResource resource =
                        new AlterConfigsRequestData.AlterConfigsResource()
                                .setResourceType(TOPIC)
                                .setResourceName(topic.name());
                resource.configs()
                        .add(new AlterConfigsRequestData.AlterableConfig()
                                .setName("segment.bytes")
                                .setValue("1000"));
                request.resources().add(resource);
                yield request;
            }
            case INCREMENTAL_ALTER_CONFIGS -> {
                IncrementalAlterConfigsRequestData request =
                        new IncrementalAlterConfigsRequestData().setValidateOnly(true);
                IncrementalAlterConfigsRequestData.AlterConfigsResource resource =
                        new IncrementalAlterConfigsRequestData.AlterConfigsResource()
                                .setResourceType(TOPIC)
                                .setResourceName(topic.name());
                resource.configs()
                        .add(new IncrementalAlterConfigsRequestData.AlterableConfig()
                                .setName("segment.bytes")
                                .setConfigOperation((byte) 0)
                                .setValue("1000"));
                request.resources().add(resource);
                yield request;
            }
            case OFFSET_FOR_LEADER_EPOCH -> {
                OffsetForLeaderEpochRequestData request = new OffsetForLeaderEpochRequestData();
                request.topics()
                        .add(new OffsetForLeaderTopic()
                                .setTopic(topic.name())
                                .setPartitions(List.of(new OffsetForLeaderPartition()
                                        .setPartition(0)
                                        .setLeaderEpoch(0))));
                yield request;
            }
            case DESCRIBE_LOG_DIRS -> {
                DescribeLogDirsRequestData request = new DescribeLogDirsRequestData();
                request.setTopics(new DescribableLogDirTopicCollection());
                request.topics()
                        .add(new DescribableLogDirTopic().setTopic(topic.name()).setPartitions(List.of(0)));
                yield request;
            }
            case DESCRIBE_PRODUCERS ->
                new DescribeProducersRequestData()
                        .setTopics(
                                List.of(new TopicRequest().setName(topic.name()).setPartitionIndexes(List.of(0))));
            case DESCRIBE_TOPIC_PARTITIONS ->
                new DescribeTopicPartitionsRequestData()
                        .setTopics(List.of(new DescribeTopicPartitionsRequestData.TopicRequest().setName(topic.name())))
                        .setCursor(new DescribeTopicPartitionsRequestData.Cursor()
                                .setTopicName(topic.name())
                                .setPartitionIndex(0));
            case LIST_PARTITION_REASSIGNMENTS ->
                new ListPartitionReassignmentsRequestData()
                        .setTopics(List.of(new ListPartitionReassignmentsTopics()
                                .setName(topic.name())
                                .setPartitionIndexes(List.of(0))));
            case DESCRIBE_CLUSTER -> new DescribeClusterRequestData();
            case FIND_COORDINATOR ->
                version < 4
                        ? new FindCoordinatorRequestData().setKey("nobody")
                        : new FindCoordinatorRequestData().setCoordinatorKeys(List.of("nobody"));
            case JOIN_GROUP -> // refused: no session is so short
                new JoinGroupRequestData().setGroupId("nobody").setSessionTimeoutMs(1);
            case SYNC_GROUP ->
                new SyncGroupRequestData()
                        .setGroupId("nobody")
                        .setMemberId("nobody")
                        .setProtocolType(version < 5 ? null : "consumer")
                        .setProtocolName(version < 5 ? null : "range");
            case HEARTBEAT -> new HeartbeatRequestData().setGroupId("nobody").setMemberId("nobody");
            case LEAVE_GROUP ->
                version < 3
                        ? new LeaveGroupRequestData().setGroupId("nobody").setMemberId("nobody")
                        : new LeaveGroupRequestData()
                                .setGroupId("nobody")
                                .setMembers(List.of(new LeaveGroupRequestData.MemberIdentity().setMemberId("nobody")));
            case OFFSET_COMMIT -> new OffsetCommitRequestData().setGroupId("nobody");
            case OFFSET_FETCH ->
                version < 8
                        ? new OffsetFetchRequestData().setGroupId("nobody")
                        : new OffsetFetchRequestData()
                                .setGroups(List.of(
                                        new OffsetFetchRequestData.OffsetFetchRequestGroup().setGroupId("nobody")));
            case OFFSET_DELETE -> new OffsetDeleteRequestData().setGroupId("nobody");
            case LIST_GROUPS -> new ListGroupsRequestData();
            case DESCRIBE_GROUPS -> new DescribeGroupsRequestData().setGroups(List.of("nobody"));
            case DELETE_GROUPS -> new DeleteGroupsRequestData().setGroupsNames(List.of("nobody"));
            case CONSUMER_GROUP_HEARTBEAT ->
                new ConsumerGroupHeartbeatRequestData()
                        .setGroupId("nobody")
                        .setMemberId("nobody")
                        .setMemberEpoch(1);
            case CONSUMER_GROUP_DESCRIBE -> new ConsumerGroupDescribeRequestData().setGroupIds(List.of("nobody"));
            case API_VERSIONS ->
                version < 3
                        ? new ApiVersionsRequestData()
                        : new ApiVersionsRequestData()
                                .setClientSoftwareName("sample")
                                .setClientSoftwareVersion("1.0");
            default -> throw new UnknownApiException(api);
        };
    }
}
