package dev.sluice.broker;

import static dev.sluice.broker.TestClient.ALL;
import static dev.sluice.broker.TestClient.PRODUCE;
import static dev.sluice.broker.TestClient.produceRequest;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.GateFaults;
import dev.sluice.testkit.LeakCounter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
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

/// Small batches for one partition that many connections have sent by the time their loop looks: it is kept from
/// looking by a write that does not return before all have.
@Timeout(120)
@ExtendWith(LeakCounter.class)
class ProduceTogetherTest {
    private static final int PRODUCERS = 12;

    @TempDir
    Path folder;

    private final CountDownLatch allSent = new CountDownLatch(1);
    private final List<TestClient> producers = new ArrayList<>();
    private final List<Integer> sent = new ArrayList<>();
    private TestBroker broker;
    private TestClient client;
    private TopicRef topic;

    /// Is named in each request behind that topic; null for none.
    private TopicRef empty;

    private GateFaults.Fault written;
    private boolean hasFailed;

    @BeforeEach
    void aTopicWithOneBatch() throws IOException {
        broker = TestBroker.start(folder.resolve("data"), "num.network.threads", "1", "sluice.disk.patience.ms", "0");
        client = broker.client();
        topic = client.create("topic", 1);
        client.append(topic, 0, batch(0));
        written = broker.faults.on(Call.PWRITE).of("*/topic-0/*.log").isCounted();
    }

    @AfterEach
    void close() throws IOException {
        for (TestClient producer : producers) {
            producer.close();
        }
        client.close();
        if (hasFailed) {
            assertThatThrownBy(broker::close).hasMessageContaining("EIO"); // so that nobody takes it for a clean end
        } else {
            broker.close();
        }
    }

    private static byte[] batch(int seed) {
        return Batches.random(new Random(seed), 1, 500 + seed).bytes();
    }

    private ProduceRequestData request(int producer) {
        ProduceRequestData request = produceRequest(PRODUCE, ALL, topic, 0, batch(producer + 1));
        if (empty != null) {
            TestClient.add(request, PRODUCE, empty, 0, batch(0));
            request.topicData().find("", empty.id()).partitionData().clear();
        }
        return request;
    }

    private void send() throws Exception {
        GateFaults.Fault held =
                broker.faults.on(Call.PWRITE).of("*/topic-0/*.log").times(1).waitsFor(allSent);
        for (int i = 0; i < PRODUCERS; i++) {
            producers.add(broker.client());
            producers.getLast().endOffset(topic, 0); // or the loop may take it up in the turn that is held
        }
        for (int i = 0; i < PRODUCERS; i++) {
            sent.add(producers.get(i).raw.send(ApiKeys.PRODUCE, PRODUCE, request(i)));
            if (i == 0) {
                held.awaitHits(1);
            }
        }
    }

    private PartitionProduceResponse answer(int producer) throws IOException {
        return TestClient.only(answerToAll(producer));
    }

    private ProduceResponseData answerToAll(int producer) throws IOException {
        return producers
                .get(producer)
                .raw
                .answer(ApiKeys.PRODUCE, PRODUCE, sent.get(producer), ProduceResponseData.class);
    }

    @Test
    void theyAreWrittenTogetherAndEachIsAnsweredItsOwn() throws Exception {
        send();
        allSent.countDown();

        for (int i = 0; i < PRODUCERS; i++) {
            PartitionProduceResponse answer = answer(i);
            assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.NONE);
            assertThat(client.read(topic, 0, answer.baseOffset()))
                    .startsWith(Batches.stored(batch(i + 1), answer.baseOffset(), 0));
        }
        assertThat(client.endOffset(topic, 0)).isEqualTo(1 + PRODUCERS);
        assertThat(written.hits()).as("writes").isLessThan(PRODUCERS); // as many as there are batches without groups
    }

    @Test
    void aTopicWithoutPartitionsIsAnsweredToo() throws Exception {
        empty = client.create("empty", 1);
        send();
        allSent.countDown();

        for (int i = 0; i < PRODUCERS; i++) {
            var topics = List.copyOf(answerToAll(i).responses());
            assertThat(topics).hasSize(2);
            assertThat(topics.get(0).partitionResponses())
                    .singleElement()
                    .satisfies(
                            each -> assertThat(Errors.forCode(each.errorCode())).isEqualTo(Errors.NONE));
            assertThat(topics.get(1).partitionResponses()).isEmpty();
        }
    }

    @Test
    void aWriteThatFailsForGoodIsToldToAllOfThem() throws Exception {
        send();
        // The first is held; that of the second, which comes alone, is the last that succeeds.
        GateFaults.Fault broken =
                broker.faults.on(Call.PWRITE).of("*/topic-0/*.log").from(2).fails(Errno.EIO);
        allSent.countDown();

        int stored = 0;
        for (int i = 0; i < PRODUCERS; i++) {
            Errors error = Errors.forCode(answer(i).errorCode());
            assertThat(error).isIn(Errors.NONE, Errors.KAFKA_STORAGE_ERROR);
            stored += error == Errors.NONE ? 1 : 0;
        }

        hasFailed = true;
        assertThat(broken.hits()).isEqualTo(1);
        assertThat(stored).isEqualTo(2);
        assertThat(client.endOffset(topic, 0)).isEqualTo(1 + stored);
    }

    @Test
    void whoGoesBeforeItsAnswerKeepsNobodyElseFromTheirs() throws Exception {
        send();
        producers.get(3).close();
        producers.get(PRODUCERS - 1).close();
        allSent.countDown();

        for (int i = 0; i < PRODUCERS - 1; i++) {
            if (i != 3) {
                assertThat(Errors.forCode(answer(i).errorCode())).isEqualTo(Errors.NONE);
            }
        }
        assertThat(client.append(topic, 0, batch(0))).isGreaterThanOrEqualTo(1L + PRODUCERS - 2);
    }
}
