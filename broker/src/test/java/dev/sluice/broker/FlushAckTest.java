package dev.sluice.broker;

import static dev.sluice.broker.TestClient.ALL;
import static dev.sluice.broker.TestClient.produceRequest;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.GateFaults;
import dev.sluice.testkit.LeakCounter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// Produce with `sluice.flush.policy=ack`, on a broker with one event loop and a device that is held or fails.
@ExtendWith(LeakCounter.class)
@Timeout(180)
class FlushAckTest {
    @TempDir
    Path temporary;

    private TestBroker broker;
    private TestClient client;
    private TestClient other;
    private TopicRef topic;
    private TopicRef loose;

    @BeforeEach
    void start() throws IOException {
        broker = TestBroker.start(temporary.resolve("data"), "num.network.threads", "1");
        client = broker.client();
        other = broker.client();
        topic = client.create("kept", 2, "sluice.flush.policy", "ack");
        loose = client.create("loose", 1);
        client.append(topic, 0, Batches.of("first").bytes());
        client.append(topic, 1, Batches.of("first").bytes());
        client.append(loose, 0, Batches.of("first").bytes());
    }

    @AfterEach
    void stop() throws IOException {
        client.close();
        other.close();
        broker.close();
    }

    private int send(TestClient by, byte[] batch) throws IOException {
        return send(by, produceRequest(TestClient.PRODUCE, ALL, topic, 0, batch));
    }

    private static int send(TestClient by, ProduceRequestData request) throws IOException {
        return by.raw.send(ApiKeys.PRODUCE, TestClient.PRODUCE, request);
    }

    private static PartitionProduceResponse answer(TestClient to, int correlationId) throws IOException {
        return TestClient.only(
                to.raw.answer(ApiKeys.PRODUCE, TestClient.PRODUCE, correlationId, ProduceResponseData.class));
    }

    private static Errors error(PartitionProduceResponse answer) {
        return Errors.forCode(answer.errorCode());
    }

    private GateFaults.Selection flushesOf(int partition) {
        return broker.faults.on(Call.FDATASYNC).of("*/kept-" + partition + "/*.log");
    }

    @Test
    void theAnswerWaitsForTheDeviceAndTheLoopDoesNot() throws Exception {
        CountDownLatch device = new CountDownLatch(1);
        GateFaults.Fault held = flushesOf(0).waitsFor(device);
        int sent = send(client, Batches.of("second").bytes());
        held.awaitHits(1);

        // The same loop serves others meanwhile, and shows them nothing of it.
        assertThat(other.append(loose, 0, Batches.of("x").bytes())).isEqualTo(1);
        assertThat(other.append(topic, 1, Batches.of("x").bytes())).isEqualTo(1);
        assertThat(other.endOffset(topic, 0)).isEqualTo(1);
        assertThat(other.read(topic, 0, 1)).isEmpty();

        device.countDown();
        PartitionProduceResponse answer = answer(client, sent);
        assertThat(error(answer)).isEqualTo(Errors.NONE);
        assertThat(answer.baseOffset()).isEqualTo(1);
        assertThat(other.endOffset(topic, 0)).isEqualTo(2);
        assertThat(other.read(topic, 0, 1)).isNotEmpty();
    }

    @Test
    void aRetryIsNotAcknowledgedBeforeWhatItRepeatsIs() throws Exception {
        byte[] batch = Batches.of("once").producer(client.producerId(), 0, 0).bytes();
        CountDownLatch device = new CountDownLatch(1);
        GateFaults.Fault held = flushesOf(0).waitsFor(device);
        int sent = send(client, batch);
        held.awaitHits(1);
        int again = send(other, batch);
        // A third connection is answered behind it.
        try (TestClient third = broker.client()) {
            assertThat(third.endOffset(topic, 0)).isEqualTo(1);
        }
        assertThat(other.raw.hasUnread()).isFalse();

        device.countDown();

        assertThat(answer(client, sent).baseOffset()).isEqualTo(1);
        assertThat(answer(other, again).baseOffset()).isEqualTo(1);
        assertThat(other.endOffset(topic, 0)).isEqualTo(2);
    }

