package dev.sluice.broker.api;

import java.util.List;

/// The one list of what the broker offers; ApiVersions is computed from it.
final class Handlers {
    private Handlers() {}

    static List<ApiHandler> offered(Services services) {
        return List.of(
                new ProduceHandler(services),
                new FetchHandler(services),
                new ListOffsetsHandler(services),
                new MetadataHandler(services),
                new CreateTopicsHandler(services),
                new DeleteTopicsHandler(services),
                new InitProducerIdHandler(services),
                new DescribeClusterHandler(services),
                new FindCoordinatorHandler(services),
                new JoinGroupHandler(services),
                new SyncGroupHandler(services),
                new HeartbeatHandler(services),
                new LeaveGroupHandler(services),
                new OffsetCommitHandler(services),
                new OffsetFetchHandler(services),
                new OffsetDeleteHandler(services),
                new ListGroupsHandler(services),
                new DescribeGroupsHandler(services),
                new DeleteGroupsHandler(services),
                new ConsumerGroupHeartbeatHandler(services),
                new ConsumerGroupDescribeHandler(services),
                new DeleteRecordsHandler(services),
                new CreatePartitionsHandler(services),
                new DescribeConfigsHandler(services),
                new AlterConfigsHandler(services),
                new IncrementalAlterConfigsHandler(services),
                new OffsetForLeaderEpochHandler(services),
                new DescribeLogDirsHandler(services),
                new DescribeProducersHandler(services),
                new DescribeTopicPartitionsHandler(services),
                new ListPartitionReassignmentsHandler(services));
    }
}
