package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.LeakCounter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataRequestData.MetadataRequestTopic;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// What a broker that was stopped still knows when it is started again.
@ExtendWith(LeakCounter.class)
class RestartTest {
    private TestBroker broker;
    private TestClient client;

    @BeforeEach
    void start(@TempDir Path folder) throws IOException {
        broker = TestBroker.start(folder.resolve("data"), "num.partitions", "2");
        client = broker.client();
    }

    @AfterEach
    void stop() throws IOException {
        client.close();
        broker.close();
    }

    private void restart(String... settings) throws IOException, InterruptedException {
        client.close();
        broker.stop();
        broker.set(settings);
        broker.start();
        client = broker.client();
    }

    @Test
    void topicsTheirIdsAndTheirRecordsAreThere() throws Exception {
        TopicRef topic = client.create("topic", 3);
        byte[] one = Batches.of("a", "b").bytes();
        byte[] two = Batches.of("c").bytes();
        client.append(topic, 2, one);
        client.append(topic, 2, two);

        restart();

        MetadataResponseTopic found = client.metadata("topic").topics().find("topic");
        assertThat(found.topicId()).isEqualTo(topic.id());
        assertThat(found.partitions()).hasSize(3);
        assertThat(client.endOffset(topic, 0)).isZero();
        assertThat(client.endOffset(topic, 2)).isEqualTo(3);
        assertThat(client.read(topic, 2, 0))
                .isEqualTo(Batches.concat(Batches.stored(one, 0, 0), Batches.stored(two, 2, 0)));
        assertThat(client.append(topic, 2, one)).isEqualTo(3);
    }

    @Test
    void theClusterKeepsItsName() throws Exception {
        String name = client.metadata().clusterId();
        assertThat(name).hasSize(22);

        restart();

        assertThat(client.metadata().clusterId()).isEqualTo(name);
    }

    @Test
    void whatWasSetForATopicHolds() throws Exception {
        TopicRef topic = client.create("topic", 1, "max.message.bytes", "100");
        byte[] large = Batches.of("x".repeat(100)).bytes();
        assertThat(error(topic, large)).isEqualTo(Errors.MESSAGE_TOO_LARGE);

        restart("message.max.bytes", "200");

        assertThat(error(topic, large)).isEqualTo(Errors.MESSAGE_TOO_LARGE);
    }

    @Test
    void whatWasNotSetForATopicIsTheBrokersDefaultOfNow() throws Exception {
        TopicRef topic = client.create("topic", 1);
        byte[] large = Batches.of("x".repeat(100)).bytes();
        assertThat(error(topic, large)).isEqualTo(Errors.NONE);

        restart("message.max.bytes", "100");

        assertThat(error(topic, large)).isEqualTo(Errors.MESSAGE_TOO_LARGE);
    }

    private Errors error(TopicRef topic, byte[] batch) throws IOException {
        return Errors.forCode(client.produce(topic, 0, batch).errorCode());
    }

    @Test
    void aTopicThatWasMadeOnDemandIsThere() throws Exception {
        MetadataRequestData request = new MetadataRequestData().setAllowAutoTopicCreation(true);
        request.topics().add(new MetadataRequestTopic().setName("wanted"));
        var made = client.raw
                .ask(ApiKeys.METADATA, 13, request, MetadataResponseData.class)
                .topics()
                .find("wanted");
        assertThat(Errors.forCode(made.errorCode())).isEqualTo(Errors.NONE);
        assertThat(made.partitions()).hasSize(2);

        restart("num.partitions", "5");

        var found = client.metadata("wanted").topics().find("wanted");
        assertThat(found.topicId()).isEqualTo(made.topicId());
        assertThat(found.partitions()).hasSize(2);
    }

    @Test
    void aTopicThatWasDeletedIsGone() throws Exception {
        TopicRef topic = client.create("topic", 2);
        client.append(topic, 0, Batches.of("a").bytes());
        assertThat(client.delete("topic")).isEqualTo(Errors.NONE);

        restart();

        assertThat(client.metadata().topics()).isEmpty();
        assertThat(broker.folder().resolve("topic-0")).doesNotExist();
    }

    @Test
    void aTopicOfTheSameNameIsAnother() throws Exception {
        TopicRef first = client.create("topic", 1);
        client.append(first, 0, Batches.of("of the first").bytes());
        client.delete("topic");
        TopicRef second = client.create("topic", 1);
        assertThat(second.id()).isNotEqualTo(first.id());
        byte[] batch = Batches.of("of the second").bytes();
        assertThat(client.append(second, 0, batch)).isZero();

        restart();

        assertThat(client.find("topic")).isEqualTo(second);
        assertThat(client.read(second, 0, 0)).isEqualTo(Batches.stored(batch, 0, 0));
        assertThat(Errors.forCode(client.produce(first, 0, batch).errorCode())).isEqualTo(Errors.UNKNOWN_TOPIC_ID);
    }

    @Test
    void producersAreRemembered() throws Exception {
        TopicRef topic = client.create("topic", 1);
        long id = client.producerId();
        byte[] batch = now("a", "b").producer(id, 0, 0).bytes();
        client.append(topic, 0, batch);

        restart();

        assertThat(client.append(topic, 0, batch)).isZero();
        assertThat(client.endOffset(topic, 0)).isEqualTo(2);
        assertThat(error(topic, now("d").producer(id, 0, 3).bytes())).isEqualTo(Errors.OUT_OF_ORDER_SEQUENCE_NUMBER);
        assertThat(error(topic, now("c").producer(id, 0, 2).bytes())).isEqualTo(Errors.NONE);
    }

    /// Producers are forgotten a day after their last batch, by its timestamp.
    private static Batches now(String... values) {
        Batches batch = Batches.of();
        for (String value : values) {
            batch.record(System.currentTimeMillis(), null, value);
        }
        return batch;
    }

    @Test
    void noProducerIdIsGivenOutTwice() throws Exception {
        Set<Long> given = new HashSet<>();
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < 700; i++) { // more than one reservation's worth in two rounds
                assertThat(given.add(client.producerId())).isTrue();
            }
            restart();
        }
        assertThat(given.add(client.producerId())).isTrue();
    }
}
