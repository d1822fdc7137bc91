package dev.sluice.broker.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.types.RawTaggedField;
import org.apache.kafka.common.utils.ByteUtils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Holds our parsers against Kafka's, byte for byte of damage: see [Parsers].
class MalformedRequestTest {
    private final Parsers parsers = new Parsers();

    static Stream<Arguments> requests() {
        return Stream.of(ApiKeys.PRODUCE, ApiKeys.FETCH)
                .flatMap(api -> KafkaMessages.versions(api).stream().map(version -> Arguments.of(api, version)));
    }

    private static byte[] request(Random random, ApiKeys api, int version) {
        byte[] bytes;
        do {
            bytes = KafkaMessages.request(
                    KafkaMessages.header(random, api, version),
                    api == ApiKeys.PRODUCE
                            ? KafkaMessages.produceRequest(random, version)
                            : KafkaMessages.fetchRequest(random, version));
        } while (bytes.length > 4000); // the time goes with the square
        return bytes;
    }

    @ParameterizedTest
    @MethodSource("requests")
    void refusesEveryRequestThatIsCutShort(ApiKeys api, int version) {
        Seeded.runs(2, random -> {
            byte[] bytes = request(random, api, version);
            for (int length = 0; length < bytes.length; length++) {
                WireReader reader = KafkaMessages.reader(bytes, 0, length);
                assertThat(parsers.parse(reader)).as("cut to %d bytes", length).isNotNull();
                parsers.requireAgreement(bytes, length);
            }
            assertThat(parsers.parse(KafkaMessages.reader(bytes))).isNull();
        });
    }

