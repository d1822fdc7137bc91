package dev.sluice.broker;

import static dev.sluice.broker.TestClient.FETCH;
import static dev.sluice.broker.TestClient.add;
import static dev.sluice.broker.TestClient.bytes;
import static dev.sluice.broker.TestClient.fetchRequest;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.LeakCounter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What a fetch that need not wait brings: which bytes, how many of them, which errors.
@ExtendWith(LeakCounter.class)
class FetchTest {
    /// Three batches, of 2, 3 and 1 records.
    private static final byte[][] STORED = {
        Batches.stored(Batches.of("a", "b").bytes(), 0, 0),
        Batches.stored(Batches.of("c", "d".repeat(200), "e").bytes(), 2, 0),
        Batches.stored(Batches.of("f").bytes(), 5, 0)
    };

    private static final byte[] ALL = Batches.concat(STORED);
    private static final int NO_SESSION = 0;

    private static TestBroker broker;
    private static TestClient client;
    private static TopicRef topic;
    private static TopicRef other;

    @BeforeAll
    static void start(@TempDir Path folder) throws IOException {
        broker = TestBroker.start(folder.resolve("data"), "auto.create.topics.enable", "false");
        client = broker.client();
        topic = client.create("topic", 3);
        other = client.create("other", 1);
        fill(topic, 0);
        fill(topic, 1);
        fill(other, 0);
    }

    private static void fill(TopicRef target, int partition) throws IOException {
        client.append(target, partition, Batches.of("a", "b").bytes());
        client.append(target, partition, Batches.of("c", "d".repeat(200), "e").bytes());
        client.append(target, partition, Batches.of("f").bytes());
    }

    @AfterAll
    static void stop() throws IOException {
        client.close();
        broker.close();
    }

    static List<Integer> versions() {
        return TestClient.versions(ApiKeys.FETCH);
    }

    // ---- Which bytes

    @ParameterizedTest
    @MethodSource("versions")
    void bringsTheStoredBytesInEveryVersion(int version) throws IOException {
        FetchResponseData answer =
                client.raw.ask(ApiKeys.FETCH, version, fetchRequest(version, topic, 0, 0), FetchResponseData.class);

        assertThat(answer.throttleTimeMs()).isZero();
        assertThat(answer.sessionId()).isEqualTo(NO_SESSION);
        PartitionData partition = TestClient.only(answer);
        assertThat(Errors.forCode(partition.errorCode())).isEqualTo(Errors.NONE);
        assertThat(partition.partitionIndex()).isZero();
        assertThat(partition.highWatermark()).isEqualTo(6);
        assertThat(partition.lastStableOffset()).isEqualTo(6);
        assertThat(partition.logStartOffset()).isEqualTo(version >= 5 ? 0 : -1);
        assertThat(partition.preferredReadReplica()).isEqualTo(-1);
        assertThat(bytes(partition.records())).isEqualTo(ALL);
        if (version >= TestClient.FIRST_FETCH_BY_ID) {
            assertThat(answer.responses().getFirst().topicId()).isEqualTo(topic.id());
        } else {
            assertThat(answer.responses().getFirst().topic()).isEqualTo("topic");
        }
    }

    @ParameterizedTest
    @MethodSource("versions")
    void namesNoAbortedTransactionsToWhoReadsWhatIsCommitted(int version) throws IOException {
        FetchRequestData request = fetchRequest(version, topic, 0, 0).setIsolationLevel((byte) 1);

        PartitionData partition = client.fetch(version, request);

        assertThat(partition.abortedTransactions()).isEmpty();
        assertThat(partition.lastStableOffset()).isEqualTo(6);
        assertThat(bytes(partition.records())).isEqualTo(ALL);
    }

    @ParameterizedTest
    @ValueSource(longs = {2, 3, 4})
    void bringsTheWholeBatchThatTheOffsetLiesIn(long offset) throws IOException {
        assertThat(client.read(topic, 0, offset)).isEqualTo(Batches.concat(STORED[1], STORED[2]));
    }

    @Test
    void bringsNothingAtTheEnd() throws IOException {
        PartitionData partition = client.fetch(FETCH, fetchRequest(FETCH, topic, 0, 6));

        assertThat(Errors.forCode(partition.errorCode())).isEqualTo(Errors.NONE);
        assertThat(bytes(partition.records())).isEmpty();
        assertThat(partition.highWatermark()).isEqualTo(6);
    }

