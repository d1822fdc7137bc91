package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.LeakCounter;
import dev.sluice.testkit.Seeds;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.message.FetchRequestData.ForgottenTopic;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.FetchableTopicResponse;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.assertj.core.api.Condition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// Fetch sessions (KIP-227): who has one says and is told only what has changed.
@Timeout(180)
@ExtendWith(LeakCounter.class)
class FetchSessionTest {
    private static final int NO_SESSION = 0;
    private static final int FIRST = 0;
    private static final int FINAL = -1;

    /// A partition of a topic.
    private record Part(TopicRef topic, int index) {}

    private TestBroker broker;
    private TestClient client;

    @BeforeEach
    void start(@TempDir Path folder) throws IOException {
        broker = TestBroker.start(
                folder.resolve("data"), "num.network.threads", "1", "max.incremental.fetch.session.cache.slots", "3");
        client = broker.client();
    }

    @AfterEach
    void stop() throws IOException {
        client.close();
        broker.close();
    }

    // ---- What a client sends

    private static FetchRequestData request(int session, int epoch, int maxBytes, Map<Part, Long> offsets) {
        FetchRequestData request = new FetchRequestData()
                .setMaxWaitMs(0)
                .setMinBytes(1)
                .setMaxBytes(maxBytes)
                .setSessionId(session)
                .setSessionEpoch(epoch);
        Map<TopicRef, FetchTopic> topics = new HashMap<>();
        offsets.forEach((part, offset) -> {
            FetchTopic topic = topics.computeIfAbsent(part.topic(), ref -> {
                FetchTopic added = new FetchTopic().setTopicId(ref.id());
                request.topics().add(added);
                return added;
            });
            topic.partitions()
                    .add(new FetchPartition()
                            .setPartition(part.index())
                            .setFetchOffset(offset)
                            .setPartitionMaxBytes(1 << 20));
        });
        return request;
    }

    private static FetchRequestData forgetting(FetchRequestData request, Part part) {
        request.forgottenTopicsData()
                .add(new ForgottenTopic().setTopicId(part.topic().id()).setPartitions(List.of(part.index())));
        return request;
    }

    private FetchResponseData fetch(FetchRequestData request) throws IOException {
        return client.raw.ask(ApiKeys.FETCH, TestClient.FETCH, request, FetchResponseData.class);
    }

    private FetchResponseData fetch(int session, int epoch, Map<Part, Long> offsets) throws IOException {
        return fetch(request(session, epoch, 1 << 20, offsets));
    }