    @ParameterizedTest
    @MethodSource("requests")
    void makesOfDamagedBytesWhatKafkaMakesOfThem(ApiKeys api, int version) {
        Seeded.runs(15, random -> {
            byte[] whole = request(random, api, version);
            for (int i = 0; i < 150; i++) {
                byte[] damaged = whole.clone();
                for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
                    damage(random, damaged);
                }
                parsers.requireAgreement(
                        damaged, random.nextInt(8) == 0 ? random.nextInt(damaged.length) : damaged.length);
            }
        });
    }

    /// Flips a bit, or puts a byte that lengths and counts are made of; more often than not near the start, where
    /// the structure is.
    private static void damage(Random random, byte[] bytes) {
        int at = random.nextInt(random.nextBoolean() ? bytes.length : Math.min(bytes.length, 100));
        switch (random.nextInt(4)) {
            case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
            case 1 -> bytes[at] = (byte) random.nextInt();
            case 2 -> bytes[at] = new byte[] {0, 1, 2, -1, 0x7f, (byte) 0x80}[random.nextInt(6)];
            default -> Arrays.fill(bytes, at, Math.min(at + 4, bytes.length), (byte) 0xff);
        }
    }

    @ParameterizedTest
    @MethodSource("requests")
    void ignoresBytesBehindTheEndAsKafkaDoes(ApiKeys api, int version) {
        Seeded.runs(5, random -> {
            byte[] whole = request(random, api, version);
            byte[] longer = Arrays.copyOf(whole, whole.length + 7);
            Arrays.fill(longer, whole.length, longer.length, (byte) 0xff);

            assertThat(parsers.parse(KafkaMessages.reader(longer))).isNull();
            parsers.requireAgreement(longer, longer.length);
        });
    }

    /// Counts of 2³¹ − 1 wherever one stands: none may make us allocate, or loop, for what isn't there.
    @ParameterizedTest
    @MethodSource("requests")
    void believesNoHugeCount(ApiKeys api, int version) {
        boolean flexible = api.requestHeaderVersion((short) version) == 2;
        byte[] huge = flexible ? varint(Integer.MAX_VALUE) : new byte[] {0x7f, -1, -1, -1};
        byte[] whole = request(new Random(version), api, version);
        for (int at = 0; at < whole.length; at++) {
            var bytes = new ByteArrayOutputStream();
            bytes.write(whole, 0, at);
            bytes.writeBytes(huge);
            bytes.write(whole, at, whole.length - at);
            parsers.requireAgreement(bytes.toByteArray(), bytes.size());
        }
    }

    /// The other side of the bound on counts: as many of the smallest elements as the rest of a request holds.
    @ParameterizedTest
    @MethodSource("versionsOfProduce")
    void understandsTheSmallestElementsOfProduce(int version) {
        var partitions = new TopicProduceData();
        var topics = new ProduceRequestData();
        for (int i = 0; i < 100; i++) {
            partitions.partitionData().add(new PartitionProduceData());
            topics.topicData().add(new TopicProduceData());
        }
        var one = new ProduceRequestData();
        one.topicData().add(partitions);

        assertUnderstood(KafkaMessages.request(header(ApiKeys.PRODUCE, version), topics));
        assertUnderstood(KafkaMessages.request(header(ApiKeys.PRODUCE, version), one));
    }

    @ParameterizedTest
    @MethodSource("versionsOfFetch")
    void understandsTheSmallestElementsOfFetch(int version) {
        var partitions = new FetchRequestData.FetchTopic();
        var topics = new FetchRequestData();
        var forgottenPartitions = new FetchRequestData.ForgottenTopic();
        var forgottenTopics = new FetchRequestData();
        for (int i = 0; i < 100; i++) {
            partitions.partitions().add(new FetchRequestData.FetchPartition());
            topics.topics().add(new FetchRequestData.FetchTopic());
            forgottenPartitions.partitions().add(i);
            forgottenTopics.forgottenTopicsData().add(new FetchRequestData.ForgottenTopic());
        }
        var header = header(ApiKeys.FETCH, version);

        assertUnderstood(KafkaMessages.request(header, topics));
        assertUnderstood(KafkaMessages.request(header, new FetchRequestData().setTopics(List.of(partitions))));
        if (version >= 7) {
            assertUnderstood(KafkaMessages.request(header, forgottenTopics));
            assertUnderstood(KafkaMessages.request(
                    header, new FetchRequestData().setForgottenTopicsData(List.of(forgottenPartitions))));
        }
    }

    static List<Integer> versionsOfProduce() {
        return KafkaMessages.versions(ApiKeys.PRODUCE);
    }

    static List<Integer> versionsOfFetch() {
        return KafkaMessages.versions(ApiKeys.FETCH);
    }

    private void assertUnderstood(byte[] bytes) {
        assertThat(parsers.parse(KafkaMessages.reader(bytes))).isNull();
        parsers.requireAgreement(bytes, bytes.length);
    }

    private static byte[] varint(int value) {
        ByteBuffer buffer = ByteBuffer.allocate(5);
        ByteUtils.writeUnsignedVarint(value, buffer);
        return Arrays.copyOf(buffer.array(), buffer.position());
    }

    private void assertKafkaUnderstandsAndWeRefuse(byte[] bytes, String reason) {
        assertThat(KafkaParser.parse(bytes, bytes.length)).isInstanceOf(Outcome.Understood.class);
        assertThat(parsers.parse(KafkaMessages.reader(bytes))).hasMessageContaining(reason);
    }

    private static RequestHeaderData header(ApiKeys api, int version) {
        return new RequestHeaderData()
                .setRequestApiKey(api.id)
                .setRequestApiVersion((short) version)
                .setClientId("c");
    }

    @Test
    void refusesALengthThatKafkaTakesForNullBecauseItIsNegative() {
        byte[] null1 = KafkaMessages.request(header(ApiKeys.PRODUCE, 9), new ProduceRequestData());
        int idAt = KafkaMessages.bytes(header(ApiKeys.PRODUCE, 9), 2).length;
        assertThat(null1[idAt]).as("the transactional id is null").isZero();
        var bytes = new ByteArrayOutputStream();
        bytes.write(null1, 0, idAt);
        bytes.writeBytes(varint(-5));
        bytes.write(null1, idAt + 1, null1.length - idAt - 1);

        assertKafkaUnderstandsAndWeRefuse(bytes.toByteArray(), "transactionalId at position");
    }

    @Test
    void refusesATopicNameThatIsNotUtf8() {
        var data = new ProduceRequestData();
        data.topicData().add(new TopicProduceData().setName("name"));
        byte[] bytes = KafkaMessages.request(header(ApiKeys.PRODUCE, 3), data);
        bytes[new String(bytes, StandardCharsets.ISO_8859_1).indexOf("name")] = (byte) 0xff;

        assertKafkaUnderstandsAndWeRefuse(bytes, "topic name at position");
    }

    @Test
    void refusesAKnownTaggedFieldWhoseSizeIsWrong() {
        byte[] bytes = KafkaMessages.request(header(ApiKeys.FETCH, 12), new FetchRequestData().setClusterId("cluster"));
        assertThat(bytes[bytes.length - 9])
                .as("the size of a length and 7 bytes")
                .isEqualTo((byte) 8);
        bytes[bytes.length - 9] = 7;

        assertKafkaUnderstandsAndWeRefuse(bytes, "clusterId at position");
    }

    /// A tag of a later version is refused, though any unknown one would be passed over.
    @Test
    void refusesATaggedFieldOfALaterVersion() {
        var partition = new FetchRequestData.FetchPartition();
        partition.unknownTaggedFields().add(new RawTaggedField(1, new byte[8]));
        var topic = new FetchRequestData.FetchTopic().setPartitions(List.of(partition));
        byte[] bytes =
                KafkaMessages.request(header(ApiKeys.FETCH, 17), new FetchRequestData().setTopics(List.of(topic)));

        assertThat(KafkaParser.parse(bytes, bytes.length)).isInstanceOf(Outcome.Refused.class);
        assertThat(parsers.parse(KafkaMessages.reader(bytes))).hasMessageContaining("highWatermark");
    }
}