    @Test
    void aFailedFlushIsAnsweredAsAnErrorAndStopsThatPartitionAlone() throws Exception {
        GateFaults.Fault lost = flushesOf(0).times(1).fails(Errno.EIO);
        ProduceRequestData request = produceRequest(
                TestClient.PRODUCE, ALL, topic, 0, Batches.of("lost").bytes());
        TestClient.add(request, TestClient.PRODUCE, topic, 1, Batches.of("kept").bytes());
        int sent = send(client, request);
        ProduceResponseData answer =
                client.raw.answer(ApiKeys.PRODUCE, TestClient.PRODUCE, sent, ProduceResponseData.class);
        var partitions = answer.responses().iterator().next().partitionResponses();

        assertThat(lost.hits()).isEqualTo(1);
        assertThat(error(partitions.get(0))).isEqualTo(Errors.KAFKA_STORAGE_ERROR);
        assertThat(partitions.get(0).baseOffset()).isEqualTo(-1);
        assertThat(error(partitions.get(1))).isEqualTo(Errors.NONE);
        assertThat(partitions.get(1).baseOffset()).isEqualTo(1);

        PartitionProduceResponse next =
                client.produce(topic, 0, Batches.of("refused").bytes());
        assertThat(error(next)).isEqualTo(Errors.KAFKA_STORAGE_ERROR);
        assertThat(next.errorMessage()).contains("EIO", "restarted");
        assertThat(client.endOffset(topic, 0)).isEqualTo(1);
        Map<String, Object> status = Status.of(client).partition("kept", 0);
        assertThat((String) status.get("failure")).contains("EIO");
        assertThat(Status.of(client).partition("kept", 1)).doesNotContainKey("failure");

        // After the restart it was verified, and goes on.
        client.close();
        other.close();
        broker.broker().shutdown(java.time.Duration.ofMinutes(2));
        assertThat(org.assertj.core.api.Assertions.catchThrowable(
                        () -> broker.broker().close()))
                .isInstanceOf(IOException.class);
        broker.start();
        client = broker.client();
        other = broker.client();
        assertThat(client.append(topic, 0, Batches.of("again").bytes())).isGreaterThanOrEqualTo(1);
    }

    @Test
    void whoDoesNotWantToWaitLongerIsToldSo() throws Exception {
        CountDownLatch device = new CountDownLatch(1);
        flushesOf(0).waitsFor(device);
        ProduceRequestData request = produceRequest(
                TestClient.PRODUCE, ALL, topic, 0, Batches.of("late").bytes());
        int sent = send(client, request.setTimeoutMs(10));

        assertThat(error(answer(client, sent))).isEqualTo(Errors.REQUEST_TIMED_OUT);
        device.countDown();
        assertThat(client.append(topic, 0, Batches.of("next").bytes())).isEqualTo(2);
    }

    @Test
    void aTopicDeletedMeanwhileEndsTheWaiting() throws Exception {
        CountDownLatch device = new CountDownLatch(1);
        GateFaults.Fault held = flushesOf(0).waitsFor(device);
        int sent = send(client, Batches.of("second").bytes());
        held.awaitHits(1);

        assertThat(other.delete("kept")).isEqualTo(Errors.NONE);

        assertThat(error(answer(client, sent))).isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER);
        device.countDown();
    }

    @Test
    void whoLeavesWhileWaitingLeavesNothingBehind() throws Exception {
        CountDownLatch device = new CountDownLatch(1);
        GateFaults.Fault held = flushesOf(0).waitsFor(device);
        send(client, Batches.of("second").bytes());
        held.awaitHits(1);
        client.raw.reset();
        assertThat(other.endOffset(topic, 0)).isEqualTo(1);
        device.countDown();
        assertThat(other.append(topic, 0, Batches.of("third").bytes())).isEqualTo(2);
        client = broker.client();
    }

    @Test
    void acksZeroIsNotAnsweredAndDoesNotHoldUpTheConnection() throws Exception {
        CountDownLatch device = new CountDownLatch(1);
        flushesOf(0).waitsFor(device);
        send(
                client,
                produceRequest(
                        TestClient.PRODUCE, (short) 0, topic, 0, Batches.of("x").bytes()));

        assertThat(client.endOffset(topic, 0)).isEqualTo(1);

        device.countDown();
    }

    @Test
    void aConsumerThatWaitsIsWokenByTheFlush() throws Exception {
        int asked = other.raw.send(
                ApiKeys.FETCH,
                TestClient.FETCH,
                TestClient.fetchRequest(TestClient.FETCH, topic, 0, 1).setMaxWaitMs(60_000));
        client.append(topic, 0, Batches.of("second").bytes());
        var answer = TestClient.only(other.raw.answer(
                ApiKeys.FETCH, TestClient.FETCH, asked, org.apache.kafka.common.message.FetchResponseData.class));
        assertThat(TestClient.bytes(answer.records())).isNotEmpty();
        assertThat(answer.highWatermark()).isEqualTo(2);
    }
}
