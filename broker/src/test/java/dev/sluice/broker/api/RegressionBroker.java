package dev.sluice.broker.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.broker.Broker;
import dev.sluice.broker.config.BrokerConfig;
import dev.sluice.io.linux.Gate;
import dev.sluice.io.linux.Kernel;
import dev.sluice.testkit.RawKafkaClient;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicResult;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;

/// A whole broker on a folder of its own, with one event loop unless a setting says otherwise.
final class RegressionBroker implements AutoCloseable {
    static final int CREATE_TOPICS_VERSION = 7;

    private static final int PRODUCE_VERSION = 13;

    final Broker broker;

    /// @param settings keys and values in turn
    RegressionBroker(Path folder, String... settings) throws IOException {
        this(Gate.OPEN, folder, settings);
    }

    RegressionBroker(Gate gate, Path folder, String... settings) throws IOException {
        Map<String, String> all = new LinkedHashMap<>();
        all.put("log.dirs", folder.toString());
        all.put("listeners", "PLAINTEXT://127.0.0.1:0");
        all.put("num.network.threads", "1");
        for (int i = 0; i < settings.length; i += 2) {
            all.put(settings[i], settings[i + 1]);
        }
        broker = Broker.start(BrokerConfig.load(all), new Kernel(gate), InstantSource.system());
    }

    RawKafkaClient connect() throws IOException {
        return RawKafkaClient.connect(broker.addresses().getFirst());
    }

    static Uuid create(RawKafkaClient client, String topic) throws IOException {
        CreatableTopicResult result = tryToCreate(client, topic);
        assertThat(result.errorCode()).isZero();
        return result.topicId();
    }

    /// Makes a topic with one partition.
    static CreatableTopicResult tryToCreate(RawKafkaClient client, String topic) throws IOException {
        CreateTopicsRequestData request = new CreateTopicsRequestData().setTimeoutMs(10_000);
        request.topics()
                .add(new CreatableTopic().setName(topic).setNumPartitions(1).setReplicationFactor((short) 1));
        return client.ask(ApiKeys.CREATE_TOPICS, CREATE_TOPICS_VERSION, request, CreateTopicsResponseData.class)
                .topics()
                .find(topic);
    }

    /// Appends one batch of one record to partition 0.
    ///
    /// @return its offset
    static long produce(RawKafkaClient client, Uuid topic, byte[] value) throws IOException {
        PartitionProduceResponse answer = client.ask(
                        ApiKeys.PRODUCE, PRODUCE_VERSION, produceRequest(topic, value), ProduceResponseData.class)
                .responses()
                .iterator()
                .next()
                .partitionResponses()
                .getFirst();
        assertThat(answer.errorCode()).isZero();
        return answer.baseOffset();
    }

    /// The bytes of such a request.
    static byte[] produceFrame(Uuid topic, byte[] value) {
        return RawKafkaClient.frame(ApiKeys.PRODUCE, PRODUCE_VERSION, 1, produceRequest(topic, value));
    }

    private static ProduceRequestData produceRequest(Uuid topic, byte[] value) {
        MemoryRecords records = MemoryRecords.withRecords(Compression.NONE, new SimpleRecord(value));
        ProduceRequestData request =
                new ProduceRequestData().setAcks((short) -1).setTimeoutMs(10_000);
        request.topicData()
                .add(new TopicProduceData()
                        .setTopicId(topic)
                        .setPartitionData(
                                List.of(new PartitionProduceData().setIndex(0).setRecords(records))));
        return request;
    }

    @Override
    public void close() throws IOException {
        broker.close();
    }
}
