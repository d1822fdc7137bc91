package dev.sluice.broker;

import static dev.sluice.broker.TestClient.FETCH;
import static dev.sluice.broker.TestClient.add;
import static dev.sluice.broker.TestClient.bytes;
import static dev.sluice.broker.TestClient.fetchRequest;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.io.linux.Call;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.GateFaults;
import dev.sluice.testkit.LeakCounter;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.management.ObjectName;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// Fetches that wait for records: what ends the waiting, and what it brings.
///
/// A fetch that is to be woken asks to wait for an hour, so one that is not woken fails its test by the client's
/// patience. Three loops: appends and waiting fetches meet on different threads.
@ExtendWith(LeakCounter.class)
class LongPollTest {
    private static final int AN_HOUR_MS = 3_600_000;
    private static final AtomicInteger TOPICS = new AtomicInteger();

    private static TestBroker broker;
    private static TestClient observer;
    private TestClient producer;
    private TestClient consumer;
    private TopicRef topic;

    @BeforeAll
    static void start(@TempDir Path folder) throws IOException {
        broker = TestBroker.start(folder.resolve("data"), "num.network.threads", "3");
        observer = broker.client();
    }

    @AfterAll
    static void stop() throws IOException {
        observer.close();
        broker.close();
    }

    @BeforeEach
    void connect() throws IOException {
        producer = broker.client();
        consumer = broker.client();
        topic = producer.create("t" + TOPICS.incrementAndGet(), 2);
    }

    @AfterEach
    void disconnect() throws IOException {
        producer.close();
        consumer.close();
    }

    private FetchRequestData waiting(long offset) {
        return fetchRequest(FETCH, topic, 0, offset).setMaxWaitMs(AN_HOUR_MS);
    }

    /// Sends a fetch, and waits until the broker has received it.
    private static int park(TestClient client, FetchRequestData request) throws IOException {
        int correlationId = client.raw.send(ApiKeys.FETCH, FETCH, request);
        awaitReceived(List.of(client));
        return correlationId;
    }

    private static void awaitReceived(List<TestClient> clients) {
        await().pollInterval(Duration.ofMillis(1))
                .atMost(Duration.ofSeconds(60))
                .until(() -> {
                    Status status = Status.of(observer);
                    return clients.stream()
                            .allMatch(client ->
                                    status.connectionBytes(client.peerName(), Call.RECV) == client.raw.sentBytes());
                });
    }

    private static byte[] recordsOf(TestClient client, int correlationId) throws IOException {
        PartitionData partition =
                TestClient.only(client.raw.answer(ApiKeys.FETCH, FETCH, correlationId, FetchResponseData.class));
        assertThat(Errors.forCode(partition.errorCode())).isEqualTo(Errors.NONE);
        return bytes(partition.records());
    }

    // ---- What ends the waiting

    @Test
    void anAppendEndsIt() throws Exception {
        byte[] batch = Batches.of("a").bytes();
        int fetch = park(consumer, waiting(0));

        producer.append(topic, 0, batch);

        assertThat(recordsOf(consumer, fetch)).isEqualTo(Batches.stored(batch, 0, 0));
    }

    @Test
    void anAppendOnAnotherLoopEndsIt() throws Exception {
        Set<String> loops = ConcurrentHashMap.newKeySet();
        GateFaults.Fault seen = broker.faults
                .on(Call.RECV)
                .of("127.0.0.1:*")
                .runs(() -> loops.add(Thread.currentThread().getName()));
        List<TestClient> consumers = new ArrayList<>();
        List<Integer> fetches = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            TestClient one = broker.client();
            consumers.add(one);
            fetches.add(park(one, waiting(0)));
        }
        assertThat(loops).as("loops that serve the fetches").hasSize(3);
        seen.heal();

        producer.append(topic, 0, Batches.of("a").bytes());

