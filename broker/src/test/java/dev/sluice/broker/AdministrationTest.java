package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.io.linux.Call;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.GateFaults;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.admin.AlterConfigsOptions;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConfigEntry.ConfigSource;
import org.apache.kafka.clients.admin.CreatePartitionsOptions;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.ProducerState;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidReplicaAssignmentException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderPartition;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderTopic;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData.EpochEndOffset;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Topics and their configurations in the hands of Kafka's own admin client.
@Timeout(180)
class AdministrationTest {
    private static final ConfigResource ORDERS = new ConfigResource(ConfigResource.Type.TOPIC, "orders");
    private static final ConfigResource BROKER = new ConfigResource(ConfigResource.Type.BROKER, "1");
    private static final ConfigResource ALL_BROKERS = new ConfigResource(ConfigResource.Type.BROKER, "");
    private static final TopicPartition ORDERS_0 = new TopicPartition("orders", 0);

    private TestBroker broker;
    private Admin admin;

    @BeforeEach
    void start(@TempDir Path folder) throws IOException {
        broker = TestBroker.start(folder.resolve("data"), "log.segment.bytes", "1000000");
        connect();
    }

    private void connect() {
        admin = Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, broker.bootstrap()));
    }

    @AfterEach
    void stop() throws IOException {
        admin.close();
        broker.close();
    }

    private void restart() throws IOException, InterruptedException {
        admin.close();
        broker.restart();
        connect();
    }

    private void create(String name, int partitions, Map<String, String> configs) throws Exception {
        admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1).configs(configs)))
                .all()
                .get();
    }

    private ConfigEntry describe(ConfigResource resource, String key) throws Exception {
        Config config = admin.describeConfigs(
                        List.of(resource),
                        new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true))
                .all()
                .get()
                .get(resource);
        return config.get(key);
    }

    private void alter(OpType operation, String key, String value) throws Exception {
        alter(ORDERS, operation, key, value, false);
    }

    private void alter(ConfigResource resource, OpType operation, String key, String value, boolean validateOnly)
            throws Exception {
        admin.incrementalAlterConfigs(
                        Map.of(resource, List.of(new AlterConfigOp(new ConfigEntry(key, value), operation))),
                        new AlterConfigsOptions().validateOnly(validateOnly))
                .all()
                .get();
    }

    private static List<String> synonyms(ConfigEntry entry) {
        return entry.synonyms().stream()
                .map(synonym -> synonym.name() + "=" + synonym.value() + " " + synonym.source())
                .toList();
    }

    private static void assertRefused(KafkaFuture<?> answer, Class<? extends Exception> kind, String says) {
        assertThatThrownBy(answer::get)
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOf(kind)
                .hasMessageContaining(says);
    }

    // ---- Configurations

    @Test
    void aSettingIsToldWithWhereItComesFrom() throws Exception {
        create("orders", 1, Map.of("max.message.bytes", "2000"));

        ConfigEntry own = describe(ORDERS, "max.message.bytes");
        assertThat(own.value()).isEqualTo("2000");
        assertThat(own.source()).isEqualTo(ConfigSource.DYNAMIC_TOPIC_CONFIG);
        assertThat(own.type()).isEqualTo(ConfigEntry.ConfigType.INT);
        assertThat(own.documentation()).isNotBlank();
        assertThat(synonyms(own))
                .containsExactly(
                        "max.message.bytes=2000 DYNAMIC_TOPIC_CONFIG", "message.max.bytes=1048588 DEFAULT_CONFIG");

        ConfigEntry ofBroker = describe(ORDERS, "segment.bytes");
        assertThat(ofBroker.value()).isEqualTo("1000000");
        assertThat(ofBroker.source()).isEqualTo(ConfigSource.STATIC_BROKER_CONFIG);
        assertThat(describe(ORDERS, "compression.type").value()).isEqualTo("producer");
        assertThat(describe(ORDERS, "min.insync.replicas").isDefault()).isTrue();

        ConfigEntry brokers = describe(BROKER, "log.segment.bytes");
        assertThat(brokers.value()).isEqualTo("1000000");
        assertThat(brokers.isReadOnly()).isFalse();
        assertThat(describe(BROKER, "num.partitions").isReadOnly()).isTrue();
    }

    @Test
    void aChangeHoldsAtOnceAndAfterARestart() throws Exception {
        create("orders", 2, Map.of());

        alter(OpType.SET, "max.message.bytes", "70");

        for (int round = 0; round < 2; round++) {
            assertThat(describe(ORDERS, "max.message.bytes").value()).isEqualTo("70");
            try (TestClient client = broker.client()) {
                TopicRef topic = client.find("orders");
                byte[] batch = Batches.of("more than seventy bytes with its header of sixty-one")
                        .bytes();
                assertThat(Errors.forCode(client.produce(topic, 1, batch).errorCode()))
                        .isEqualTo(Errors.MESSAGE_TOO_LARGE);
            }
            restart();
        }
        alter(OpType.DELETE, "max.message.bytes", null);
        assertThat(describe(ORDERS, "max.message.bytes").isDefault()).isTrue();
    }

    @Test
    void listsAreAppendedToAndSubtractedFrom() throws Exception {
        create("orders", 1, Map.of());

        alter(OpType.APPEND, "cleanup.policy", "compact");
        assertThat(describe(ORDERS, "cleanup.policy").value()).isEqualTo("delete,compact");
        alter(OpType.SUBTRACT, "cleanup.policy", "delete");
        assertThat(describe(ORDERS, "cleanup.policy").value()).isEqualTo("compact");
        assertRefused(
                admin.incrementalAlterConfigs(Map.of(
                                ORDERS, List.of(new AlterConfigOp(new ConfigEntry("segment.ms", "1"), OpType.APPEND))))
                        .all(),
                InvalidConfigurationException.class,
                "no list");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "segment.bytse | 1000 | the nearest is segment.bytes",
                "segment.bytes | 3 | takes an integer",
                "segment.bytes | much | takes an integer",
                "compression.type | zip | producer, uncompressed, gzip, snappy, lz4, zstd",
                "cleanup.policy | burn | delete, compact",
                "message.timestamp.type | Whenever | CreateTime, LogAppendTime",
                "min.cleanable.dirty.ratio | 1.5 | a number from 0 to 1",
                "remote.storage.enable | true | one of false",
            })
    void whatCantBeSetIsRefusedAndNothingChanges(String key, String value, String says) throws Exception {
        create("orders", 1, Map.of());

        assertRefused(
                admin.incrementalAlterConfigs(Map.of(
                                ORDERS,
                                List.of(
                                        new AlterConfigOp(new ConfigEntry("segment.ms", "77"), OpType.SET),
                                        new AlterConfigOp(new ConfigEntry(key, value), OpType.SET))))
                        .all(),
                InvalidConfigurationException.class,
                says);

        assertThat(describe(ORDERS, "segment.ms").isDefault()).isTrue();
        assertRefused(
                admin.createTopics(List.of(new NewTopic("other", 1, (short) 1).configs(Map.of(key, value))))
                        .all(),
                InvalidConfigurationException.class,
                says);
    }

    @Test
    void onlyValidatingChangesNothing() throws Exception {
        create("orders", 1, Map.of());

        alter(ORDERS, OpType.SET, "segment.ms", "77", true);

        assertThat(describe(ORDERS, "segment.ms").isDefault()).isTrue();
    }

    @Test
    void whatIsSetForABrokerHidesWhatIsSetForAllAndWhatItWasStartedWith() throws Exception {
        create("orders", 1, Map.of());
        alter(ALL_BROKERS, OpType.SET, "log.segment.bytes", "6000", false);
        alter(BROKER, OpType.SET, "log.segment.bytes", "5000", false);

        for (int round = 0; round < 2; round++) {
            ConfigEntry brokers = describe(BROKER, "log.segment.bytes");
            assertThat(brokers.source()).isEqualTo(ConfigSource.DYNAMIC_BROKER_CONFIG);
            assertThat(synonyms(brokers))
                    .containsExactly(
                            "log.segment.bytes=5000 DYNAMIC_BROKER_CONFIG",
                            "log.segment.bytes=6000 DYNAMIC_DEFAULT_BROKER_CONFIG",
                            "log.segment.bytes=1000000 STATIC_BROKER_CONFIG",
                            "log.segment.bytes=1073741824 DEFAULT_CONFIG");
            ConfigEntry topics = describe(ORDERS, "segment.bytes");
            assertThat(topics.value()).isEqualTo("5000");
            assertThat(topics.source()).isEqualTo(ConfigSource.DYNAMIC_BROKER_CONFIG);
            restart();
        }
        assertThat(admin.describeConfigs(List.of(ALL_BROKERS))
                        .all()
                        .get()
                        .get(ALL_BROKERS)
                        .entries())
                .extracting(entry -> entry.name() + "=" + entry.value())
                .containsExactly("log.segment.bytes=6000");

        alter(BROKER, OpType.DELETE, "log.segment.bytes", null, false);
        assertThat(describe(ORDERS, "segment.bytes").source()).isEqualTo(ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG);
        alter(ALL_BROKERS, OpType.DELETE, "log.segment.bytes", null, false);
        assertThat(describe(ORDERS, "segment.bytes").value()).isEqualTo("1000000");
    }

    @Test
    void whatIsSetForTheBrokerHoldsForTopicsAtOnce() throws Exception {
        create("orders", 1, Map.of());
        create("own", 1, Map.of("max.message.bytes", "1000"));
        byte[] batch = Batches.of("more than seventy bytes with its header of sixty-one")
                .bytes();

        alter(ALL_BROKERS, OpType.SET, "message.max.bytes", "70", true);
        alter(BROKER, OpType.SET, "message.max.bytes", "70", false);

        for (int round = 0; round < 2; round++) {
            try (TestClient client = broker.client()) {
                assertThat(client.produce(client.find("orders"), 0, batch).errorCode())
                        .isEqualTo(Errors.MESSAGE_TOO_LARGE.code());
                assertThat(client.produce(client.find("own"), 0, batch).errorCode())
                        .isEqualTo(Errors.NONE.code());
            }
            restart();
        }
    }

    /// As in Kafka, whatever is set for one of them.
    @Test
    void whatIsAddedForAllBrokersIsAddedToWhatHoldsForAll() throws Exception {
        alter(BROKER, OpType.SET, "log.cleanup.policy", "compact", false);

        alter(ALL_BROKERS, OpType.APPEND, "log.cleanup.policy", "compact", false);

        assertThat(describe(ALL_BROKERS, "log.cleanup.policy").value()).isEqualTo("delete,compact");
    }

    /// The first is being stored when the second comes: it must take away from what the first has made of the list.
    @Test
    void ofTwoChangesOfAListAtOnceNoneIsLost() throws Exception {
        CountDownLatch disk = new CountDownLatch(1);
        try (Admin other = Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, broker.bootstrap()))) {
            other.describeCluster().nodes().get();
            GateFaults.Fault storing = broker.faults.on(Call.FDATASYNC).of("*").waitsFor(disk);
            KafkaFuture<Void> first = change(admin, OpType.APPEND, "compact");
            storing.awaitHits(1);
            KafkaFuture<Void> second = change(other, OpType.SUBTRACT, "delete");
            await().until(() -> Thread.getAllStackTraces().keySet().stream()
                    .anyMatch(thread -> thread.getName().startsWith("sluice-control-")
                            && thread.getState() == Thread.State.BLOCKED));
            disk.countDown();
            first.get();
            second.get();
        }
        assertThat(describe(BROKER, "log.cleanup.policy").value()).isEqualTo("compact");
    }

    private static KafkaFuture<Void> change(Admin by, OpType operation, String value) {
        AlterConfigOp change = new AlterConfigOp(new ConfigEntry("log.cleanup.policy", value), operation);
        return by.incrementalAlterConfigs(Map.of(BROKER, List.of(change))).all();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "num.partitions | 3 | restart",
                "log.retention.hours | 3 | set log.retention.ms instead",
                "log.segment.bytse | 3 | the nearest is log.segment.bytes",
                "max.connections | 0 | takes an integer",
                "zookeeper.connect | here | there is no ZooKeeper",
            })
    void whatCantBeChangedOfABrokerIsRefused(String key, String value, String says) throws Exception {
        assertRefused(
                admin.incrementalAlterConfigs(Map.of(
                                BROKER,
                                List.of(
                                        new AlterConfigOp(new ConfigEntry("log.roll.ms", "77"), OpType.SET),
                                        new AlterConfigOp(new ConfigEntry(key, value), OpType.SET))))
                        .all(),
                InvalidRequestException.class,
                says);

        assertThat(describe(BROKER, "log.roll.ms").isDefault()).isTrue();
    }

    @Test
    void whatHasNoConfigurationIsRefused() {
        assertRefused(
                admin.describeConfigs(List.of(new ConfigResource(ConfigResource.Type.GROUP, "group")))
                        .all(),
                InvalidRequestException.class,
                "Only topics and brokers");
        assertRefused(
                admin.describeConfigs(List.of(new ConfigResource(ConfigResource.Type.TOPIC, "nobody")))
                        .all(),
                UnknownTopicOrPartitionException.class,
                "");
    }

    @Test
    void whatStreamsAndConnectSetIsTaken() throws Exception {
        Map<String, String> configs = Map.of(
                "cleanup.policy", "compact,delete",
                "retention.ms", "86400000",
                "segment.bytes", "52428800",
                "message.timestamp.type", "CreateTime",
                "min.insync.replicas", "2",
                "delete.retention.ms", "1000",
                "min.compaction.lag.ms", "0",
                "unclean.leader.election.enable", "false");

        create("orders", 1, configs);

        for (Map.Entry<String, String> each : configs.entrySet()) {
            assertThat(describe(ORDERS, each.getKey()).value()).isEqualTo(each.getValue());
        }
    }

    // ---- Partitions

    @Test
    void aTopicGetsMorePartitionsAndKeepsThem() throws Exception {
        create("orders", 1, Map.of("max.message.bytes", "5000"));

        admin.createPartitions(Map.of("orders", NewPartitions.increaseTo(4)))
                .all()
                .get();

        for (int round = 0; round < 2; round++) {
            assertThat(topic("orders").partitions()).hasSize(4);
            try (TestClient client = broker.client()) {
                TopicRef topic = client.find("orders");
                assertThat(client.append(topic, 3, Batches.of("record").bytes()))
                        .isEqualTo(round);
            }
            assertThat(describe(ORDERS, "max.message.bytes").value()).isEqualTo("5000");
            restart();
        }
    }

    private TopicDescription topic(String name) throws Exception {
        return admin.describeTopics(List.of(name)).allTopicNames().get().get(name);
    }

    @Test
    void partitionsThatCantBeAreRefused() throws Exception {
        create("orders", 3, Map.of());

        assertRefused(
                admin.createPartitions(Map.of("orders", NewPartitions.increaseTo(3)))
                        .all(),
                InvalidPartitionsException.class,
                "3 partitions already");
        assertRefused(
                admin.createPartitions(Map.of("orders", NewPartitions.increaseTo(10_001)))
                        .all(),
                InvalidPartitionsException.class,
                "at most");
        assertRefused(
                admin.createPartitions(Map.of("orders", NewPartitions.increaseTo(4, List.of(List.of(2)))))
                        .all(),
                InvalidReplicaAssignmentException.class,
                "only broker is 1");
        assertRefused(
                admin.createPartitions(Map.of("nobody", NewPartitions.increaseTo(3)))
                        .all(),
                UnknownTopicOrPartitionException.class,
                "");
        admin.createPartitions(
                        Map.of("orders", NewPartitions.increaseTo(5)), new CreatePartitionsOptions().validateOnly(true))
                .all()
                .get();
        assertThat(topic("orders").partitions()).hasSize(3);
    }

    @Test
    void topicsOfManyPartitionsAreDescribedInPages() throws Exception {
        for (int i = 0; i < 3; i++) {
            create("topic-" + i, 900, Map.of("segment.index.bytes", "100"));
        }
        Set<String> names = admin.listTopics().names().get();
        assertThat(names).hasSize(3);

        Map<String, TopicDescription> all =
                admin.describeTopics(names).allTopicNames().get();

        assertThat(all.values())
                .allSatisfy(topic -> assertThat(topic.partitions())
                        .extracting(partition -> partition.partition())
                        .containsExactlyElementsOf(
                                IntStream.range(0, 900).boxed().toList()));
    }

    // ---- Records

    @Test
    void recordsBelowAnOffsetAreDeletedForGood() throws Exception {
        create("orders", 1, Map.of());
        produceThree();

        assertThat(delete(2).get().lowWatermark()).isEqualTo(2);

        assertThat(offset(OffsetSpec.earliest())).isEqualTo(2);
        assertRefused(delete(4), OffsetOutOfRangeException.class, "");
        restart();
        assertThat(offset(OffsetSpec.earliest())).isEqualTo(2);
        assertThat(delete(-1).get().lowWatermark()).isEqualTo(3);
        assertThat(offset(OffsetSpec.earliest())).isEqualTo(3);
    }

    @Test
    void recordsOfACompactedTopicAreNotDeleted() throws Exception {
        create("orders", 1, Map.of("cleanup.policy", "compact"));

        assertRefused(delete(0), PolicyViolationException.class, "");
    }

    private void produceThree() throws IOException {
        try (TestClient client = broker.client()) {
            TopicRef topic = client.find("orders");
            for (int i = 0; i < 3; i++) {
                client.append(topic, 0, Batches.of("record " + i).bytes());
            }
        }
    }

    private KafkaFuture<org.apache.kafka.clients.admin.DeletedRecords> delete(long before) {
        return admin.deleteRecords(Map.of(ORDERS_0, RecordsToDelete.beforeOffset(before)))
                .lowWatermarks()
                .get(ORDERS_0);
    }

    private long offset(OffsetSpec spec) throws Exception {
        return admin.listOffsets(Map.of(ORDERS_0, spec))
                .partitionResult(ORDERS_0)
                .get()
                .offset();
    }

    // ---- What else is asked

    @Test
    void theDataFolderIsTold() throws Exception {
        create("orders", 2, Map.of());
        produceThree();

        Map<String, LogDirDescription> folders =
                admin.describeLogDirs(List.of(1)).allDescriptions().get().get(1);

        assertThat(folders).containsOnlyKeys(broker.folder().toAbsolutePath().toString());
        LogDirDescription folder = folders.values().iterator().next();
        assertThat(folder.replicaInfos().get(ORDERS_0).size()).isPositive();
        assertThat(folder.replicaInfos().get(new TopicPartition("orders", 1)).size())
                .isZero();
        assertThat(folder.totalBytes()).isPresent();
        assertThat(folder.usableBytes().getAsLong())
                .isLessThanOrEqualTo(folder.totalBytes().getAsLong());
    }

    @Test
    void idempotentProducersAreTold() throws Exception {
        create("orders", 1, Map.of());
        try (TestClient client = broker.client()) {
            client.append(
                    client.find("orders"),
                    0,
                    Batches.of("first", "second").producer(7, 3, 0).bytes());
        }

        Collection<ProducerState> producers = admin.describeProducers(List.of(ORDERS_0))
                .partitionResult(ORDERS_0)
                .get()
                .activeProducers();

        assertThat(producers).singleElement().satisfies(producer -> {
            assertThat(producer.producerId()).isEqualTo(7);
            assertThat(producer.producerEpoch()).isEqualTo(3);
            assertThat(producer.lastSequence()).isEqualTo(1);
            assertThat(producer.currentTransactionStartOffset()).isEmpty();
        });
    }

    @Test
    void noPartitionIsBeingMoved() throws Exception {
        create("orders", 1, Map.of());

        assertThat(admin.listPartitionReassignments().reassignments().get()).isEmpty();
        assertThat(admin.listPartitionReassignments(Set.of(ORDERS_0))
                        .reassignments()
                        .get())
                .isEmpty();
    }

    @Test
    void theEndOfALeaderEpochIsTold() throws Exception {
        create("orders", 1, Map.of());
        produceThree();
        int now = epoch();

        assertThat(endOf(-1, now))
                .extracting(EpochEndOffset::leaderEpoch, EpochEndOffset::endOffset)
                .containsExactly(now, 3L);
        assertThat(endOf(-1, now + 1))
                .extracting(EpochEndOffset::leaderEpoch, EpochEndOffset::endOffset)
                .containsExactly(-1, -1L);
        assertThat(Errors.forCode(endOf(now + 1, now).errorCode())).isEqualTo(Errors.UNKNOWN_LEADER_EPOCH);
    }

    private int epoch() throws IOException {
        try (TestClient client = broker.client()) {
            return client.metadata("orders")
                    .topics()
                    .find("orders")
                    .partitions()
                    .getFirst()
                    .leaderEpoch();
        }
    }

    private EpochEndOffset endOf(int currentEpoch, int epoch) throws IOException {
        OffsetForLeaderEpochRequestData request = new OffsetForLeaderEpochRequestData();
        request.topics()
                .add(new OffsetForLeaderTopic()
                        .setTopic("orders")
                        .setPartitions(List.of(new OffsetForLeaderPartition()
                                .setPartition(0)
                                .setCurrentLeaderEpoch(currentEpoch)
                                .setLeaderEpoch(epoch))));
        try (TestClient client = broker.client()) {
            return client.raw
                    .ask(ApiKeys.OFFSET_FOR_LEADER_EPOCH, 4, request, OffsetForLeaderEpochResponseData.class)
                    .topics()
                    .find("orders")
                    .partitions()
                    .getFirst();
        }
    }
}
