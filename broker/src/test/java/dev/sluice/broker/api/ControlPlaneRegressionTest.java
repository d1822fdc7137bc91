package dev.sluice.broker.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.testkit.GateFaults;
import dev.sluice.testkit.RawKafkaClient;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableReplicaAssignment;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsRequestData.DeleteTopicState;
import org.apache.kafka.common.message.DeleteTopicsResponseData;
import org.apache.kafka.common.message.DeleteTopicsResponseData.DeletableTopicResult;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.ListOffsetsResponseData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataRequestData.MetadataRequestTopic;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ListOffsetsRequest;
import org.assertj.core.groups.Tuple;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(180)
class ControlPlaneRegressionTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(ints = {10, 11})
    void metadataWithoutANameIsInvalidBeforeThereWereIds(int version) throws Exception {
        MetadataRequestData request = new MetadataRequestData()
                .setTopics(List.of(
                        new MetadataRequestTopic().setName(null).setTopicId(Uuid.randomUuid()),
                        new MetadataRequestTopic().setName("named")));
        try (RegressionBroker broker = new RegressionBroker(folder);
                RawKafkaClient client = broker.connect()) {
            MetadataResponseData answer = client.ask(ApiKeys.METADATA, version, request, MetadataResponseData.class);

            assertThat(answer.topics())
                    .extracting(MetadataResponseTopic::name, MetadataResponseTopic::errorCode)
                    .containsExactlyInAnyOrder(
                            tuple("", Errors.INVALID_REQUEST), tuple("named", Errors.INVALID_REQUEST));
        }
    }

    private static Tuple tuple(String name, Errors error) {
        return Tuple.tuple(name, error.code());
    }

    @Test
    void metadataOfThousandsOfTopicsNamesEachOnce() throws Exception {
        List<MetadataRequestTopic> asked = new ArrayList<>();
        IntStream.range(0, 5_000).forEach(i -> asked.add(new MetadataRequestTopic().setName("topic-" + i % 4_000)));
        MetadataRequestData request =
                new MetadataRequestData().setAllowAutoTopicCreation(false).setTopics(asked);
        try (RegressionBroker broker = new RegressionBroker(folder);
                RawKafkaClient client = broker.connect()) {
            assertThat(client.ask(ApiKeys.METADATA, 12, request, MetadataResponseData.class)
                            .topics())
                    .hasSize(4_000)
                    .allMatch(topic -> topic.errorCode() == Errors.UNKNOWN_TOPIC_OR_PARTITION.code());
        }
    }

    @Test
    void aProducerIdThatAFullDiskRefusesIsAskedForAgain() throws Exception {
        GateFaults faults = new GateFaults();
        try (RegressionBroker broker = new RegressionBroker(faults, folder);
                RawKafkaClient client = broker.connect()) {
            GateFaults.Fault full = faults.on(Call.PWRITE, Call.FALLOCATE)
                    .of("*__sluice_catalogue*")
                    .fails(Errno.ENOSPC);
            assertThat(producerId(client).errorCode()).isEqualTo(Errors.COORDINATOR_LOAD_IN_PROGRESS.code());

            full.heal();
            assertThat(producerId(client).errorCode()).isZero();
        }
    }

    private static InitProducerIdResponseData producerId(RawKafkaClient client) throws IOException {
        InitProducerIdRequestData request =
                new InitProducerIdRequestData().setTransactionalId(null).setTransactionTimeoutMs(60_000);
        return client.ask(ApiKeys.INIT_PRODUCER_ID, 4, request, InitProducerIdResponseData.class);
    }

    @Test
    void aTopicNamedTwiceIsNeitherMadeNorDeleted() throws Exception {
        try (RegressionBroker broker = new RegressionBroker(folder);
                RawKafkaClient client = broker.connect()) {
            CreateTopicsRequestData twice = new CreateTopicsRequestData().setTimeoutMs(10_000);
            Stream.of("once", "twice", "twice")
                    .forEach(name -> twice.topics()
                            .add(new CreatableTopic()
                                    .setName(name)
                                    .setNumPartitions(1)
                                    .setReplicationFactor((short) 1)));
            CreateTopicsResponseData made = client.ask(ApiKeys.CREATE_TOPICS, 7, twice, CreateTopicsResponseData.class);
            assertThat(made.topics()).hasSize(2);
            assertThat(made.topics().find("once").errorCode()).isZero();
            assertThat(made.topics().find("twice").errorCode()).isEqualTo(Errors.INVALID_REQUEST.code());

            RegressionBroker.create(client, "kept");
            DeleteTopicsResponseData deleted = client.ask(
                    ApiKeys.DELETE_TOPICS,
                    6,
                    new DeleteTopicsRequestData()
                            .setTopics(Stream.of("kept", "kept", "once")
                                    .map(name -> new DeleteTopicState().setName(name))
                                    .toList()),
                    DeleteTopicsResponseData.class);
            assertThat(deleted.responses())
                    .extracting(DeletableTopicResult::name, DeletableTopicResult::errorCode)
                    .containsExactlyInAnyOrder(tuple("kept", Errors.INVALID_REQUEST), tuple("once", Errors.NONE));
            assertThat(RegressionBroker.tryToCreate(client, "kept").errorCode())
                    .isEqualTo(Errors.TOPIC_ALREADY_EXISTS.code());
        }
    }

    @ParameterizedTest
    @CsvSource({"0 1, 0", "0 0, 39", "1 2, 39", "0 -1, 39", "1 0, 0"})
    void theNumbersOfAnAssignmentAreConsecutive(String indexes, short error) throws Exception {
        CreatableTopic topic =
                new CreatableTopic().setName("assigned").setNumPartitions(-1).setReplicationFactor((short) -1);
        for (String index : indexes.split(" ")) {
            topic.assignments()
                    .add(new CreatableReplicaAssignment()
                            .setPartitionIndex(Integer.parseInt(index))
                            .setBrokerIds(List.of(1)));
        }
        CreateTopicsRequestData request = new CreateTopicsRequestData().setTimeoutMs(10_000);
        request.topics().add(topic);
        try (RegressionBroker broker = new RegressionBroker(folder);
                RawKafkaClient client = broker.connect()) {
            assertThat(client.ask(ApiKeys.CREATE_TOPICS, 7, request, CreateTopicsResponseData.class)
                            .topics()
                            .find("assigned")
                            .errorCode())
                    .isEqualTo(error);
        }
    }

    @ParameterizedTest
    @CsvSource({"-3, 6, 35", "-3, 7, 0", "-4, 7, 35", "-4, 8, 0", "-5, 8, 35", "-5, 9, 0", "-6, 10, 35", "-6, 11, 0"})
    void aSpecialTimestampIsOfferedFromItsVersionOn(long timestamp, int version, short error) throws Exception {
        try (RegressionBroker broker = new RegressionBroker(folder);
                RawKafkaClient client = broker.connect()) {
            RegressionBroker.create(client, "times");
            ListOffsetsRequestData request = new ListOffsetsRequestData()
                    .setReplicaId(ListOffsetsRequest.CONSUMER_REPLICA_ID)
                    .setTopics(List.of(new ListOffsetsTopic()
                            .setName("times")
                            .setPartitions(List.of(new ListOffsetsPartition()
                                    .setPartitionIndex(0)
                                    .setTimestamp(timestamp)))));
            assertThat(client.ask(ApiKeys.LIST_OFFSETS, version, request, ListOffsetsResponseData.class)
                            .topics()
                            .getFirst()
                            .partitions()
                            .getFirst()
                            .errorCode())
                    .isEqualTo(error);
        }
    }
}
