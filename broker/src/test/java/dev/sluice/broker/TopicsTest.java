package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.LeakCounter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableReplicaAssignment;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicResult;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsRequestData.DeleteTopicState;
import org.apache.kafka.common.message.DeleteTopicsResponseData;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataRequestData.MetadataRequestTopic;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Topics: made, found, deleted, by all that may be asked for wrongly; and producer ids.
@ExtendWith(LeakCounter.class)
class TopicsTest {
    private TestBroker broker;
    private TestClient client;

    @BeforeEach
    void start(@TempDir Path folder) throws IOException {
        broker = TestBroker.start(folder.resolve("data"), "num.partitions", "3");
        client = broker.client();
    }

    @AfterEach
    void stop() throws IOException {
        client.close();
        broker.close();
    }

    private CreatableTopicResult create(CreatableTopic topic) throws IOException {
        CreateTopicsRequestData request = new CreateTopicsRequestData().setTimeoutMs(30_000);
        request.topics().add(topic);
        return client.raw
                .ask(ApiKeys.CREATE_TOPICS, 7, request, CreateTopicsResponseData.class)
                .topics()
                .iterator()
                .next();
    }

    private static CreatableTopic topic(String name, int partitions, int replicas) {
        return new CreatableTopic().setName(name).setNumPartitions(partitions).setReplicationFactor((short) replicas);
    }

    private MetadataResponseData metadata(int version, boolean mayCreate, String... names) throws IOException {
        MetadataRequestData request = new MetadataRequestData();
        if (version >= 4) { // before, who asks always wants it made
            request.setAllowAutoTopicCreation(mayCreate);
        }
        for (String name : names) {
            request.topics().add(new MetadataRequestTopic().setName(name));
        }
        return client.raw.ask(ApiKeys.METADATA, version, request, MetadataResponseData.class);
    }

    // ---- Making

    @Test
    void everyVersionMakesTopics() throws IOException {
        for (int version : TestClient.versions(ApiKeys.CREATE_TOPICS)) {
            CreateTopicsResponseData answer = client.raw.ask(
                    ApiKeys.CREATE_TOPICS,
                    version,
                    TestClient.createRequest("v" + version, 2, "segment.bytes", "1000"),
                    CreateTopicsResponseData.class);
            CreatableTopicResult result = answer.topics().find("v" + version);
            assertThat(Errors.forCode(result.errorCode())).isEqualTo(Errors.NONE);
            MetadataResponseTopic found = client.metadata().topics().find("v" + version);
            assertThat(found.partitions()).hasSize(2);
            if (version >= 5) {
                assertThat(result.numPartitions()).isEqualTo(2);
                assertThat(result.replicationFactor()).isEqualTo((short) 1);
            }
            if (version >= 7) {
                assertThat(result.topicId()).isEqualTo(found.topicId());
            }
        }
    }

