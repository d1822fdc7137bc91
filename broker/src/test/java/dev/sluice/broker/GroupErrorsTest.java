package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.testkit.LeakCounter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ConsumerGroupDescribeRequestData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.apache.kafka.common.message.DeleteGroupsRequestData;
import org.apache.kafka.common.message.DescribeGroupsRequestData;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocol;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocolCollection;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.LeaveGroupRequestData.MemberIdentity;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.OffsetDeleteRequestData;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestPartition;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestTopic;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// What a request about a group is answered that can't be granted: the error codes are those that Kafka 4.3.1 gave to
/// the same requests.
@ExtendWith(LeakCounter.class)
@Timeout(180)
class GroupErrorsTest {
    private static final Pattern ERROR = Pattern.compile("errorCode=(-?\\d+)");
    private static final int MANY = 1 << 12;
    private static final Uuid NO_TOPIC = new Uuid(1, 2);

    private static TestBroker broker;
    private static TestClient client;
    private static TopicRef topic;

    @BeforeAll
    static void start(@TempDir Path folder) throws IOException {
        broker = TestBroker.start(folder.resolve("data"), "group.consumer.session.timeout.ms", "600000");
        client = broker.client();
        topic = client.create("topic", 1);
        // A group of the consumer protocol with one member, at epoch 1.
        require(
                ApiKeys.CONSUMER_GROUP_HEARTBEAT,
                beat("group", "member", 0)
                        .setRebalanceTimeoutMs(60_000)
                        .setTopicPartitions(List.of())
                        .setSubscribedTopicNames(List.of("topic")),
                Errors.NONE);
    }

    @AfterAll
    static void stop() throws IOException {
        client.close();
        broker.close();
    }

    private static JoinGroupRequestData join(String group, String member, int sessionMs, String type, String... named) {
        JoinGroupRequestData request = new JoinGroupRequestData()
                .setGroupId(group)
                .setMemberId(member)
                .setSessionTimeoutMs(sessionMs)
                .setRebalanceTimeoutMs(sessionMs)
                .setProtocolType(type);
        for (String name : named) {
            request.protocols().add(new JoinGroupRequestProtocol().setName(name).setMetadata(new byte[] {1}));
        }
        return request;
    }

    private static ConsumerGroupHeartbeatRequestData beat(String group, String member, int epoch) {
        return new ConsumerGroupHeartbeatRequestData()
                .setGroupId(group)
                .setMemberId(member)
                .setMemberEpoch(epoch);
    }

    private static OffsetCommitRequestData commit(
            String group, String member, int generation, Uuid of, int partition, String metadata) {
        return new OffsetCommitRequestData()
                .setGroupId(group)
                .setMemberId(member)
                .setGenerationIdOrMemberEpoch(generation)
                .setTopics(List.of(new OffsetCommitRequestTopic()
                        .setTopicId(of)
                        .setPartitions(List.of(new OffsetCommitRequestPartition()
                                .setPartitionIndex(partition)
                                .setCommittedOffset(1)
                                .setCommittedMetadata(metadata)))));
    }

    private static SyncGroupRequestData sync(String group) {
        return new SyncGroupRequestData()
                .setGroupId(group)
                .setMemberId("nobody")
                .setGenerationId(1)
                .setProtocolType("consumer")
                .setProtocolName("range");
    }

    private static Arguments of(ApiKeys api, ApiMessage request, Errors... errors) {
        return Arguments.of(api, request, errors);
    }

