package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sluice.testkit.Batches;
import dev.sluice.testkit.LeakCounter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatResponseData;
import org.apache.kafka.common.message.DescribeGroupsRequestData;
import org.apache.kafka.common.message.DescribeGroupsResponseData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocol;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Consumer groups, as Kafka's own consumers and its admin client see them.
@ExtendWith(LeakCounter.class)
@Timeout(180)
class GroupsTest {
    private static final String CLASSIC = "classic";
    private static final String CONSUMER = "consumer";

    private TestBroker broker;

    @BeforeEach
    void start(@TempDir Path folder) throws IOException {
        broker = TestBroker.start(folder.resolve("data"), GroupClients.QUICK_SESSIONS);
    }

    @AfterEach
    void stop() throws IOException {
        broker.close();
    }

    private void create(String topic, int partitions) throws IOException {
        try (TestClient client = broker.client()) {
            client.create(topic, partitions);
        }
    }

    private void produce(String topic, int partition, int from, int to) throws Exception {
        GroupClients.produce(
                broker.bootstrap(),
                topic,
                partition,
                IntStream.range(from, to).mapToObj(Integer::toString).toList());
    }

    private KafkaConsumer<String, String> member(String protocol, String... more) {
        return GroupClients.consumer(broker.bootstrap(), protocol, "group", more);
    }

    private static List<String> numbers(int from, int to) {
        return IntStream.range(from, to).mapToObj(Integer::toString).toList();
    }

    private static long committed(Admin admin, String topic, int partition) throws Exception {
        OffsetAndMetadata found = admin.listConsumerGroupOffsets("group")
                .partitionsToOffsetAndMetadata()
                .get()
                .get(new TopicPartition(topic, partition));
        return found == null ? -1 : found.offset();
    }

    // ---- What a group is for

