package dev.sluice.broker.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testkit.RawKafkaClient;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopicCollection;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataRequestData.MetadataRequestTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Requests whose names collide in kafka-clients' hash collections. Without a defence each of them takes from many
/// seconds to hours.
@Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class CollisionsRegressionTest {
    @TempDir
    Path folder;

    @Test
    void equalHashCodesAreDearAndThoseOfOrdinaryNamesAreCheap() {
        int many = 10_000;
        assertThat(Collisions.areCheapToRead(new int[many], many)).isFalse();
        assertThat(Collisions.areCheapToAdd(new int[many], many)).isFalse();
        Random random = new Random(1);
        for (int[] hashes : List.of(
                random.ints(many).toArray(),
                IntStream.range(0, many).map(i -> ("orders-" + i).hashCode()).toArray(),
                IntStream.range(0, many)
                        .map(i -> "tenant-%05d.events".formatted(i).hashCode())
                        .toArray())) {
            assertThat(Collisions.areCheapToRead(hashes, many)).isTrue();
            assertThat(Collisions.areCheapToAdd(hashes, many)).isTrue();
        }
        int[] neighbours = IntStream.range(0, 10_000).toArray(); // an assignment of replicas
        assertThat(Collisions.areCheapToRead(neighbours, neighbours.length)).isTrue();
    }

    @Test
    void whatIsCheapToReadIsReadAtOnceByKafkaToo() {
        int[] few = IntStream.range(0, 500).map(i -> i < 200 ? 0 : i).toArray();
        assertThat(Collisions.areCheapToRead(few, few.length)).isTrue();
        CreatableTopicCollection collection = new CreatableTopicCollection(few.length);
        for (int i = 0; i < few.length; i++) {
            collection.add(new CreatableTopic().setName(i < 200 ? "same" : "topic-" + i));
        }
        assertThat(collection).hasSize(few.length);
    }

    @Test
    void aCreateTopicsOfOneNameAThousandTimesIsRefused() throws Exception {
        refuses(
                ApiKeys.CREATE_TOPICS,
                2,
                createTopics(Stream.generate(() -> "equal").limit(2_500).toList()));
    }

    @Test
    void aCreateTopicsOfCollidingNamesIsRefused() throws Exception {
        refuses(ApiKeys.CREATE_TOPICS, 2, createTopics(collidingNames(8_192)));
    }

    @Test
    void aDeleteTopicsOfCollidingNamesIsRefused() throws Exception {
        DeleteTopicsRequestData request = new DeleteTopicsRequestData().setTopicNames(collidingNames(16_384));
        refuses(ApiKeys.DELETE_TOPICS, 4, request);
    }

    @Test
    void aMetadataOfCollidingNamesIsRefused() throws Exception {
        MetadataRequestData request = new MetadataRequestData()
                .setAllowAutoTopicCreation(false)
                .setTopics(collidingNames(16_384).stream()
                        .map(name -> new MetadataRequestTopic().setName(name))
                        .toList());
        refuses(ApiKeys.METADATA, 9, request);
    }

    @Test
    void administrationOfCollidingNamesIsRefused() throws Exception {
        List<String> names = collidingNames(8_192);
        byte[] partitions = named(names, out -> {
            out.writeInt(1);
            out.writeInt(-1);
        });
        int timeoutAndValidateOnlyBytes = 5;
        refuses(
                ApiKeys.CREATE_PARTITIONS,
                0,
                Arrays.copyOf(partitions, partitions.length + timeoutAndValidateOnlyBytes));
        refuses(ApiKeys.OFFSET_FOR_LEADER_EPOCH, 2, named(names, out -> out.writeInt(0)));
        refuses(ApiKeys.DESCRIBE_LOG_DIRS, 1, named(names, out -> out.writeInt(0)));
        refuses(ApiKeys.ALTER_CONFIGS, 0, configs(names, out -> {}));
        refuses(ApiKeys.INCREMENTAL_ALTER_CONFIGS, 0, configs(names, out -> out.writeByte(0)));
    }

    @FunctionalInterface
    private interface Rest {
        void write(DataOutputStream out) throws IOException;
    }

    /// An array of names, each with the same behind it.
    private static byte[] named(List<String> names, Rest rest) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeInt(names.size());
        for (String name : names) {
            byte[] utf8 = name.getBytes(StandardCharsets.UTF_8);
            out.writeShort(utf8.length);
            out.write(utf8);
            rest.write(out);
        }
        return bytes.toByteArray();
    }

    /// One topic with many configs that have no value.
    private static byte[] configs(List<String> names, Rest operation) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeInt(1);
        out.writeByte(2);
        out.writeShort(1);
        out.writeByte('t');
        out.write(named(names, each -> {
            operation.write(each);
            each.writeShort(-1);
        }));
        out.writeByte(0);
        return bytes.toByteArray();
    }

    private void refuses(ApiKeys api, int version, ApiMessage request) throws IOException {
        try (RegressionBroker broker = new RegressionBroker(folder);
                RawKafkaClient client = broker.connect()) {
            client.send(api, version, request);
            assertThat(client.readUntilClosed()).isEmpty();
            assertServes(broker);
        }
    }

    private void refuses(ApiKeys api, int version, byte[] body) throws IOException {
        try (RegressionBroker broker = new RegressionBroker(folder.resolve(api.name));
                RawKafkaClient client = broker.connect()) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            DataOutputStream out = new DataOutputStream(bytes);
            out.writeShort(api.id);
            out.writeShort(version);
            out.writeInt(1);
            out.writeShort(-1);
            out.write(body);
            client.sendBytes(RawKafkaClient.framed(bytes.toByteArray()));
            assertThat(client.readUntilClosed()).isEmpty();
            assertServes(broker);
        }
    }

    private static void assertServes(RegressionBroker broker) throws IOException {
        try (RawKafkaClient client = broker.connect()) {
            assertThat(client.ask(ApiKeys.API_VERSIONS, 0, new ApiVersionsRequestData(), ApiVersionsResponseData.class)
                            .errorCode())
                    .isZero();
            RegressionBroker.create(client, "after");
        }
    }

    /// A body in version 2, written without kafka-clients, whose own collections these names would stop.
    private static byte[] createTopics(List<String> names) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeInt(names.size());
        for (String name : names) {
            byte[] utf8 = name.getBytes(StandardCharsets.UTF_8);
            out.writeShort(utf8.length);
            out.write(utf8);
            out.writeInt(1);
            out.writeShort(1);
            out.writeInt(0);
            out.writeInt(0);
        }
        out.writeInt(10_000);
        out.writeByte(0);
        return bytes.toByteArray();
    }

    /// Names of one hash code: "Aa" and "BB" have the same one.
    private static List<String> collidingNames(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> {
                    StringBuilder name = new StringBuilder();
                    for (int bit = 0; bit < 16; bit++) {
                        name.append((i >> bit & 1) == 0 ? "Aa" : "BB");
                    }
                    return name.toString();
                })
                .toList();
    }
}
