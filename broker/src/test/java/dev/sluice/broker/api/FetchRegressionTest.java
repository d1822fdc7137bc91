package dev.sluice.broker.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testkit.RawKafkaClient;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsRequestData.DeleteTopicState;
import org.apache.kafka.common.message.DeleteTopicsResponseData;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(180)
class FetchRegressionTest {
    private static final int VERSION = 17;

    /// Longer than any test may take: an answer that comes was not waited for.
    private static final int FOREVER_MS = 3_600_000;

    @TempDir
    Path folder;

    @Test
    void aFetchOfNothingIsAnsweredAtOnce() throws Exception {
        try (RegressionBroker broker = new RegressionBroker(folder);
                RawKafkaClient client = broker.connect()) {
            FetchResponseData answer = client.ask(
                    ApiKeys.FETCH,
                    VERSION,
                    new FetchRequestData().setMaxWaitMs(FOREVER_MS).setMinBytes(1),
                    FetchResponseData.class);
            assertThat(answer.responses()).isEmpty();
        }
    }

    @Test
    void noFetchGetsMoreThanTheBrokersBound() throws Exception {
        try (RegressionBroker broker = new RegressionBroker(folder, "fetch.max.bytes", "1024");
                RawKafkaClient client = broker.connect()) {
            Uuid topic = RegressionBroker.create(client, "bounded");
            for (int i = 0; i < 10; i++) {
                RegressionBroker.produce(client, topic, new byte[300]);
            }

            PartitionData answer = fetch(client, request(topic, 0).setMinBytes(Integer.MAX_VALUE));
            assertThat(((MemoryRecords) answer.records()).sizeInBytes()).isLessThanOrEqualTo(1024);
        }
    }

    @Test
    void negativeBoundsStillGiveTheFirstBatch() throws Exception {
        try (RegressionBroker broker = new RegressionBroker(folder);
                RawKafkaClient client = broker.connect()) {
            Uuid topic = RegressionBroker.create(client, "negative");
            RegressionBroker.produce(client, topic, new byte[300]);

            FetchRequestData request = request(topic, 0).setMaxBytes(Integer.MIN_VALUE);
            request.topics().getFirst().partitions().getFirst().setPartitionMaxBytes(Integer.MIN_VALUE);
            PartitionData answer = fetch(client, request);
            assertThat(answer.errorCode()).isZero();
            assertThat(((MemoryRecords) answer.records()).batches()).hasSize(1);
        }
    }

    @Test
    void withAnErrorNoOffsetIsTold() throws Exception {
        try (RegressionBroker broker = new RegressionBroker(folder);
                RawKafkaClient client = broker.connect()) {
            Uuid topic = RegressionBroker.create(client, "errors");

            PartitionData outOfRange = fetch(client, request(topic, 5));
            assertThat(outOfRange.errorCode()).isEqualTo(Errors.OFFSET_OUT_OF_RANGE.code());
            assertThat(outOfRange.highWatermark()).isEqualTo(-1);
            assertThat(outOfRange.lastStableOffset()).isEqualTo(-1);
            assertThat(outOfRange.logStartOffset()).isEqualTo(-1);
            assertThat(outOfRange.abortedTransactions()).isNull();

            PartitionData unknown = fetch(client, request(Uuid.randomUuid(), 0));
            assertThat(unknown.errorCode()).isEqualTo(Errors.UNKNOWN_TOPIC_ID.code());
            assertThat(unknown.highWatermark()).isEqualTo(-1);
            assertThat(unknown.abortedTransactions()).isEmpty();
        }
    }

    @Test
    void aFetchThatWaitsSeesWhateverIsAppendedHoweverCloseToItsComing() throws Exception {
        try (RegressionBroker broker = new RegressionBroker(folder, "num.network.threads", "2");
                RawKafkaClient consumer = broker.connect();
                RawKafkaClient producer = broker.connect()) {
            Uuid topic = RegressionBroker.create(producer, "parked");
            for (int offset = 0; offset < 500; offset++) {
                int fetch = consumer.send(ApiKeys.FETCH, VERSION, request(topic, offset));
                assertThat(RegressionBroker.produce(producer, topic, new byte[10]))
                        .isEqualTo(offset);
                PartitionData answer =
                        partition(consumer.answer(ApiKeys.FETCH, VERSION, fetch, FetchResponseData.class));
                assertThat(((MemoryRecords) answer.records()).batches()).hasSize(1);
            }
        }
    }

    @Test
    void aFetchThatWaitsIsToldThatItsTopicIsGone() throws Exception {
        try (RegressionBroker broker = new RegressionBroker(folder);
                RawKafkaClient consumer = broker.connect();
                RawKafkaClient admin = broker.connect()) {
            Uuid topic = RegressionBroker.create(admin, "deleted");
            int fetch = consumer.send(ApiKeys.FETCH, VERSION, request(topic, 0));
            admin.ask(
                    ApiKeys.DELETE_TOPICS,
                    6,
                    new DeleteTopicsRequestData().setTopics(List.of(new DeleteTopicState().setTopicId(topic))),
                    DeleteTopicsResponseData.class);

            PartitionData answer = partition(consumer.answer(ApiKeys.FETCH, VERSION, fetch, FetchResponseData.class));
            assertThat(answer.errorCode()).isEqualTo(Errors.UNKNOWN_TOPIC_ID.code());
        }
    }

    private static FetchRequestData request(Uuid topic, long offset) {
        return new FetchRequestData()
                .setMaxWaitMs(FOREVER_MS)
                .setMinBytes(1)
                .setMaxBytes(Integer.MAX_VALUE)
                .setTopics(List.of(new FetchTopic()
                        .setTopicId(topic)
                        .setPartitions(List.of(new FetchPartition()
                                .setPartition(0)
                                .setFetchOffset(offset)
                                .setPartitionMaxBytes(Integer.MAX_VALUE)))));
    }

    private static PartitionData fetch(RawKafkaClient client, FetchRequestData request) throws IOException {
        FetchResponseData answer = client.ask(ApiKeys.FETCH, VERSION, request, FetchResponseData.class);
        return partition(answer);
    }

    private static PartitionData partition(FetchResponseData answer) {
        return answer.responses().getFirst().partitions().getFirst();
    }
}