    @ParameterizedTest
    @ValueSource(strings = {CLASSIC, CONSUMER})
    void aMemberGoesOnWhereItsGroupCommitted(String protocol) throws Exception {
        create("topic", 1);
        produce("topic", 0, 0, 100);
        try (KafkaConsumer<String, String> first = member(protocol, "max.poll.records", "40")) {
            first.subscribe(List.of("topic"));
            assertThat(GroupClients.poll(first, 40)).isEqualTo(numbers(0, 40));
            first.commitSync();
        }
        broker.restart();

        try (KafkaConsumer<String, String> second = member(protocol)) {
            second.subscribe(List.of("topic"));
            assertThat(GroupClients.poll(second, 60)).isEqualTo(numbers(40, 100));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {CLASSIC, CONSUMER})
    void membersShareThePartitionsAndTakeOverFromOneThatLeaves(String protocol) throws Exception {
        create("topic", 4);
        try (KafkaConsumer<String, String> one = member(protocol);
                KafkaConsumer<String, String> other = member(protocol)) {
            one.subscribe(List.of("topic"));
            other.subscribe(List.of("topic"));
            pollUntilShared(List.of(one, other), 4);
            other.close();
            await().until(() -> {
                one.poll(Duration.ofMillis(50));
                return one.assignment().size() == 4;
            });
        }
    }

    /// Until each of them has its equal share of so many partitions.
    private static void pollUntilShared(List<KafkaConsumer<String, String>> members, int partitions) {
        await().until(() -> {
            members.forEach(member -> member.poll(Duration.ofMillis(50)));
            Set<TopicPartition> assigned = new HashSet<>();
            members.forEach(member -> assigned.addAll(member.assignment()));
            return assigned.size() == partitions
                    && members.stream().allMatch(member -> member.assignment().size() == partitions / members.size());
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {CLASSIC, CONSUMER})
    void aGroupOfBothProtocolsIsOneGroup(String first) throws Exception {
        create("topic", 2);
        String second = first.equals(CLASSIC) ? CONSUMER : CLASSIC;
        try (KafkaConsumer<String, String> one = member(first);
                KafkaConsumer<String, String> other = member(second)) {
            one.subscribe(List.of("topic"));
            other.subscribe(List.of("topic"));
            pollUntilShared(List.of(one, other), 2);
        }
    }

    /// Kafka's coordinator answers UNKNOWN_SERVER_ERROR here, which ends a consumer.
    @Test
    void whoJoinsInAClassicGroupsFirstRebalanceIsToldToAskAgain() throws Exception {
        broker.close();
        broker.set("group.initial.rebalance.delay.ms", "5000");
        broker.start();
        create("topic", 1);
        ConsumerGroupHeartbeatRequestData joining = new ConsumerGroupHeartbeatRequestData()
                .setGroupId("group")
                .setMemberId("modern")
                .setMemberEpoch(0)
                .setRebalanceTimeoutMs(60_000)
                .setTopicPartitions(List.of())
                .setSubscribedTopicNames(List.of("topic"));
        try (TestClient classic = broker.client();
                TestClient modern = broker.client()) {
            classic.raw.send(ApiKeys.JOIN_GROUP, 3, classicMember());
            await().until(() -> state(modern).equals("PreparingRebalance"));

            assertThat(beat(modern, joining)).isEqualTo(Errors.COORDINATOR_LOAD_IN_PROGRESS);

            await().until(() -> beat(modern, joining) == Errors.NONE);
        }
    }

    private static JoinGroupRequestData classicMember() {
        JoinGroupRequestData join = new JoinGroupRequestData()
                .setGroupId("group")
                .setSessionTimeoutMs(60_000)
                .setRebalanceTimeoutMs(60_000)
                .setProtocolType("consumer");
        ByteBuffer subscription = ConsumerProtocol.serializeSubscription(new Subscription(List.of("topic")));
        byte[] metadata = new byte[subscription.remaining()];
        subscription.get(metadata);
        join.protocols().add(new JoinGroupRequestProtocol().setName("range").setMetadata(metadata));
        return join;
    }

    private static Errors beat(TestClient client, ConsumerGroupHeartbeatRequestData heartbeat) throws IOException {
        return Errors.forCode(client.raw
                .ask(ApiKeys.CONSUMER_GROUP_HEARTBEAT, 1, heartbeat, ConsumerGroupHeartbeatResponseData.class)
                .errorCode());
    }

    private static String state(TestClient client) throws IOException {
        return client.raw
                .ask(
                        ApiKeys.DESCRIBE_GROUPS,
                        5,
                        new DescribeGroupsRequestData().setGroups(List.of("group")),
                        DescribeGroupsResponseData.class)
                .groups()
                .getFirst()
                .groupState();
    }

    @ParameterizedTest
    @ValueSource(strings = {CLASSIC, CONSUMER})
    void newPartitionsAndTopicsReachTheMembers(String protocol) throws Exception {
        create("some-1", 1);
        try (KafkaConsumer<String, String> member = member(protocol, "metadata.max.age.ms", "200")) {
            member.subscribe(Pattern.compile("some-.*"));
            await().until(() -> {
                member.poll(Duration.ofMillis(50));
                return member.assignment().size() == 1;
            });
            create("some-2", 2);
            await().until(() -> {
                member.poll(Duration.ofMillis(50));
                return member.assignment().size() == 3;
            });
        }
    }

    /// A static member that comes back in time finds its partitions, and nobody else notices.
    @ParameterizedTest
    @ValueSource(strings = {CLASSIC, CONSUMER})
    void aStaticMemberComesBackWithoutARebalance(String protocol) throws Exception {
        create("topic", 2);
        int[] rebalances = {0};
        ConsumerRebalanceListener counting = new ConsumerRebalanceListener() {
            @Override
            public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                rebalances[0]++;
            }

            @Override
            public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                rebalances[0]++;
            }
        };
        String[] patient = protocol.equals(CLASSIC) ? new String[] {"session.timeout.ms", "30000"} : new String[0];
        if (protocol.equals(CONSUMER)) {
            broker.close();
            broker.set("group.consumer.session.timeout.ms", "30000");
            broker.start();
        }
        try (KafkaConsumer<String, String> stays = member(protocol, patient)) {
            stays.subscribe(List.of("topic"), counting);
            Set<TopicPartition> had;
            try (KafkaConsumer<String, String> restarted = staticMember(protocol, patient)) {
                restarted.subscribe(List.of("topic"));
                pollUntilShared(List.of(stays, restarted), 2);
                had = Set.copyOf(restarted.assignment());
            }
            int before = rebalances[0];
            try (KafkaConsumer<String, String> restarted = staticMember(protocol, patient)) {
                restarted.subscribe(List.of("topic"));
                await().until(() -> {
                    stays.poll(Duration.ofMillis(20));
                    restarted.poll(Duration.ofMillis(50));
                    return !restarted.assignment().isEmpty();
                });
                assertThat(restarted.assignment()).isEqualTo(had);
                assertThat(rebalances[0]).isEqualTo(before);
            }
        }
    }

    private KafkaConsumer<String, String> staticMember(String protocol, String... more) {
        String[] all = Stream.concat(Arrays.stream(more), Stream.of("group.instance.id", "static"))
                .toArray(String[]::new);
        return member(protocol, all);
    }

    // ---- Administration

    @ParameterizedTest
    @ValueSource(strings = {CLASSIC, CONSUMER})
    void groupsAreListedDescribedAndDeleted(String protocol) throws Exception {
        create("topic", 1);
        produce("topic", 0, 0, 10);
        try (Admin admin = GroupClients.admin(broker.bootstrap())) {
            assertThat(admin.listGroups().all().get()).isEmpty();
            try (KafkaConsumer<String, String> member = member(protocol, "client.id", "somebody")) {
                member.subscribe(List.of("topic"));
                GroupClients.poll(member, 10);
                member.commitSync();

                var described = admin.describeConsumerGroups(List.of("group"))
                        .describedGroups()
                        .get("group")
                        .get();
                assertThat(described.groupState()).isEqualTo(GroupState.STABLE);
                assertThat(described.type()).isEqualTo(GroupType.parse(protocol));
                assertThat(described.members()).singleElement().satisfies(each -> {
                    assertThat(each.clientId()).isEqualTo("somebody");
                    assertThat(each.host()).isEqualTo("/127.0.0.1");
                    assertThat(each.assignment().topicPartitions()).containsExactly(new TopicPartition("topic", 0));
                });
                assertThatThrownBy(() -> admin.deleteConsumerGroups(List.of("group"))
                                .all()
                                .get())
                        .cause()
                        .isInstanceOf(GroupNotEmptyException.class);
            }
            assertThat(admin.listGroups().all().get())
                    .singleElement()
                    .satisfies(each -> assertThat(each.groupId()).isEqualTo("group"));
            admin.deleteConsumerGroups(List.of("group")).all().get();

            assertThat(admin.listGroups().all().get()).isEmpty();
            assertThatThrownBy(() ->
                            admin.deleteConsumerGroups(List.of("group")).all().get())
                    .cause()
                    .isInstanceOf(GroupIdNotFoundException.class);
            assertThat(committed(admin, "topic", 0)).isEqualTo(-1);
        }
    }

    @Test
    void offsetsAreResetAndDeleted() throws Exception {
        create("topic", 2);
        TopicPartition first = new TopicPartition("topic", 0);
        TopicPartition second = new TopicPartition("topic", 1);
        try (Admin admin = GroupClients.admin(broker.bootstrap())) {
            admin.alterConsumerGroupOffsets(
                            "group", Map.of(first, new OffsetAndMetadata(7), second, new OffsetAndMetadata(8, "why")))
                    .all()
                    .get();
            admin.deleteConsumerGroupOffsets("group", Set.of(first)).all().get();

            broker.restart();
        }
        try (Admin admin = GroupClients.admin(broker.bootstrap())) {
            var found = admin.listConsumerGroupOffsets("group")
                    .partitionsToOffsetAndMetadata()
                    .get();
            assertThat(found).containsOnlyKeys(second);
            assertThat(found.get(second).offset()).isEqualTo(8);
            assertThat(found.get(second).metadata()).isEqualTo("why");
        }
    }

    // ---- Offsets go with what they belong to

    @Test
    void aTopicsOffsetsGoWithIt() throws Exception {
        create("topic", 1);
        try (Admin admin = GroupClients.admin(broker.bootstrap());
                TestClient client = broker.client()) {
            commit(admin, "topic", 5);
            client.delete("topic");
            client.create("topic", 1);

            assertThat(committed(admin, "topic", 0)).isEqualTo(-1);
        }
    }

    /// Nobody has asked for a group since the start, so nobody is there to hear of the deletion.
    @Test
    void aTopicsOffsetsGoWithItThoughNoCoordinatorIsLoaded() throws Exception {
        create("topic", 1);
        create("stays", 1);
        try (Admin admin = GroupClients.admin(broker.bootstrap())) {
            commit(admin, "topic", 5);
            commit(admin, "stays", 6);
        }
        broker.restart();
        try (TestClient client = broker.client()) {
            client.delete("topic");
            client.create("topic", 1);
        }
        try (Admin admin = GroupClients.admin(broker.bootstrap())) {
            assertThat(committed(admin, "topic", 0)).isEqualTo(-1);
            assertThat(committed(admin, "stays", 0)).isEqualTo(6);
        }
    }

    @Test
    void offsetsExpireWhenTheirGroupHasHadNoMemberForLong() throws Exception {
        AtomicLong aheadMs = new AtomicLong();
        broker.close();
        broker.set("offsets.retention.minutes", "10", "offsets.retention.check.interval.ms", "50");
        broker.clock = () -> Instant.now().plusMillis(aheadMs.get());
        broker.start();
        create("topic", 1);
        try (Admin admin = GroupClients.admin(broker.bootstrap())) {
            commit(admin, "topic", 5);
            aheadMs.set(Duration.ofMinutes(8).toMillis());
            commit(admin, "topic", 6); // begins anew
            aheadMs.set(Duration.ofMinutes(16).toMillis());
            assertThat(committed(admin, "topic", 0)).isEqualTo(6);

            aheadMs.set(Duration.ofMinutes(32).toMillis());
            await().until(() -> committed(admin, "topic", 0) == -1);
        }
    }

    private static void commit(Admin admin, String topic, long offset) throws ExecutionException, InterruptedException {
        admin.alterConsumerGroupOffsets("group", Map.of(new TopicPartition(topic, 0), new OffsetAndMetadata(offset)))
                .all()
                .get();
    }

    // ---- The broker's side

    @Test
    void whoOnlyLooksAroundMakesNoTopic() throws Exception {
        try (Admin admin = GroupClients.admin(broker.bootstrap())) {
            assertThat(admin.listGroups().all().get()).isEmpty();
        }
        try (TestClient client = broker.client()) {
            assertThat(client.metadata().topics()).isEmpty();
        }
        assertThat(Thread.getAllStackTraces().keySet())
                .noneMatch(thread -> thread.getName().contains("group"));
    }

    @Test
    void theTopicOfOffsetsIsTheBrokersOwn() throws Exception {
        create("topic", 1);
        try (Admin admin = GroupClients.admin(broker.bootstrap());
                TestClient client = broker.client()) {
            assertThat(Errors.forCode(client.tryCreate("__consumer_offsets", 1).errorCode()))
                    .isEqualTo(Errors.INVALID_TOPIC_EXCEPTION);
            commit(admin, "topic", 5);
            var topic = client.metadata("__consumer_offsets").topics().find("__consumer_offsets");
            assertThat(topic.isInternal()).isTrue();
            var ref = client.find("__consumer_offsets");
            assertThat(Errors.forCode(
                            client.produce(ref, 0, Batches.of("x").bytes()).errorCode()))
                    .isEqualTo(Errors.INVALID_TOPIC_EXCEPTION);
            assertThat(client.delete("__consumer_offsets")).isEqualTo(Errors.INVALID_REQUEST);
            assertThat(committed(admin, "topic", 0)).isEqualTo(5);
        }
    }

    /// The classic protocol keeps a member waiting until the others have come. A broker that is told to stop does
    /// not.
    @Test
    void aStopDoesNotWaitForARebalance() throws Exception {
        create("topic", 1);
        try (KafkaConsumer<String, String> silent = member(CLASSIC, "session.timeout.ms", "60000");
                KafkaConsumer<String, String> waits = member(CLASSIC, "default.api.timeout.ms", "1000")) {
            silent.subscribe(List.of("topic"));
            await().until(() -> {
                silent.poll(Duration.ofMillis(50));
                return !silent.assignment().isEmpty();
            });
            waits.subscribe(List.of("topic"));
            waits.poll(Duration.ofMillis(300)); // joins, and is answered when the other has joined again

            broker.stop(); // fails when connections are left
        }
    }
}