    static Stream<Arguments> requests() {
        return Stream.of(
                of(
                        ApiKeys.FIND_COORDINATOR,
                        new FindCoordinatorRequestData().setKeyType((byte) 9).setCoordinatorKeys(List.of("group")),
                        Errors.NONE,
                        Errors.INVALID_REQUEST),
                of(ApiKeys.JOIN_GROUP, join("", "", 10_000, "consumer", "range"), Errors.INVALID_GROUP_ID),
                of(ApiKeys.JOIN_GROUP, join("new", "", 1, "consumer", "range"), Errors.INVALID_SESSION_TIMEOUT),
                of(
                        ApiKeys.JOIN_GROUP,
                        join("new", "", Integer.MAX_VALUE, "consumer", "range"),
                        Errors.INVALID_SESSION_TIMEOUT),
                of(ApiKeys.JOIN_GROUP, join("new", "nobody", 10_000, "consumer", "range"), Errors.UNKNOWN_MEMBER_ID),
                of(ApiKeys.JOIN_GROUP, join("new", "", 10_000, "consumer"), Errors.INCONSISTENT_GROUP_PROTOCOL),
                of(ApiKeys.JOIN_GROUP, join("new", "", 10_000, "consumer", "range"), Errors.MEMBER_ID_REQUIRED),
                of(ApiKeys.JOIN_GROUP, join("group", "", 10_000, "connect", "x"), Errors.INCONSISTENT_GROUP_PROTOCOL),
                of(ApiKeys.SYNC_GROUP, sync(""), Errors.INVALID_GROUP_ID),
                of(ApiKeys.SYNC_GROUP, sync("unknown"), Errors.UNKNOWN_MEMBER_ID),
                of(ApiKeys.SYNC_GROUP, sync("group").setProtocolType(null), Errors.INCONSISTENT_GROUP_PROTOCOL),
                of(
                        ApiKeys.HEARTBEAT,
                        new HeartbeatRequestData().setGroupId("unknown").setMemberId("nobody"),
                        Errors.UNKNOWN_MEMBER_ID),
                of(
                        ApiKeys.HEARTBEAT,
                        new HeartbeatRequestData()
                                .setGroupId("group")
                                .setMemberId("member")
                                .setGenerationId(1),
                        Errors.UNKNOWN_MEMBER_ID),
                of(
                        ApiKeys.LEAVE_GROUP,
                        new LeaveGroupRequestData()
                                .setGroupId("unknown")
                                .setMembers(List.of(new MemberIdentity().setMemberId("nobody"))),
                        Errors.NONE,
                        Errors.UNKNOWN_MEMBER_ID),
                of(ApiKeys.OFFSET_COMMIT, commit("unknown", "nobody", 5, topic.id(), 0, ""), Errors.GROUP_ID_NOT_FOUND),
                of(ApiKeys.OFFSET_COMMIT, commit("simple", "", -1, NO_TOPIC, 0, ""), Errors.UNKNOWN_TOPIC_ID),
                of(
                        ApiKeys.OFFSET_COMMIT,
                        commit("simple", "", -1, topic.id(), 7, ""),
                        Errors.UNKNOWN_TOPIC_OR_PARTITION),
                of(
                        ApiKeys.OFFSET_COMMIT,
                        commit("simple", "", -1, topic.id(), 0, "m".repeat(5_000)),
                        Errors.OFFSET_METADATA_TOO_LARGE),
                of(ApiKeys.OFFSET_COMMIT, commit("group", "member", 90, topic.id(), 0, ""), Errors.STALE_MEMBER_EPOCH),
                of(ApiKeys.OFFSET_COMMIT, commit("group", "nobody", 1, topic.id(), 0, ""), Errors.UNKNOWN_MEMBER_ID),
                of(ApiKeys.OFFSET_COMMIT, commit("group", "", -1, topic.id(), 0, ""), Errors.UNKNOWN_MEMBER_ID),
                of(
                        ApiKeys.OFFSET_FETCH,
                        new OffsetFetchRequestData()
                                .setGroups(List.of(new OffsetFetchRequestGroup()
                                        .setGroupId("unknown")
                                        .setTopics(List.of(new OffsetFetchRequestTopics()
                                                .setTopicId(NO_TOPIC)
                                                .setPartitionIndexes(List.of(0)))))),
                        Errors.NONE,
                        Errors.UNKNOWN_TOPIC_ID,
                        Errors.NONE),
                of(ApiKeys.OFFSET_DELETE, deletion("", "topic"), Errors.INVALID_GROUP_ID),
                of(ApiKeys.OFFSET_DELETE, deletion("unknown", "topic"), Errors.GROUP_ID_NOT_FOUND),
                of(ApiKeys.OFFSET_DELETE, deletion("group", "topic"), Errors.NONE, Errors.GROUP_SUBSCRIBED_TO_TOPIC),
                of(ApiKeys.OFFSET_DELETE, deletion("group", "nowhere"), Errors.NONE, Errors.UNKNOWN_TOPIC_OR_PARTITION),
                of(
                        ApiKeys.DESCRIBE_GROUPS,
                        new DescribeGroupsRequestData().setGroups(List.of("unknown", "group")),
                        Errors.GROUP_ID_NOT_FOUND,
                        Errors.GROUP_ID_NOT_FOUND),
                of(
                        ApiKeys.CONSUMER_GROUP_DESCRIBE,
                        new ConsumerGroupDescribeRequestData().setGroupIds(List.of("")),
                        Errors.INVALID_GROUP_ID),
                of(
                        ApiKeys.CONSUMER_GROUP_DESCRIBE,
                        new ConsumerGroupDescribeRequestData().setGroupIds(List.of("unknown")),
                        Errors.GROUP_ID_NOT_FOUND),
                of(
                        ApiKeys.DELETE_GROUPS,
                        new DeleteGroupsRequestData().setGroupsNames(List.of("group")),
                        Errors.NON_EMPTY_GROUP),
                of(ApiKeys.CONSUMER_GROUP_HEARTBEAT, beat("", "member", 0), Errors.INVALID_REQUEST),
                of(ApiKeys.CONSUMER_GROUP_HEARTBEAT, beat("unknown", "member", 5), Errors.GROUP_ID_NOT_FOUND),
                of(ApiKeys.CONSUMER_GROUP_HEARTBEAT, beat("group", "member", 50), Errors.FENCED_MEMBER_EPOCH),
                of(ApiKeys.CONSUMER_GROUP_HEARTBEAT, beat("group", "nobody", 1), Errors.UNKNOWN_MEMBER_ID),
                of(ApiKeys.CONSUMER_GROUP_HEARTBEAT, beat("group", "member", -5), Errors.INVALID_REQUEST),
                of(
                        ApiKeys.CONSUMER_GROUP_HEARTBEAT,
                        joining("odd").setServerAssignor("odd"),
                        Errors.UNSUPPORTED_ASSIGNOR),
                of(
                        ApiKeys.CONSUMER_GROUP_HEARTBEAT,
                        joining("odd").setSubscribedTopicRegex("(["),
                        Errors.INVALID_REGULAR_EXPRESSION));
    }

