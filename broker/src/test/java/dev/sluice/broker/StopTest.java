package dev.sluice.broker;

import static dev.sluice.broker.TestClient.ALL;
import static dev.sluice.broker.TestClient.FETCH;
import static dev.sluice.broker.TestClient.fetchRequest;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.io.linux.Call;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.GateFaults;
import dev.sluice.testkit.LeakCounter;
import dev.sluice.testkit.RawKafkaClient;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// How a broker ends: everybody gets the answers that he waits for, and nothing stays open.
@ExtendWith(LeakCounter.class)
class StopTest {
    private static final int AN_HOUR_MS = 3_600_000;
    private static final Duration LONG = Duration.ofSeconds(60);

    @TempDir
    private Path folder;

    private TestBroker start(String... settings) throws IOException {
        return TestBroker.start(folder.resolve("data"), settings);
    }

    // ---- Draining

    @Test
    void fetchesThatWaitAreAnsweredWithWhatThereIs() throws Exception {
        try (TestBroker broker = start("num.network.threads", "2");
                TestClient producer = broker.client();
                TestClient one = broker.client();
                TestClient other = broker.client()) {
            TopicRef topic = producer.create("topic", 1);
            byte[] batch = Batches.of("a little").bytes();
            int nothing = one.raw.send(
                    ApiKeys.FETCH, FETCH, fetchRequest(FETCH, topic, 0, 0).setMaxWaitMs(AN_HOUR_MS));
            int little = other.raw.send(
                    ApiKeys.FETCH,
                    FETCH,
                    fetchRequest(FETCH, topic, 0, 0).setMaxWaitMs(AN_HOUR_MS).setMinBytes(1_000_000));
            awaitReceived(producer, one);
            awaitReceived(producer, other);
            producer.append(topic, 0, batch);
            assertThat(TestClient.only(one.raw.answer(ApiKeys.FETCH, FETCH, nothing, FetchResponseData.class))
                            .highWatermark())
                    .isEqualTo(1);
            nothing = one.raw.send(
                    ApiKeys.FETCH, FETCH, fetchRequest(FETCH, topic, 0, 1).setMaxWaitMs(AN_HOUR_MS));
            awaitReceived(producer, one);

            assertThat(broker.broker().shutdown(LONG)).isTrue();

            assertThat(records(one, nothing)).isEmpty();
            assertThat(records(other, little)).isEqualTo(Batches.stored(batch, 0, 0));
            assertThat(one.raw.readUntilClosed()).isEmpty();
            assertThat(other.raw.readUntilClosed()).isEmpty();
            assertThat(producer.raw.readUntilClosed()).isEmpty();
        }
    }

    private static byte[] records(TestClient client, int correlationId) throws IOException {
        var partition =
                TestClient.only(client.raw.answer(ApiKeys.FETCH, FETCH, correlationId, FetchResponseData.class));
        assertThat(Errors.forCode(partition.errorCode())).isEqualTo(Errors.NONE);
        return TestClient.bytes(partition.records());
    }

    private static void awaitReceived(TestClient observer, TestClient client) {
        await().atMost(LONG)
                .until(() ->
                        Status.of(observer).connectionBytes(client.peerName(), Call.RECV) == client.raw.sentBytes());
    }

    @Test
    void newConnectionsAreRefusedOnceItDrains() throws Exception {
        try (TestBroker broker = start()) {
            assertThat(broker.broker().shutdown(LONG)).isTrue();

            assertThatThrownBy(broker::client).isInstanceOf(ConnectException.class);
        }
    }