    @ParameterizedTest
    @MethodSource("versions")
    void bringsSeveralPartitionsOfSeveralTopicsAtOnce(int version) throws IOException {
        FetchRequestData request = fetchRequest();
        add(request, version, topic, 1, 0, Integer.MAX_VALUE);
        add(request, version, topic, 2, 0, Integer.MAX_VALUE);
        add(request, version, topic, 0, 5, Integer.MAX_VALUE);
        add(request, version, other, 0, 2, Integer.MAX_VALUE);

        FetchResponseData answer = client.raw.ask(ApiKeys.FETCH, version, request, FetchResponseData.class);

        assertThat(answer.responses()).hasSize(2);
        List<PartitionData> ofTopic = answer.responses().get(0).partitions();
        assertThat(ofTopic).extracting(PartitionData::partitionIndex).containsExactly(1, 2, 0);
        assertThat(bytes(ofTopic.get(0).records())).isEqualTo(ALL);
        assertThat(bytes(ofTopic.get(1).records())).isEmpty();
        assertThat(bytes(ofTopic.get(2).records())).isEqualTo(STORED[2]);
        List<PartitionData> ofOther = answer.responses().get(1).partitions();
        assertThat(bytes(ofOther.getFirst().records())).isEqualTo(Batches.concat(STORED[1], STORED[2]));
    }

    @Test
    void readsOnBehindTheEndOfASegment() throws IOException {
        TopicRef rolled = client.create("rolled", 1, "segment.bytes", "200");
        byte[][] stored = new byte[5][];
        for (int i = 0; i < stored.length; i++) {
            byte[] batch = Batches.of("value-" + i + "x".repeat(60)).bytes();
            stored[i] = Batches.stored(batch, client.append(rolled, 0, batch), 0);
        }
        try (var files = Files.list(broker.folder().resolve("rolled-0"))) {
            assertThat(files.filter(file -> file.toString().endsWith(".log"))).hasSizeGreaterThan(2);
        }

        byte[] all = new byte[0];
        for (int offset = 0; offset < stored.length; ) {
            byte[] part = client.read(rolled, 0, offset);
            assertThat(part).isNotEmpty();
            all = Batches.concat(all, part);
            offset += part.length / stored[0].length;
        }
        assertThat(all).isEqualTo(Batches.concat(stored));
    }