        for (int i = 0; i < consumers.size(); i++) {
            assertThat(recordsOf(consumers.get(i), fetches.get(i))).isNotEmpty();
            consumers.get(i).close();
        }
    }

    @Test
    void theEndOfItsTimeEndsIt() throws IOException {
        PartitionData partition = consumer.fetch(FETCH, waiting(0).setMaxWaitMs(20));

        assertThat(Errors.forCode(partition.errorCode())).isEqualTo(Errors.NONE);
        assertThat(bytes(partition.records())).isEmpty();
    }

    @Test
    void theEndOfItsTimeBringsTheLittleThereIs() throws IOException {
        byte[] batch = Batches.of("a").bytes();
        producer.append(topic, 0, batch);

        PartitionData partition =
                consumer.fetch(FETCH, waiting(0).setMinBytes(1_000_000).setMaxWaitMs(20));

        assertThat(bytes(partition.records())).isEqualTo(Batches.stored(batch, 0, 0));
    }

    @Test
    void waitsForAsManyBytesAsItAsksFor() throws Exception {
        byte[] batch = Batches.of("abc").bytes();
        int fetch = park(consumer, waiting(0).setMinBytes(3 * batch.length));

        for (int i = 0; i < 3; i++) {
            producer.append(topic, 0, batch);
        }

        // Had it been answered before the third append, it would have brought less.
        assertThat(recordsOf(consumer, fetch)).hasSize(3 * batch.length);
    }

    @Test
    void waitsForTheBytesOfAllItsPartitionsTogether() throws Exception {
        byte[] batch = Batches.of("abc").bytes();
        FetchRequestData request = waiting(0).setMinBytes(2 * batch.length);
        add(request, FETCH, topic, 1, 0, Integer.MAX_VALUE);
        int fetch = park(consumer, request);

        producer.append(topic, 0, batch);
        producer.append(topic, 1, batch);

        FetchResponseData answer = consumer.raw.answer(ApiKeys.FETCH, FETCH, fetch, FetchResponseData.class);
        assertThat(answer.responses().getFirst().partitions())
                .extracting(partition -> bytes(partition.records()).length)
                .containsExactly(batch.length, batch.length);
    }

    @Test
    void waitsForNoMoreThanItsLimitAllows() throws IOException {
        byte[] batch = Batches.of("abc").bytes();
        for (int i = 0; i < 3; i++) {
            producer.append(topic, 0, batch);
        }

        // As in Kafka: who asks for at least more than at most is answered with the most.
        PartitionData partition =
                consumer.fetch(FETCH, waiting(0).setMinBytes(1_000_000).setMaxBytes(2 * batch.length));

        assertThat(bytes(partition.records())).hasSize(2 * batch.length);
    }

    @Test
    void whoAsksForNoBytesDoesNotWait() throws IOException {
        assertThat(bytes(consumer.fetch(FETCH, waiting(0).setMinBytes(0)).records()))
                .isEmpty();
    }

    @Test
    void anErrorIsNotWaitedWith() throws IOException {
        FetchRequestData request = waiting(0);
        add(request, FETCH, topic, 7, 0, Integer.MAX_VALUE);

        FetchResponseData answer = consumer.raw.ask(ApiKeys.FETCH, FETCH, request, FetchResponseData.class);

        assertThat(answer.responses().getFirst().partitions())
                .extracting(partition -> Errors.forCode(partition.errorCode()))
                .containsExactly(Errors.NONE, Errors.UNKNOWN_TOPIC_OR_PARTITION);
    }

    @Test
    void anAppendToAnotherPartitionDoesNotEndIt() throws Exception {
        byte[] batch = Batches.of("right").bytes();
        int fetch = park(consumer, waiting(0));
        producer.append(topic, 1, Batches.of("wrong").bytes());
        producer.append(topic, 0, batch);

        assertThat(recordsOf(consumer, fetch)).isEqualTo(Batches.stored(batch, 0, 0));
    }

    @Test
    void aRefusedAppendDoesNotEndIt() throws Exception {
        byte[] batch = Batches.of("right").bytes();
        int fetch = park(consumer, waiting(0));
        producer.produce(topic, 0, Batches.withWrongCrc(batch));
        producer.append(topic, 0, batch);

        assertThat(recordsOf(consumer, fetch)).isEqualTo(Batches.stored(batch, 0, 0));
    }

    @Test
    void theDeletionOfItsTopicEndsIt() throws Exception {
        int fetch = park(consumer, waiting(0));

        assertThat(producer.delete(topic.name())).isEqualTo(Errors.NONE);

        PartitionData partition =
                TestClient.only(consumer.raw.answer(ApiKeys.FETCH, FETCH, fetch, FetchResponseData.class));
        assertThat(Errors.forCode(partition.errorCode())).isEqualTo(Errors.UNKNOWN_TOPIC_ID);
    }

    @Test
    void theNextRequestOfItsConnectionWaitsBehindIt() throws Exception {
        byte[] batch = Batches.of("a").bytes();
        int fetch = park(consumer, waiting(0));
        int next = consumer.raw.send(ApiKeys.FETCH, FETCH, fetchRequest(FETCH, topic, 1, 0));

        producer.append(topic, 0, batch);

        assertThat(recordsOf(consumer, fetch)).isEqualTo(Batches.stored(batch, 0, 0));
        assertThat(recordsOf(consumer, next)).isEmpty();
    }

    // ---- The peer ends it

    @Test
    void aPeerThatClosedItsSideGetsItsAnswer() throws Exception {
        int fetch = park(consumer, waiting(0));

        consumer.raw.shutdownOutput();

        assertThat(recordsOf(consumer, fetch)).isEmpty();
        assertThat(consumer.raw.readUntilClosed()).isEmpty();
    }

    @Test
    void aPeerThatClosedItsSideBeforeItWasHeardGetsItsAnswer(@TempDir Path folder) throws Exception {
        try (TestBroker oneLoop = TestBroker.start(folder.resolve("data"), "num.network.threads", "1");
                TestClient busy = oneLoop.client();
                TestClient late = oneLoop.client()) {
            TopicRef one = busy.create("one", 1);
            CountDownLatch release = new CountDownLatch(1);
            GateFaults.Fault held = oneLoop.faults
                    .on(Call.RECV)
                    .of("*:" + busy.raw.localAddress().getPort())
                    .times(1)
                    .waitsFor(release);
            int ping = busy.raw.send(ApiKeys.FETCH, FETCH, fetchRequest(FETCH, one, 0, 0));
            held.awaitHits(1);

            // The loop is held, so that request and end come to it in one event.
            int fetch = late.raw.send(
                    ApiKeys.FETCH, FETCH, fetchRequest(FETCH, one, 0, 0).setMaxWaitMs(AN_HOUR_MS));
            late.raw.shutdownOutput();
            release.countDown();

            assertThat(recordsOf(busy, ping)).isEmpty();
            assertThat(recordsOf(late, fetch)).isEmpty();
            assertThat(late.raw.readUntilClosed()).isEmpty();
        }
    }

    @Test
    void abandonedFetchesLeaveNothingBehind() throws Exception {
        // Each request has a place that is used again. One that is never given back would be one more each time.
        for (int i = 0; i < 20; i++) {
            abandonOne(i);
        }
        long before = liveFetches();
        for (int i = 0; i < 300; i++) {
            abandonOne(i);
        }
        await().atMost(60, TimeUnit.SECONDS)
                .untilAsserted(() -> assertThat(liveFetches()).isLessThan(before + 20));

        assertThat(producer.append(topic, 0, Batches.of("a").bytes())).isZero();
    }

    private void abandonOne(int number) throws IOException {
        try (TestClient one = broker.client()) {
            park(one, waiting(0));
            if (number % 2 == 0) {
                one.raw.reset();
            }
        }
    }

    private static long liveFetches() throws Exception {
        String histogram = (String) ManagementFactory.getPlatformMBeanServer()
                .invoke(
                        new ObjectName("com.sun.management:type=DiagnosticCommand"),
                        "gcClassHistogram",
                        new Object[] {new String[0]},
                        new String[] {String[].class.getName()});
        Matcher line = Pattern.compile("\\s(\\d+)\\s+\\d+\\s+dev\\.sluice\\.broker\\.api\\.PendingFetch\\b")
                .matcher(histogram);
        assertThat(line.find()).isTrue();
        return Long.parseLong(line.group(1));
    }

    // ---- Many

    @Test
    void oneAppendEndsTwoHundred() throws Exception {
        byte[] batch = Batches.of("for all of you").bytes();
        List<TestClient> consumers = new ArrayList<>();
        List<Integer> fetches = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            TestClient one = broker.client();
            consumers.add(one);
            fetches.add(one.raw.send(ApiKeys.FETCH, FETCH, waiting(0)));
        }
        awaitReceived(consumers);

        producer.append(topic, 0, batch);

        for (int i = 0; i < consumers.size(); i++) {
            assertThat(recordsOf(consumers.get(i), fetches.get(i))).isEqualTo(Batches.stored(batch, 0, 0));
            consumers.get(i).close();
        }
    }

    @Test
    void oneFetchWaitsForManyPartitions() throws Exception {
        TopicRef wide = producer.create("wide", 50);
        FetchRequestData request = fetchRequest().setMaxWaitMs(AN_HOUR_MS);
        for (int i = 0; i < 1000; i++) {
            add(request, FETCH, wide, i % 50, 0, Integer.MAX_VALUE);
        }
        int fetch = park(consumer, request);

        producer.append(wide, 49, Batches.of("a").bytes());

        FetchResponseData answer = consumer.raw.answer(ApiKeys.FETCH, FETCH, fetch, FetchResponseData.class);
        assertThat(answer.responses().getFirst().partitions()).hasSize(1000);
        assertThat(answer.responses().getFirst().partitions().stream()
                        .mapToInt(partition -> bytes(partition.records()).length)
                        .sum())
                .isPositive();
    }
}