    @Test
    void whatWasProducedInABurstIsAnsweredOrNotStored() throws Exception {
        int burst = 2000;
        int acknowledged = 0;
        try (TestBroker broker = start();
                TestClient client = broker.client()) {
            TopicRef topic = client.create("topic", 1);
            ByteArrayOutputStream frames = new ByteArrayOutputStream();
            byte[] batch = Batches.of("x").bytes();
            for (int i = 0; i < burst; i++) {
                frames.writeBytes(RawKafkaClient.frame(
                        ApiKeys.PRODUCE, 13, i, TestClient.produceRequest(13, ALL, topic, 0, batch)));
            }
            // The broker stops in the middle of the burst, when the hundredth batch is written.
            CompletableFuture<Boolean> drained = new CompletableFuture<>();
            broker.faults
                    .on(Call.PWRITE)
                    .of("*/topic-0/*.log")
                    .from(100)
                    .times(1)
                    .runs(() -> drained.completeAsync(() -> shutdown(broker)));
            client.raw.sendBytes(frames.toByteArray());
            for (Optional<ByteBuffer> answer = client.raw.readFrameOrEnd();
                    answer.isPresent();
                    answer = client.raw.readFrameOrEnd()) {
                assertThat(TestClient.only(RawKafkaClient.parse(
                                        ApiKeys.PRODUCE, 13, acknowledged, answer.get(), ProduceResponseData.class))
                                .baseOffset())
                        .isEqualTo(acknowledged);
                acknowledged++;
            }
            assertThat(drained.get(60, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(acknowledged).isGreaterThanOrEqualTo(100);
        try (TestBroker again = start();
                TestClient client = again.client()) {
            assertThat(again.broker().recoveryReport().clean()).isTrue();
            assertThat(client.endOffset(client.find("topic"), 0)).isEqualTo(acknowledged);
        }
    }

    private static boolean shutdown(TestBroker broker) {
        try {
            return broker.broker().shutdown(LONG);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Test
    void aTopicThatIsBeingMadeIsMadeAndAnswered() throws Exception {
        try (TestBroker broker = start();
                TestClient client = broker.client()) {
            CountDownLatch release = new CountDownLatch(1);
            GateFaults.Fault held =
                    broker.faults.on(Call.MKDIR).of("*/topic-0").times(1).waitsFor(release);
            int create = client.raw.send(ApiKeys.CREATE_TOPICS, 7, TestClient.createRequest("topic", 1));
            held.awaitHits(1);
            CompletableFuture<Boolean> drained = CompletableFuture.supplyAsync(() -> shutdown(broker));
            release.countDown();

            assertThat(Errors.forCode(client.raw
                            .answer(ApiKeys.CREATE_TOPICS, 7, create, CreateTopicsResponseData.class)
                            .topics()
                            .iterator()
                            .next()
                            .errorCode()))
                    .isEqualTo(Errors.NONE);
            assertThat(drained.get(60, TimeUnit.SECONDS)).isTrue();
        }
        try (TestBroker again = start();
                TestClient client = again.client()) {
            client.find("topic");
        }
    }

    @Test
    void whoDoesNotReadHisAnswerIsCutWhenTheGraceIsOver() throws Exception {
        try (TestBroker broker = start();
                TestClient client = broker.client();
                TestClient slow = TestClient.connect(broker.address(), 8 << 10)) {
            TopicRef topic = client.create("topic", 1);
            byte[] batch = Batches.of("x".repeat(1_000_000)).bytes();
            for (int i = 0; i < 16; i++) {
                client.append(topic, 0, batch);
            }
            slow.raw.send(ApiKeys.FETCH, FETCH, fetchRequest(FETCH, topic, 0, 0));
            await().atMost(LONG).until(() -> Status.of(client).connectionBytes(slow.peerName(), Call.SENDFILE) > 0);

            assertThat(broker.broker().shutdown(Duration.ofMillis(100))).isFalse();
            assertThat(client.raw.readUntilClosed()).isEmpty();
            broker.broker().close();

            assertThat(slow.raw.readUntilClosed().length).isLessThan(16_000_000);
        }
    }

    @Test
    void halfARequestIsNotWaitedFor() throws Exception {
        try (TestBroker broker = start();
                TestClient observer = broker.client();
                TestClient client = broker.client()) {
            client.raw.sendBytes(ByteBuffer.allocate(100).putInt(1000).array());
            awaitReceived(observer, client);

            assertThat(broker.broker().shutdown(LONG)).isTrue();
            assertThat(client.raw.readUntilClosed()).isEmpty();
        }
    }

    // ---- Closing

    @Test
    void closingAloneCutsConnectionsAndLeavesTheFolderClean() throws Exception {
        try (TestBroker broker = start();
                TestClient client = broker.client()) {
            TopicRef topic = client.create("topic", 1);
            client.append(topic, 0, Batches.of("kept").bytes());
            client.raw.send(
                    ApiKeys.FETCH, FETCH, fetchRequest(FETCH, topic, 0, 1).setMaxWaitMs(AN_HOUR_MS));

            broker.broker().close();

            assertThat(client.raw.readUntilClosed()).isEmpty();
        }
        try (TestBroker again = start();
                TestClient client = again.client()) {
            assertThat(again.broker().recoveryReport().clean()).isTrue();
            assertThat(client.endOffset(client.find("topic"), 0)).isEqualTo(1);
        }
    }

    /// The connection is accepted while the broker ends: its loop has gone before it could be handed over.
    @Test
    void aConnectionThatComesTooLateIsClosed() throws Exception {
        TestBroker broker = start("num.network.threads", "2");
        CountDownLatch release = new CountDownLatch(1);
        // Listeners give connections to their loops in turns, so one of these two is for the other loop.
        GateFaults.Fault held =
                broker.faults.on(Call.SETSOCKOPT).of("127.0.0.1:*").times(1).waitsFor(release);
        try (TestClient first = broker.client();
                TestClient second = broker.client()) {
            held.awaitHits(1);
            CompletableFuture<Void> closed = CompletableFuture.runAsync(() -> {
                try {
                    broker.close();
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            await().atMost(LONG).until(() -> loops() == 1);
            release.countDown();
            closed.get(60, TimeUnit.SECONDS);

            assertThat(first.raw.readUntilClosed()).isEmpty();
            assertThat(second.raw.readUntilClosed()).isEmpty();
        }
    }

    private static long loops() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("sluice-loop-"))
                .count();
    }

    @Test
    void manyConnectionsComingWhileItClosesLeaveNothingOpen() throws Exception {
        try (ExecutorService threads = Executors.newCachedThreadPool()) {
            for (int i = 0; i < 15; i++) {
                TestBroker broker = start("num.network.threads", "3");
                AtomicBoolean over = new AtomicBoolean();
                CountDownLatch connected = new CountDownLatch(20);
                List<Future<?>> connectors = new ArrayList<>();
                for (int c = 0; c < 3; c++) {
                    connectors.add(threads.submit(() -> {
                        while (!over.get()) {
                            try (TestClient client = broker.client()) {
                                client.metadata();
                            } catch (IOException e) {
                                // The broker ends; that it leaves nothing behind is what counts.
                            }
                            connected.countDown();
                        }
                    }));
                }
                connected.await();
                broker.close();
                over.set(true);
                for (Future<?> connector : connectors) {
                    connector.get();
                }
            }
        }
    }
}