    @Test
    void answersARequestForNoTopics() throws IOException {
        FetchResponseData answer = client.raw.ask(ApiKeys.FETCH, FETCH, fetchRequest(), FetchResponseData.class);

        assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.NONE);
        assertThat(answer.responses()).isEmpty();
    }

    // ---- How many bytes

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 60, 61})
    void bringsTheFirstBatchWholeHoweverSmallTheLimit(int limit) throws IOException {
        FetchRequestData byPartition = fetchRequest();
        add(byPartition, FETCH, topic, 0, 3, limit);
        assertThat(bytes(client.fetch(FETCH, byPartition).records())).isEqualTo(STORED[1]);

        FetchRequestData byRequest = fetchRequest(FETCH, topic, 0, 3).setMaxBytes(limit);
        assertThat(bytes(client.fetch(FETCH, byRequest).records())).isEqualTo(STORED[1]);
    }

    @Test
    void bringsNoMoreThanTheLimitOfAPartition() throws IOException {
        int limit = STORED[0].length + STORED[1].length + 10;
        FetchRequestData request = fetchRequest();
        add(request, FETCH, topic, 0, 0, limit);

        byte[] records = bytes(client.fetch(FETCH, request).records());

        assertThat(records).hasSizeLessThanOrEqualTo(limit).startsWith(Batches.concat(STORED[0], STORED[1]));
        assertThat(ALL).startsWith(records); // a consumer drops the part of a batch at the end
    }

    @Test
    void bringsNoMoreThanTheLimitOfTheRequest() throws IOException {
        int limit = ALL.length + STORED[0].length;
        FetchRequestData request = fetchRequest().setMaxBytes(limit);
        add(request, FETCH, topic, 0, 0, Integer.MAX_VALUE);
        add(request, FETCH, topic, 1, 0, Integer.MAX_VALUE);
        add(request, FETCH, other, 0, 0, Integer.MAX_VALUE);

        FetchResponseData answer = client.raw.ask(ApiKeys.FETCH, FETCH, request, FetchResponseData.class);

        byte[] first = bytes(answer.responses().get(0).partitions().get(0).records());
        byte[] second = bytes(answer.responses().get(0).partitions().get(1).records());
        byte[] third = bytes(answer.responses().get(1).partitions().get(0).records());
        assertThat(first).isEqualTo(ALL);
        assertThat(second).isEqualTo(STORED[0]);
        assertThat(third).isEmpty();
    }

    @Test
    void oneBatchAboveTheLimitLeavesNoRoomForOthers() throws IOException {
        FetchRequestData request = fetchRequest().setMaxBytes(1);
        add(request, FETCH, topic, 0, 0, Integer.MAX_VALUE);
        add(request, FETCH, topic, 1, 0, Integer.MAX_VALUE);

        FetchResponseData answer = client.raw.ask(ApiKeys.FETCH, FETCH, request, FetchResponseData.class);

        List<PartitionData> partitions = answer.responses().getFirst().partitions();
        assertThat(bytes(partitions.get(0).records())).isEqualTo(STORED[0]);
        assertThat(bytes(partitions.get(1).records())).isEmpty();
    }

    @Test
    void theFirstPartitionWithRecordsGetsItsBatch() throws IOException {
        FetchRequestData request = fetchRequest().setMaxBytes(1);
        add(request, FETCH, topic, 2, 0, Integer.MAX_VALUE);
        add(request, FETCH, topic, 1, 0, Integer.MAX_VALUE);

        FetchResponseData answer = client.raw.ask(ApiKeys.FETCH, FETCH, request, FetchResponseData.class);

        List<PartitionData> partitions = answer.responses().getFirst().partitions();
        assertThat(bytes(partitions.get(0).records())).isEmpty();
        assertThat(bytes(partitions.get(1).records())).isEqualTo(STORED[0]);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, Integer.MIN_VALUE})
    void aNegativeLimitIsLikeNone(int limit) throws IOException {
        FetchRequestData request = fetchRequest().setMaxBytes(limit);
        add(request, FETCH, topic, 0, 0, limit);

        assertThat(bytes(client.fetch(FETCH, request).records())).isEqualTo(STORED[0]);
    }

    // ---- Errors

    @ParameterizedTest
    @MethodSource("versions")
    void aTopicThatDoesNotExistIsUnknown(int version) throws IOException {
        TopicRef unknown = new TopicRef("unknown", new Uuid(1, 2));

        PartitionData partition = client.fetch(version, fetchRequest(version, unknown, 0, 0));

        assertThat(Errors.forCode(partition.errorCode()))
                .isEqualTo(
                        version < TestClient.FIRST_FETCH_BY_ID
                                ? Errors.UNKNOWN_TOPIC_OR_PARTITION
                                : Errors.UNKNOWN_TOPIC_ID);
        assertThat(bytes(partition.records())).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {3, -1, Integer.MAX_VALUE, Integer.MIN_VALUE})
    void aPartitionThatDoesNotExistIsUnknown(int partition) throws IOException {
        for (int version : versions()) {
            assertThat(Errors.forCode(client.fetch(version, fetchRequest(version, topic, partition, 0))
                            .errorCode()))
                    .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, 7, Long.MAX_VALUE, Long.MIN_VALUE})
    void anOffsetOutsideOfTheLogIsOutOfRange(long offset) throws IOException {
        for (int version : versions()) {
            PartitionData partition = client.fetch(version, fetchRequest(version, topic, 0, offset));

            assertThat(Errors.forCode(partition.errorCode())).isEqualTo(Errors.OFFSET_OUT_OF_RANGE);
            assertThat(bytes(partition.records())).isEmpty();
        }
    }

    @Test
    void anErrorOfOnePartitionIsNotThatOfAnother() throws IOException {
        FetchRequestData request = fetchRequest();
        add(request, FETCH, topic, 0, 77, Integer.MAX_VALUE);
        add(request, FETCH, topic, 1, 0, Integer.MAX_VALUE);
        add(request, FETCH, new TopicRef("unknown", new Uuid(1, 2)), 0, 0, Integer.MAX_VALUE);

        FetchResponseData answer = client.raw.ask(ApiKeys.FETCH, FETCH, request, FetchResponseData.class);

        List<PartitionData> partitions = answer.responses().get(0).partitions();
        assertThat(Errors.forCode(partitions.get(0).errorCode())).isEqualTo(Errors.OFFSET_OUT_OF_RANGE);
        assertThat(Errors.forCode(partitions.get(1).errorCode())).isEqualTo(Errors.NONE);
        assertThat(bytes(partitions.get(1).records())).isEqualTo(ALL);
        assertThat(Errors.forCode(
                        answer.responses().get(1).partitions().getFirst().errorCode()))
                .isEqualTo(Errors.UNKNOWN_TOPIC_ID);
    }

    @Test
    void aSessionThatDoesNotExistIsNotFound() throws IOException {
        for (int version : versions().stream().filter(each -> each >= 7).toList()) {
            FetchRequestData request =
                    fetchRequest(version, topic, 0, 0).setSessionId(4711).setSessionEpoch(3);

            FetchResponseData answer = client.raw.ask(ApiKeys.FETCH, version, request, FetchResponseData.class);

            assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.FETCH_SESSION_ID_NOT_FOUND);
            assertThat(answer.sessionId()).isEqualTo(NO_SESSION);
            assertThat(answer.responses()).isEmpty();
        }
    }

    @Test
    void anOldVersionThatAsksForASessionGetsNoneAndItsRecords() throws IOException {
        for (int version = 7; version < TestClient.FIRST_FETCH_BY_ID; version++) {
            FetchRequestData request =
                    fetchRequest(version, topic, 0, 0).setSessionId(0).setSessionEpoch(0);

            FetchResponseData answer = client.raw.ask(ApiKeys.FETCH, version, request, FetchResponseData.class);

            assertThat(answer.sessionId()).isEqualTo(NO_SESSION);
            assertThat(bytes(TestClient.only(answer).records())).isEqualTo(ALL);
        }
    }

    @Test
    void theBrokersOwnLogCantBeFetched() throws IOException {
        TopicRef own = new TopicRef("__sluice_catalogue", new Uuid(0x5375696365000000L, 1));
        for (int version : versions()) {
            PartitionData partition = client.fetch(version, fetchRequest(version, own, 0, 0));

            assertThat(partition.errorCode()).isNotZero();
            assertThat(bytes(partition.records())).isEmpty();
        }
    }

    // ---- Leader epochs

    @Test
    void anEpochThatIsNotTheLeadersIsRefused(@TempDir Path folder) throws Exception {
        try (TestBroker epochs = TestBroker.start(folder.resolve("data"))) {
            TopicRef one;
            try (TestClient before = epochs.client()) {
                one = before.create("one", 1);
                before.append(one, 0, Batches.of("a").bytes());
            }
            epochs.stop();
            // One line: epoch 5 begins at offset 0. Only a restored or a replicated log has such epochs yet.
            Files.writeString(epochs.folder().resolve("one-0/leader-epoch-checkpoint"), "0\n1\n5 0\n");
            epochs.start();
            try (TestClient after = epochs.client()) {
                assertThat(errorOfEpoch(after, one, 4)).isEqualTo(Errors.FENCED_LEADER_EPOCH);
                assertThat(errorOfEpoch(after, one, 6)).isEqualTo(Errors.UNKNOWN_LEADER_EPOCH);
                assertThat(errorOfEpoch(after, one, 5)).isEqualTo(Errors.NONE);
                assertThat(errorOfEpoch(after, one, -1)).isEqualTo(Errors.NONE);
                assertThat(after.metadata("one")
                                .topics()
                                .find("one")
                                .partitions()
                                .getFirst()
                                .leaderEpoch())
                        .isEqualTo(5);
            }
        }
    }

    private static Errors errorOfEpoch(TestClient asker, TopicRef one, int epoch) throws IOException {
        FetchRequestData request = fetchRequest();
        add(request, FETCH, one, 0, 0, Integer.MAX_VALUE).setCurrentLeaderEpoch(epoch);
        return Errors.forCode(asker.fetch(FETCH, request).errorCode());
    }
}