    private static ConsumerGroupHeartbeatRequestData joining(String group) {
        return beat(group, "member", 0)
                .setRebalanceTimeoutMs(60_000)
                .setTopicPartitions(List.of())
                .setSubscribedTopicNames(List.of());
    }

    private static OffsetDeleteRequestData deletion(String group, String topicName) {
        OffsetDeleteRequestData request = new OffsetDeleteRequestData().setGroupId(group);
        request.topics()
                .add(new OffsetDeleteRequestTopic()
                        .setName(topicName)
                        .setPartitions(List.of(new OffsetDeleteRequestPartition().setPartitionIndex(0))));
        return request;
    }

    @ParameterizedTest
    @MethodSource("requests")
    void isAnsweredAsByKafka(ApiKeys api, ApiMessage request, Errors... errors) throws IOException {
        require(api, request, errors);
    }

    /// @param errors all error codes of the answer, in the order of its fields
    private static void require(ApiKeys api, ApiMessage request, Errors... errors) throws IOException {
        ApiMessage answer = client.raw.ask(
                api,
                api.latestVersion(false),
                request,
                api.messageType.newResponse().getClass());
        List<Errors> found = ERROR.matcher(answer.toString())
                .results()
                .map((MatchResult each) -> Errors.forCode(Short.parseShort(each.group(1))))
                .toList();
        assertThat(found).as("%s", answer).containsExactly(errors);
    }

    /// So many names that fall onto one slot of a hash table would keep a thread busy for minutes.
    @Test
    void aMemberWithManyProtocolsOfOneHashCodeIsCutOff() throws IOException {
        try (TestClient attacker = broker.client()) {
            JoinGroupRequestData request = join("group", "", 10_000, "consumer");
            // With room for all, or the test would be kept busy itself.
            request.setProtocols(new JoinGroupRequestProtocolCollection(MANY + 2));
            for (int i = 0; i < MANY; i++) {
                StringBuilder name = new StringBuilder();
                for (int bit = 1; bit < MANY; bit <<= 1) {
                    name.append((i & bit) == 0 ? "Aa" : "BB"); // of equal hash codes
                }
                request.protocols().add(new JoinGroupRequestProtocol().setName(name.toString()));
            }
            attacker.raw.send(ApiKeys.JOIN_GROUP, 9, request);
            assertThat(attacker.raw.readFrameOrEnd()).isEmpty();
        }
    }
}