    private static Map<Part, PartitionData> parts(FetchResponseData answer, TopicRef... topics) {
        assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.NONE);
        Map<Uuid, TopicRef> byId = new HashMap<>();
        for (TopicRef topic : topics) {
            byId.put(topic.id(), topic);
        }
        Map<Part, PartitionData> parts = new HashMap<>();
        for (FetchableTopicResponse topic : answer.responses()) {
            assertThat(topic.partitions()).isNotEmpty();
            for (PartitionData data : topic.partitions()) {
                assertThat(parts.put(new Part(byId.get(topic.topicId()), data.partitionIndex()), data))
                        .as("told once")
                        .isNull();
            }
        }
        return parts;
    }

    private void append(Part part, String value) throws IOException {
        client.append(part.topic(), part.index(), Batches.of(value).bytes());
    }

    // ---- One session

    @Test
    void aSessionIsToldOnlyWhatIsNew() throws IOException {
        TopicRef topic = client.create("topic", 3);
        Part zero = new Part(topic, 0);
        Part one = new Part(topic, 1);
        append(zero, "a");
        FetchResponseData first = fetch(NO_SESSION, FIRST, Map.of(zero, 0L, one, 0L));
        int session = first.sessionId();
        assertThat(session).isPositive();
        assertThat(parts(first, topic)).containsOnlyKeys(zero, one);

        assertThat(parts(fetch(session, 1, Map.of(zero, 1L)), topic))
                .as("nothing new")
                .isEmpty();

        append(one, "b");
        Map<Part, PartitionData> grown = parts(fetch(session, 2, Map.of()), topic);
        assertThat(grown).containsOnlyKeys(one);
        assertThat(TestClient.bytes(grown.get(one).records())).isNotEmpty();

        Map<Part, PartitionData> again = parts(fetch(session, 3, Map.of()), topic);
        assertThat(again).as("the offset was not moved on").containsOnlyKeys(one);

        Part two = new Part(topic, 2);
        Map<Part, PartitionData> added = parts(fetch(session, 4, Map.of(one, 1L, two, 0L)), topic);
        assertThat(added).as("a new one is told once, records or not").containsOnlyKeys(two);

        append(two, "c");
        append(zero, "d");
        FetchRequestData forgets = forgetting(request(session, 5, 1 << 20, Map.of()), two);
        assertThat(parts(fetch(forgets), topic)).containsOnlyKeys(zero);
    }

    @Test
    void anErrorIsToldUntilItIsOverAndThenItsEnd() throws IOException {
        TopicRef topic = client.create("topic", 1);
        Part zero = new Part(topic, 0);
        append(zero, "a");
        int session = fetch(NO_SESSION, FIRST, Map.of(zero, 7L)).sessionId();
        for (int epoch = 1; epoch < 3; epoch++) {
            assertThat(parts(fetch(session, epoch, Map.of()), topic))
                    .hasValueSatisfying(error(Errors.OFFSET_OUT_OF_RANGE));
        }

        assertThat(parts(fetch(session, 3, Map.of(zero, 1L)), topic)).hasValueSatisfying(error(Errors.NONE));
        assertThat(parts(fetch(session, 4, Map.of()), topic)).isEmpty();

        client.delete("topic");
        assertThat(parts(fetch(session, 5, Map.of()), topic)).hasValueSatisfying(error(Errors.UNKNOWN_TOPIC_ID));
    }

    private static Condition<PartitionData> error(Errors error) {
        return new Condition<>(data -> data.errorCode() == error.code(), error.name());
    }

    @Test
    void aLongPollOfASessionWaitsForAnyOfItsPartitions() throws IOException {
        TopicRef topic = client.create("topic", 2);
        Part zero = new Part(topic, 0);
        Part one = new Part(topic, 1);
        int session = fetch(NO_SESSION, FIRST, Map.of(zero, 0L, one, 0L)).sessionId();

        int correlationId = client.raw.send(
                ApiKeys.FETCH,
                TestClient.FETCH,
                request(session, 1, 1 << 20, Map.of()).setMaxWaitMs(60_000));
        try (TestClient other = broker.client()) {
            other.append(topic, 1, Batches.of("wakes").bytes());
        }
        FetchResponseData answer =
                client.raw.answer(ApiKeys.FETCH, TestClient.FETCH, correlationId, FetchResponseData.class);

        assertThat(parts(answer, topic)).containsOnlyKeys(one);
    }

    @Test
    void noPartitionStarvesWhenAnswersAreFull() throws IOException {
        TopicRef topic = client.create("topic", 5);
        Map<Part, Long> offsets = new HashMap<>();
        for (int i = 0; i < 5; i++) {
            offsets.put(new Part(topic, i), 0L);
            for (int k = 0; k < 3; k++) {
                append(new Part(topic, i), "record " + k);
            }
        }
        int session = fetch(request(NO_SESSION, FIRST, 1, offsets)).sessionId();
        Set<Part> served = new HashSet<>();
        for (int epoch = 1; epoch < 5; epoch++) {
            // One byte at most: a single batch, of one partition. Offsets stay, so that all could always be served.
            parts(fetch(request(session, epoch, 1, Map.of())), topic).forEach((part, data) -> {
                if (TestClient.bytes(data.records()).length > 0) {
                    served.add(part);
                }
            });
        }
        assertThat(served).as("four of five, after the first had its turn").hasSize(4);
    }

    // ---- Bad and used-up sessions

    @Test
    void whoGoesOnWithAnotherEpochIsRefused() throws IOException {
        TopicRef topic = client.create("topic", 1);
        int session = fetch(NO_SESSION, FIRST, Map.of(new Part(topic, 0), 0L)).sessionId();

        assertThat(Errors.forCode(fetch(session, 2, Map.of()).errorCode()))
                .isEqualTo(Errors.INVALID_FETCH_SESSION_EPOCH);
        assertThat(Errors.forCode(fetch(NO_SESSION, 1, Map.of()).errorCode()))
                .isEqualTo(Errors.FETCH_SESSION_ID_NOT_FOUND);
        assertThat(Errors.forCode(client.raw
                        .ask(ApiKeys.FETCH, 12, request(session, 1, 1000, Map.of()), FetchResponseData.class)
                        .errorCode()))
                .isEqualTo(Errors.FETCH_SESSION_TOPIC_ID_ERROR);
        assertThat(parts(fetch(session, 1, Map.of()), topic)).as("it goes on").isEmpty();
    }

    @Test
    void aSessionEndsWithAFullFetchOrWithItsLastPartition() throws IOException {
        TopicRef topic = client.create("topic", 1);
        Part zero = new Part(topic, 0);
        int first = fetch(NO_SESSION, FIRST, Map.of(zero, 0L)).sessionId();
        int second = fetch(first, FIRST, Map.of(zero, 0L)).sessionId();
        assertThat(second).isPositive().isNotEqualTo(first);
        assertNotFound(first);

        assertThat(fetch(second, FINAL, Map.of(zero, 0L)).sessionId()).isEqualTo(NO_SESSION);
        assertNotFound(second);

        int third = fetch(NO_SESSION, FIRST, Map.of(zero, 0L)).sessionId();
        FetchResponseData empty = fetch(forgetting(request(third, 1, 1 << 20, Map.of()), zero));
        assertThat(empty.sessionId()).isEqualTo(NO_SESSION);
        assertThat(empty.responses()).isEmpty();
        assertNotFound(third);
    }

    private void assertNotFound(int session) throws IOException {
        FetchResponseData answer = fetch(session, 1, Map.of());
        assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.FETCH_SESSION_ID_NOT_FOUND);
        assertThat(answer.sessionId()).isEqualTo(NO_SESSION);
    }

    @Test
    void whoFindsNoRoomIsServedWithoutASession() throws IOException {
        TopicRef topic = client.create("topic", 1);
        Part zero = new Part(topic, 0);
        append(zero, "a");
        int session = NO_SESSION;
        for (int i = 0; i < 3; i++) {
            session = fetch(NO_SESSION, FIRST, Map.of(zero, 0L)).sessionId();
            assertThat(session).isPositive();
        }

        FetchResponseData fourth = fetch(NO_SESSION, FIRST, Map.of(zero, 0L));

        assertThat(fourth.sessionId()).isEqualTo(NO_SESSION);
        assertThat(parts(fourth, topic)).containsOnlyKeys(zero);
        assertThat(fetch(session, FINAL, Map.of(zero, 0L)).sessionId()).isEqualTo(NO_SESSION);
        assertThat(fetch(NO_SESSION, FIRST, Map.of(zero, 0L)).sessionId())
                .as("room again")
                .isPositive();
    }

    // ---- Against a model

    /// A consumer that adds and drops partitions at random reads each record of those it follows once and in order.
    @Test
    void aSessionServesWhateverItsConsumerFollows() {
        Seeds.run(random -> {
            List<TopicRef> topics = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                topics.add(client.create("model-" + Long.toHexString(random.nextLong()), 4));
            }
            TopicRef[] all = topics.toArray(TopicRef[]::new);
            Map<Part, Long> ends = new HashMap<>();
            topics.forEach(topic -> {
                for (int i = 0; i < 4; i++) {
                    ends.put(new Part(topic, i), 0L);
                }
            });
            List<Part> parts = List.copyOf(ends.keySet());
            Map<Part, Long> followed = new HashMap<>(Map.of(parts.getFirst(), 0L));
            FetchResponseData answer = fetch(NO_SESSION, FIRST, followed);
            int session = answer.sessionId();
            for (int epoch = 1; epoch < 120; epoch++) {
                Part appended = parts.get(random.nextInt(parts.size()));
                append(appended, "x");
                ends.merge(appended, 1L, Long::sum);
                Map<Part, Long> changed = new HashMap<>();
                parts(answer, all).forEach((part, data) -> {
                    assertThat(Errors.forCode(data.errorCode())).isEqualTo(Errors.NONE);
                    long read = Batches.of("x").bytes().length;
                    long records = TestClient.bytes(data.records()).length / read;
                    if (records > 0 && followed.containsKey(part)) {
                        followed.merge(part, records, Long::sum);
                        changed.put(part, followed.get(part));
                    }
                });
                FetchRequestData request;
                Part other = parts.get(random.nextInt(parts.size()));
                if (followed.size() > 1 && followed.containsKey(other)) {
                    followed.remove(other);
                    changed.remove(other);
                    request = forgetting(request(session, epoch, 1 << 20, changed), other);
                } else {
                    followed.putIfAbsent(other, ends.get(other));
                    changed.put(other, followed.get(other));
                    request = request(session, epoch, 1 << 20, changed);
                }
                answer = fetch(request);
                assertThat(parts(answer, all).keySet()).isSubsetOf(followed.keySet());
                Map<Part, Long> told = new HashMap<>();
                parts(answer, all).forEach((part, data) -> told.put(part, data.highWatermark()));
                followed.forEach((part, offset) -> {
                    if (offset < ends.get(part)) {
                        assertThat(told).containsEntry(part, ends.get(part));
                    }
                });
            }
            fetch(session, FINAL, Map.of());
        });
    }
}