    @Test
    void whoSaysNotHowManyGetsTheConfiguredNumber() throws IOException {
        CreatableTopicResult result = create(topic("topic", -1, -1));

        assertThat(result.errorCode()).isZero();
        assertThat(result.numPartitions()).isEqualTo(3);
        assertThat(result.replicationFactor()).isEqualTo((short) 1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", "a b", "a/b", "../etc", "ä", "a\u0000b", "a:b"})
    void aNameThatIsNotAllowedIsRefused(String name) throws IOException {
        assertThat(Errors.forCode(create(topic(name, 1, 1)).errorCode())).isEqualTo(Errors.INVALID_TOPIC_EXCEPTION);
        assertNothingMade();
    }

    @Test
    void aNameIsAtMost249CharactersLong() throws IOException {
        assertThat(Errors.forCode(create(topic("x".repeat(250), 1, 1)).errorCode()))
                .isEqualTo(Errors.INVALID_TOPIC_EXCEPTION);
        assertThat(Errors.forCode(create(topic("x".repeat(249), 1, 1)).errorCode()))
                .isEqualTo(Errors.NONE);
    }

    private void assertNothingMade() throws IOException {
        assertThat(client.metadata().topics()).isEmpty();
        try (var files = Files.list(broker.folder())) {
            assertThat(files.filter(Files::isDirectory)
                            .map(each -> each.getFileName().toString())
                            .filter(name -> !name.startsWith("__sluice"))
                            .toList())
                    .isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0, 1, INVALID_PARTITIONS",
        "-2, 1, INVALID_PARTITIONS",
        "10001, 1, POLICY_VIOLATION",
        "1, 0, INVALID_REPLICATION_FACTOR",
        "1, 2, INVALID_REPLICATION_FACTOR",
        "1, -2, INVALID_REPLICATION_FACTOR",
    })
    void numbersThatCantBeAreRefused(int partitions, int replicas, Errors error) throws IOException {
        assertThat(Errors.forCode(create(topic("topic", partitions, replicas)).errorCode()))
                .isEqualTo(error);
        assertNothingMade();
    }

    @ParameterizedTest
    @CsvSource({
        "segment.bytes, 60",
        "segment.bytes, many",
        "max.message.bytes, -1",
        "cleanup.policy, burn",
        "no.such.key, 1",
    })
    void settingsThatCantBeAreRefused(String key, String value) throws IOException {
        CreatableTopicResult result = client.tryCreate("topic", 1, key, value);

        assertThat(Errors.forCode(result.errorCode())).isEqualTo(Errors.INVALID_CONFIG);
        assertThat(result.errorMessage()).contains(key);
        assertNothingMade();
    }

    @Test
    void aSettingWithoutAValueIsRefused() throws IOException {
        assertThat(Errors.forCode(
                        client.tryCreate("topic", 1, "segment.bytes", null).errorCode()))
                .isEqualTo(Errors.INVALID_CONFIG);
    }

    @Test
    void anAssignmentMayNameThisBrokerOnly() throws IOException {
        CreatableTopic here = topic("here", -1, -1);
        here.assignments().add(assignment(0, 1));
        here.assignments().add(assignment(1, 1));
        assertThat(create(here).errorCode()).isZero();
        assertThat(client.metadata().topics().find("here").partitions()).hasSize(2);

        CreatableTopic elsewhere = topic("elsewhere", -1, -1);
        elsewhere.assignments().add(assignment(0, 2));
        assertThat(Errors.forCode(create(elsewhere).errorCode())).isEqualTo(Errors.INVALID_REPLICA_ASSIGNMENT);

        CreatableTopic both = topic("both", 1, 1);
        both.assignments().add(assignment(0, 1));
        assertThat(Errors.forCode(create(both).errorCode())).isEqualTo(Errors.INVALID_REQUEST);
    }

    private static CreatableReplicaAssignment assignment(int partition, int brokerId) {
        return new CreatableReplicaAssignment().setPartitionIndex(partition).setBrokerIds(List.of(brokerId));
    }

    @Test
    void aTopicThatExistsIsNotMadeAgain() throws IOException {
        TopicRef first = client.create("topic", 1);

        assertThat(Errors.forCode(client.tryCreate("topic", 2).errorCode())).isEqualTo(Errors.TOPIC_ALREADY_EXISTS);
        assertThat(client.find("topic")).isEqualTo(first);
    }

    @Test
    void aTopicNamedTwiceInOneRequestIsRefusedOnce() throws IOException {
        CreateTopicsRequestData request = TestClient.createRequest("twice", 1);
        request.topics().mustAdd(topic("twice", 2, 1));
        request.topics().mustAdd(topic("fine", 1, 1));

        CreateTopicsResponseData answer =
                client.raw.ask(ApiKeys.CREATE_TOPICS, 7, request, CreateTopicsResponseData.class);

        assertThat(answer.topics()).hasSize(2);
        assertThat(Errors.forCode(answer.topics().find("twice").errorCode())).isEqualTo(Errors.INVALID_REQUEST);
        assertThat(Errors.forCode(answer.topics().find("fine").errorCode())).isEqualTo(Errors.NONE);
        assertThat(client.metadata().topics().find("twice")).isNull();
    }

    @Test
    void whatIsOnlyCheckedIsNotMade() throws IOException {
        CreateTopicsRequestData request = TestClient.createRequest("checked", 2).setValidateOnly(true);

        CreatableTopicResult result = client.raw
                .ask(ApiKeys.CREATE_TOPICS, 7, request, CreateTopicsResponseData.class)
                .topics()
                .find("checked");

        assertThat(result.errorCode()).isZero();
        assertThat(result.numPartitions()).isEqualTo(2);
        assertNothingMade();
    }

    @Test
    void ofManyThatMakeTheSameTopicOneDoes() throws Exception {
        int many = 8;
        CyclicBarrier together = new CyclicBarrier(many);
        try (ExecutorService threads = Executors.newCachedThreadPool()) {
            List<Future<CreatableTopicResult>> results = new ArrayList<>();
            for (int i = 0; i < many; i++) {
                results.add(threads.submit(() -> {
                    try (TestClient one = broker.client()) {
                        together.await();
                        return one.tryCreate("contested", 1);
                    }
                }));
            }
            List<Errors> errors = new ArrayList<>();
            for (Future<CreatableTopicResult> result : results) {
                errors.add(Errors.forCode(result.get().errorCode()));
            }
            assertThat(errors).containsOnlyOnce(Errors.NONE).contains(Errors.TOPIC_ALREADY_EXISTS);
            assertThat(Set.copyOf(errors)).hasSize(2);
        }
    }

    // ---- Finding

    @Test
    void everyVersionDescribesTopics() throws IOException {
        TopicRef topic = client.create("topic", 2);
        for (int version : TestClient.versions(ApiKeys.METADATA)) {
            MetadataResponseData answer = metadata(version, false, "topic");

            assertThat(answer.brokers()).hasSize(1);
            var node = answer.brokers().iterator().next();
            assertThat(node.nodeId()).isEqualTo(1);
            assertThat(node.host() + ":" + node.port()).isEqualTo(broker.bootstrap());
            if (version >= 1) {
                assertThat(answer.controllerId()).isEqualTo(1);
            }
            MetadataResponseTopic found = answer.topics().find("topic");
            assertThat(found.errorCode()).isZero();
            assertThat(found.isInternal()).isFalse();
            assertThat(found.topicId()).isEqualTo(version >= 10 ? topic.id() : Uuid.ZERO_UUID);
            assertThat(found.partitions()).hasSize(2).allSatisfy(partition -> {
                assertThat(partition.leaderId()).isEqualTo(1);
                assertThat(partition.replicaNodes()).containsExactly(1);
                assertThat(partition.isrNodes()).containsExactly(1);
                assertThat(partition.offlineReplicas()).isEmpty();
                assertThat(partition.leaderEpoch()).isEqualTo(version >= 7 ? 0 : -1);
            });
        }
    }

    @Test
    void whoAsksForAllGetsAll() throws IOException {
        client.create("one", 1);
        client.create("other", 1);

        assertThat(metadata(0, false).topics())
                .extracting(MetadataResponseTopic::name)
                .contains("one", "other");
        assertThat(client.metadata().topics())
                .extracting(MetadataResponseTopic::name)
                .containsExactlyInAnyOrder("one", "other");
        assertThat(metadata(1, false).topics()).isEmpty(); // from version 1 on an empty list asks for none
    }

    @Test
    void topicsAreFoundByTheirIds() throws IOException {
        TopicRef topic = client.create("topic", 1);
        MetadataRequestData request = new MetadataRequestData().setAllowAutoTopicCreation(true);
        request.topics().add(new MetadataRequestTopic().setName(null).setTopicId(topic.id()));
        request.topics().add(new MetadataRequestTopic().setName(null).setTopicId(new Uuid(1, 2)));

        List<MetadataResponseTopic> found = new ArrayList<>(client.raw
                .ask(ApiKeys.METADATA, 13, request, MetadataResponseData.class)
                .topics());

        assertThat(found).hasSize(2);
        assertThat(found.get(0).name()).isEqualTo("topic");
        assertThat(Errors.forCode(found.get(1).errorCode())).isEqualTo(Errors.UNKNOWN_TOPIC_ID);
        assertThat(found.get(1).topicId()).isEqualTo(new Uuid(1, 2));
    }

    @Test
    void whoAsksForATopicThatIsNotThereGetsItMade() throws IOException {
        for (int version : TestClient.versions(ApiKeys.METADATA)) {
            MetadataResponseTopic made =
                    metadata(version, true, "wanted" + version).topics().find("wanted" + version);

            assertThat(Errors.forCode(made.errorCode())).isIn(Errors.NONE, Errors.LEADER_NOT_AVAILABLE);
            assertThat(client.metadata("wanted" + version)
                            .topics()
                            .find("wanted" + version)
                            .partitions())
                    .hasSize(3);
        }
    }

    @Test
    void whoDoesNotWantItMadeIsToldThatItIsNotThere() throws IOException {
        for (int version : TestClient.versions(ApiKeys.METADATA)) {
            if (version >= 4) {
                assertThat(Errors.forCode(metadata(version, false, "unwanted")
                                .topics()
                                .find("unwanted")
                                .errorCode()))
                        .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);
            }
        }
        assertNothingMade();
    }

    @Test
    void noTopicIsMadeOnDemandWhereThatIsSwitchedOff(@TempDir Path folder) throws IOException {
        try (TestBroker strict = TestBroker.start(folder.resolve("strict"), "auto.create.topics.enable", "false");
                TestClient asker = strict.client()) {
            for (int version : TestClient.versions(ApiKeys.METADATA)) {
                MetadataRequestData request = new MetadataRequestData().setAllowAutoTopicCreation(true);
                request.topics().add(new MetadataRequestTopic().setName("wanted"));

                assertThat(Errors.forCode(asker.raw
                                .ask(ApiKeys.METADATA, version, request, MetadataResponseData.class)
                                .topics()
                                .find("wanted")
                                .errorCode()))
                        .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "..", "a/b"})
    void noTopicOfANameThatIsNotAllowedIsMadeOnDemand(String name) throws IOException {
        assertThat(Errors.forCode(
                        metadata(12, true, name).topics().iterator().next().errorCode()))
                .isEqualTo(Errors.INVALID_TOPIC_EXCEPTION);
        assertNothingMade();
    }

    @Test
    void theBrokersOwnLogIsNoTopic() throws IOException {
        assertThat(client.metadata().topics()).isEmpty();
        assertThat(metadata(12, true, "__sluice_catalogue")
                        .topics()
                        .iterator()
                        .next()
                        .errorCode())
                .isNotZero();
        assertThat(client.tryCreate("__sluice_catalogue", 1).errorCode()).isNotZero();
        assertThat(client.delete("__sluice_catalogue")).isNotEqualTo(Errors.NONE);
        client.create("still-works", 1);
    }

    // ---- Deleting

    @Test
    void everyVersionDeletesTopicsByName() throws IOException {
        for (int version : TestClient.versions(ApiKeys.DELETE_TOPICS)) {
            TopicRef topic = client.create("topic", 2);
            client.append(topic, 1, Batches.of("a").bytes());
            DeleteTopicsRequestData request = version < 6
                    ? new DeleteTopicsRequestData().setTopicNames(List.of("topic"))
                    : new DeleteTopicsRequestData().setTopics(List.of(new DeleteTopicState().setName("topic")));

            var result = client.raw
                    .ask(ApiKeys.DELETE_TOPICS, version, request, DeleteTopicsResponseData.class)
                    .responses()
                    .find("topic");

            assertThat(Errors.forCode(result.errorCode())).isEqualTo(Errors.NONE);
            assertNothingMade();
        }
    }

    @Test
    void topicsAreDeletedByTheirIds() throws IOException {
        TopicRef topic = client.create("topic", 1);
        DeleteTopicsRequestData request = new DeleteTopicsRequestData()
                .setTopics(List.of(
                        new DeleteTopicState().setName(null).setTopicId(topic.id()),
                        new DeleteTopicState().setName(null).setTopicId(new Uuid(1, 2)),
                        new DeleteTopicState().setName("topic").setTopicId(topic.id())));

        var results =
                client.raw.ask(ApiKeys.DELETE_TOPICS, 6, request, DeleteTopicsResponseData.class).responses().stream()
                        .map(result -> Errors.forCode(result.errorCode()))
                        .toList();

        assertThat(results).containsExactlyInAnyOrder(Errors.NONE, Errors.UNKNOWN_TOPIC_ID, Errors.INVALID_REQUEST);
        assertNothingMade();
    }

    @Test
    void aTopicThatIsNotThereIsNotDeleted() throws IOException {
        assertThat(client.delete("nobody")).isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);
    }

    @Test
    void aTopicCanBeMadeAgainAtOnce() throws IOException {
        Set<Uuid> ids = new HashSet<>();
        for (int i = 0; i < 10; i++) {
            TopicRef topic = client.create("topic", 1);
            assertThat(ids.add(topic.id())).isTrue();
            assertThat(client.append(topic, 0, Batches.of("a").bytes())).isZero();
            assertThat(client.delete("topic")).isEqualTo(Errors.NONE);
        }
    }

    // ---- Producer ids

    @Test
    void everyVersionGivesOutProducerIds() throws IOException {
        Set<Long> ids = new HashSet<>();
        for (int version : TestClient.versions(ApiKeys.INIT_PRODUCER_ID)) {
            InitProducerIdResponseData answer = client.raw.ask(
                    ApiKeys.INIT_PRODUCER_ID,
                    version,
                    new InitProducerIdRequestData().setTransactionalId(null).setTransactionTimeoutMs(1000),
                    InitProducerIdResponseData.class);

            assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.NONE);
            assertThat(answer.producerEpoch()).isZero();
            assertThat(ids.add(answer.producerId())).isTrue();
        }
    }

    @Test
    void transactionalProducersAreRefusedForGood() throws IOException {
        for (int version : TestClient.versions(ApiKeys.INIT_PRODUCER_ID)) {
            InitProducerIdResponseData answer = client.raw.ask(
                    ApiKeys.INIT_PRODUCER_ID,
                    version,
                    new InitProducerIdRequestData().setTransactionalId("tx").setTransactionTimeoutMs(1000),
                    InitProducerIdResponseData.class);

            // Not one that clients try again with.
            assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
            assertThat(answer.producerId()).isEqualTo(-1);
        }
    }
}
