package dev.sluice.broker;

import static dev.sluice.broker.TestClient.ALL;
import static dev.sluice.broker.TestClient.add;
import static dev.sluice.broker.TestClient.produceRequest;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.LeakCounter;
import dev.sluice.testkit.RawKafkaClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.CompressionType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What becomes of a produce request: what is stored, what is refused with which error, and that what is refused
/// leaves no trace.
@ExtendWith(LeakCounter.class)
class ProduceTest {
    private static final int MAX_MESSAGE_BYTES = 4096;
    private static final AtomicInteger TOPICS = new AtomicInteger();

    private static TestBroker broker;

    /// Another client, connected all the while, whom no test may disturb.
    private static TestClient witness;

    private static TopicRef witnessed;
    private static long witnessedEnd;

    private TestClient client;
    private TopicRef topic;

    @BeforeAll
    static void start(@TempDir Path folder) throws IOException {
        broker = TestBroker.start(folder.resolve("data"), "auto.create.topics.enable", "false");
        witness = broker.client();
        witnessed = witness.create("witnessed", 1);
    }

    @BeforeEach
    void connect() throws IOException {
        client = broker.client();
        topic = client.create(
                "t" + TOPICS.incrementAndGet(), 2, "max.message.bytes", Integer.toString(MAX_MESSAGE_BYTES));
        client.append(topic, 0, Batches.of("first", "second").bytes());
    }

    @AfterEach
    void theWitnessNoticedNothing() throws IOException {
        client.close();
        assertThat(witness.append(witnessed, 0, Batches.of("still here").bytes()))
                .isEqualTo(witnessedEnd++);
    }

    @AfterAll
    static void stop() throws IOException {
        witness.close();
        broker.close();
    }

    static List<Integer> versions() {
        return TestClient.versions(ApiKeys.PRODUCE);
    }

    // ---- What is stored

    @ParameterizedTest
    @MethodSource("versions")
    void storesABatchByteForByteAndAnswersItsOffset(int version) throws IOException {
        byte[] batch = Batches.of("a", "b", "c").bytes();

        PartitionProduceResponse answer = client.produce(version, ALL, topic, 1, batch);

        assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.NONE);
        assertThat(answer.index()).isEqualTo(1);
        assertThat(answer.baseOffset()).isZero();
        assertThat(answer.logAppendTimeMs()).isEqualTo(-1);
        assertThat(answer.logStartOffset()).isEqualTo(version >= 5 ? 0 : -1);
        assertThat(client.read(topic, 1, 0)).isEqualTo(Batches.stored(batch, 0, 0));
        assertThat(client.produce(version, ALL, topic, 1, batch).baseOffset()).isEqualTo(3);
    }

    @ParameterizedTest
    @EnumSource(CompressionType.class)
    void storesABatchOfEveryCodecAsItCame(CompressionType codec) throws IOException {
        byte[] batch =
                Batches.of("a".repeat(100), "b".repeat(100)).compressedBy(codec).bytes();

        assertThat(client.append(topic, 0, batch)).isEqualTo(2);
        assertThat(client.read(topic, 0, 2)).isEqualTo(Batches.stored(batch, 2, 0));
    }

    @ParameterizedTest
    @MethodSource("versions")
    void answersEveryPartitionOfEveryTopicByItself(int version) throws IOException {
        TopicRef other = client.create("other" + TOPICS.incrementAndGet(), 3);
        byte[] good = Batches.of("good").bytes();
        ProduceRequestData request = produceRequest(version, ALL, topic, 0, good);
        add(request, version, topic, 1, Batches.withWrongCrc(good));
        add(request, version, other, 2, Batches.of("x", "y").bytes());
        add(request, version, other, 7, good);

        ProduceResponseData answer = client.raw.ask(ApiKeys.PRODUCE, version, request, ProduceResponseData.class);

        Map<String, String> outcomes = new HashMap<>();
        answer.responses()
                .forEach(each -> each.partitionResponses()
                        .forEach(part -> outcomes.put(
                                (version < TestClient.FIRST_PRODUCE_BY_ID ? each.name() : nameOf(each.topicId(), other))
                                        + "-" + part.index(),
                                Errors.forCode(part.errorCode()) + " " + part.baseOffset())));
        assertThat(outcomes)
                .containsEntry(topic.name() + "-0", "NONE 2")
                .containsEntry(topic.name() + "-1", "CORRUPT_MESSAGE -1")
                .containsEntry(other.name() + "-2", "NONE 0")
                .containsEntry(other.name() + "-7", "UNKNOWN_TOPIC_OR_PARTITION -1")
                .hasSize(4);
        assertThat(client.endOffset(topic, 0)).isEqualTo(3);
        assertThat(client.endOffset(topic, 1)).isZero();
        assertThat(client.endOffset(other, 2)).isEqualTo(2);
    }

    private String nameOf(Uuid id, TopicRef other) {
        return id.equals(topic.id()) ? topic.name() : id.equals(other.id()) ? other.name() : id.toString();
    }

    @ParameterizedTest
    @ValueSource(shorts = {1, -1})
    void acknowledgesWhatAConsumerCanRead(short acks) throws IOException {
        byte[] batch = Batches.of("a").bytes();

        assertThat(client.produce(13, acks, topic, 0, batch).baseOffset()).isEqualTo(2);
        assertThat(client.read(topic, 0, 2)).isEqualTo(Batches.stored(batch, 2, 0));
    }

    @ParameterizedTest
    @MethodSource("versions")
    void answersNothingWithoutAcks(int version) throws IOException {
        byte[] batch = Batches.of("unanswered").bytes();
        client.raw.send(ApiKeys.PRODUCE, version, produceRequest(version, (short) 0, topic, 0, batch));

        // The next answer is to the next request: nothing came between.
        assertThat(client.endOffset(topic, 0)).isEqualTo(3);
        assertThat(client.read(topic, 0, 2)).isEqualTo(Batches.stored(batch, 2, 0));
    }

    @Test
    void closesTheConnectionWhenAProduceWithoutAcksFails() throws IOException {
        byte[] batch = Batches.withWrongCrc(Batches.of("a").bytes());
        client.raw.send(ApiKeys.PRODUCE, 13, produceRequest(13, (short) 0, topic, 0, batch));

        assertThat(client.raw.readUntilClosed()).isEmpty();
        assertThat(witness.endOffset(topic, 0)).isEqualTo(2);
    }

    @Test
    void answersARequestForNoTopics() throws IOException {
        ProduceRequestData request = new ProduceRequestData().setAcks(ALL).setTimeoutMs(1000);

        assertThat(client.raw
                        .ask(ApiKeys.PRODUCE, 13, request, ProduceResponseData.class)
                        .responses())
                .isEmpty();
    }

    @Test
    void takesABatchOfExactlyTheLargestSize() throws IOException {
        byte[] batch = batchOf(MAX_MESSAGE_BYTES);

        assertThat(client.append(topic, 0, batch)).isEqualTo(2);
    }

    private static byte[] batchOf(int lengthBytes) {
        int overhead = Batches.of("x".repeat(1000)).bytes().length - 1000;
        byte[] batch = Batches.of("x".repeat(lengthBytes - overhead)).bytes();
        assertThat(batch).hasSize(lengthBytes);
        return batch;
    }

    // ---- What is refused

    private static final byte[] GOOD = Batches.of("a", "b").bytes();

    static Stream<Arguments> refused() {
        byte[] idempotent = Batches.of("a", "b").producer(77, 0, 0).bytes();
        return Stream.of(
                Arguments.of("no records", Errors.INVALID_RECORD, new byte[0]),
                Arguments.of("null for records", Errors.INVALID_RECORD, null),
                Arguments.of("less than a header", Errors.INVALID_RECORD, new byte[60]),
                Arguments.of("two batches", Errors.INVALID_RECORD, Batches.concat(GOOD, GOOD)),
                Arguments.of("a length too long", Errors.INVALID_RECORD, Batches.withLength(GOOD, 1)),
                Arguments.of("a length too short", Errors.INVALID_RECORD, Batches.withLength(GOOD, -1)),
                Arguments.of("a negative length", Errors.INVALID_RECORD, Batches.withLength(GOOD, Integer.MIN_VALUE)),
                Arguments.of("magic 0", Errors.INVALID_RECORD, Batches.withMagic(GOOD, 0)),
                Arguments.of("magic 1", Errors.INVALID_RECORD, Batches.withMagic(GOOD, 1)),
                Arguments.of("magic 3", Errors.INVALID_RECORD, Batches.withMagic(GOOD, 3)),
                Arguments.of("a base offset", Errors.INVALID_RECORD, Batches.withBaseOffset(GOOD, 1)),
                Arguments.of("another CRC", Errors.CORRUPT_MESSAGE, Batches.withWrongCrc(GOOD)),
                Arguments.of("a flipped byte", Errors.CORRUPT_MESSAGE, Batches.withFlippedByte(GOOD)),
                Arguments.of("a count too large", Errors.INVALID_RECORD, Batches.withCount(GOOD, 3)),
                Arguments.of("a count too small", Errors.INVALID_RECORD, Batches.withCount(GOOD, 1)),
                Arguments.of("a negative count", Errors.INVALID_RECORD, Batches.withCount(GOOD, -2)),
                Arguments.of("a count of none", Errors.INVALID_RECORD, Batches.withoutRecords(GOOD)),
                Arguments.of("a control batch", Errors.INVALID_RECORD, Batches.asControl(GOOD)),
                Arguments.of("append time", Errors.INVALID_TIMESTAMP, Batches.asLogAppendTime(GOOD)),
                Arguments.of("an unknown codec", Errors.CORRUPT_MESSAGE, Batches.withUnknownCompression(GOOD)),
                Arguments.of("a negative sequence", Errors.INVALID_RECORD, Batches.withSequence(idempotent, -2)),
                Arguments.of("too many bytes", Errors.MESSAGE_TOO_LARGE, batchOf(MAX_MESSAGE_BYTES + 1)),
                Arguments.of(
                        "a transactional batch",
                        Errors.INVALID_TXN_STATE,
                        Batches.of("a").producer(77, 0, 0).transactional().bytes()));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("refused")
    void refusesAndStoresNothing(String what, Errors error, byte[] records) throws IOException {
        byte[] file = fileOf(topic, 0);
        for (int version : versions()) {
            PartitionProduceResponse answer = client.produce(version, ALL, topic, 0, records);

            assertThat(Errors.forCode(answer.errorCode()))
                    .as("%s in version %d: %s", what, version, answer.errorMessage())
                    .isEqualTo(error);
            assertThat(answer.baseOffset()).isEqualTo(-1);
        }
        assertNothingStored(file);
    }

    private void assertNothingStored(byte[] fileBefore) throws IOException {
        assertThat(witness.endOffset(topic, 0)).isEqualTo(2);
        assertThat(fileOf(topic, 0)).isEqualTo(fileBefore);
        assertThat(client.append(topic, 0, GOOD)).isEqualTo(2);
    }

    private static byte[] fileOf(TopicRef topic, int partition) throws IOException {
        return Files.readAllBytes(
                broker.folder().resolve(topic.name() + "-" + partition).resolve("00000000000000000000.log"));
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 4, 5, 6})
    void refusesZstdBeforeVersionSeven(int version) throws IOException {
        byte[] file = fileOf(topic, 0);
        byte[] zstd = Batches.of("a").compressedBy(CompressionType.ZSTD).bytes();

        assertThat(Errors.forCode(client.produce(version, ALL, topic, 0, zstd).errorCode()))
                .isEqualTo(Errors.UNSUPPORTED_COMPRESSION_TYPE);
        assertNothingStored(file);
    }

    @ParameterizedTest
    @ValueSource(shorts = {2, -2, Short.MAX_VALUE, Short.MIN_VALUE})
    void refusesAcksThatMeanNothing(short acks) throws IOException {
        byte[] file = fileOf(topic, 0);
        for (int version : versions()) {
            PartitionProduceResponse answer = client.produce(version, acks, topic, 0, GOOD);

            assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.INVALID_REQUIRED_ACKS);
            assertThat(answer.baseOffset()).isEqualTo(-1);
        }
        assertNothingStored(file);
    }

    @ParameterizedTest
    @MethodSource("versions")
    void refusesATopicThatDoesNotExist(int version) throws IOException {
        TopicRef unknown = new TopicRef("unknown", new Uuid(1, 2));

        assertThat(Errors.forCode(client.produce(version, ALL, unknown, 0, GOOD).errorCode()))
                .isEqualTo(
                        version < TestClient.FIRST_PRODUCE_BY_ID
                                ? Errors.UNKNOWN_TOPIC_OR_PARTITION
                                : Errors.UNKNOWN_TOPIC_ID);
        assertThat(client.metadata().topics().find("unknown")).isNull();
    }

    @ParameterizedTest
    @ValueSource(ints = {2, -1, Integer.MAX_VALUE, Integer.MIN_VALUE})
    void refusesAPartitionThatDoesNotExist(int partition) throws IOException {
        for (int version : versions()) {
            assertThat(Errors.forCode(
                            client.produce(version, ALL, topic, partition, GOOD).errorCode()))
                    .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);
        }
    }

    @Test
    void refusesABatchLargerThanItsSegment() throws IOException {
        TopicRef small = client.create("small" + TOPICS.incrementAndGet(), 1, "segment.bytes", "1000");

        assertThat(Errors.forCode(client.produce(small, 0, batchOf(1001)).errorCode()))
                .isEqualTo(Errors.RECORD_LIST_TOO_LARGE);
        assertThat(client.append(small, 0, batchOf(1000))).isZero();
    }

    @Test
    void theBrokersOwnLogCantBeProducedTo() throws IOException {
        TopicRef own = new TopicRef("__sluice_catalogue", new Uuid(0x5375696365000000L, 1));

        for (int version : versions()) {
            assertThat(client.produce(version, ALL, own, 0, GOOD).errorCode()).isNotZero();
        }
    }

    // ---- Idempotent producers

    @Test
    void answersADuplicateWithItsFirstOffset() throws IOException {
        long id = client.producerId();
        byte[] first = Batches.of("a", "b").producer(id, 0, 0).bytes();
        byte[] second = Batches.of("c").producer(id, 0, 2).bytes();
        long firstOffset = client.append(topic, 0, first);
        long secondOffset = client.append(topic, 0, second);
        byte[] file = fileOf(topic, 0);

        assertThat(client.append(topic, 0, first)).isEqualTo(firstOffset);
        assertThat(client.append(topic, 0, second)).isEqualTo(secondOffset);
        assertThat(fileOf(topic, 0)).isEqualTo(file);
        assertThat(client.endOffset(topic, 0)).isEqualTo(secondOffset + 1);
    }

    @Test
    void answersADuplicateThatComesByAnotherConnection() throws IOException {
        long id = client.producerId();
        byte[] batch = Batches.of("a").producer(id, 0, 0).bytes();
        long offset = client.append(topic, 0, batch);

        assertThat(witness.append(topic, 0, batch)).isEqualTo(offset);
    }

    @Test
    void refusesASequenceWithAGap() throws IOException {
        long id = client.producerId();
        client.append(topic, 0, Batches.of("a", "b").producer(id, 0, 0).bytes());
        byte[] file = fileOf(topic, 0);

        assertThat(errorOf(Batches.of("d").producer(id, 0, 3))).isEqualTo(Errors.OUT_OF_ORDER_SEQUENCE_NUMBER);
        assertThat(fileOf(topic, 0)).isEqualTo(file);
        assertThat(errorOf(Batches.of("c").producer(id, 0, 2))).isEqualTo(Errors.NONE);
    }

    @Test
    void refusesASequenceThatIsLongGone() throws IOException {
        long id = client.producerId();
        for (int i = 0; i < 7; i++) {
            client.append(topic, 0, Batches.of("a").producer(id, 0, i).bytes());
        }
        byte[] file = fileOf(topic, 0);

        // The last five are remembered. Kafka 4.3.1 answers the same for older ones.
        assertThat(client.append(topic, 0, Batches.of("a").producer(id, 0, 2).bytes()))
                .isEqualTo(4);
        assertThat(errorOf(Batches.of("a").producer(id, 0, 1))).isEqualTo(Errors.OUT_OF_ORDER_SEQUENCE_NUMBER);
        assertThat(fileOf(topic, 0)).isEqualTo(file);
    }

    @Test
    void sequencesGoOnAtZeroBehindTheLargest() throws IOException {
        long id = client.producerId();
        client.append(
                topic, 0, Batches.of("a").producer(id, 0, Integer.MAX_VALUE - 1).bytes());
        client.append(
                topic,
                0,
                Batches.of("b", "c").producer(id, 0, Integer.MAX_VALUE).bytes());

        assertThat(errorOf(Batches.of("d").producer(id, 0, 2))).isEqualTo(Errors.OUT_OF_ORDER_SEQUENCE_NUMBER);
        assertThat(errorOf(Batches.of("d").producer(id, 0, 1))).isEqualTo(Errors.NONE);
    }

    @Test
    void anOlderEpochOfAProducerIsFenced() throws IOException {
        long id = client.producerId();
        client.append(topic, 0, Batches.of("a").producer(id, 1, 0).bytes());
        byte[] file = fileOf(topic, 0);

        assertThat(errorOf(Batches.of("b").producer(id, 0, 1))).isEqualTo(Errors.INVALID_PRODUCER_EPOCH);
        assertThat(fileOf(topic, 0)).isEqualTo(file);
    }

    @Test
    void aNewEpochOfAProducerBeginsAtZero() throws IOException {
        long id = client.producerId();
        client.append(topic, 0, Batches.of("a", "b").producer(id, 0, 0).bytes());

        assertThat(errorOf(Batches.of("c").producer(id, 1, 2))).isEqualTo(Errors.OUT_OF_ORDER_SEQUENCE_NUMBER);
        assertThat(errorOf(Batches.of("c").producer(id, 1, 0))).isEqualTo(Errors.NONE);
    }

    @Test
    void producersDontDisturbEachOther() throws IOException {
        long one = client.producerId();
        long other = client.producerId();
        assertThat(other).isNotEqualTo(one);

        assertThat(errorOf(Batches.of("a").producer(one, 0, 0))).isEqualTo(Errors.NONE);
        assertThat(errorOf(Batches.of("a").producer(other, 0, 0))).isEqualTo(Errors.NONE);
        assertThat(errorOf(Batches.of("a"))).isEqualTo(Errors.NONE);
        assertThat(errorOf(Batches.of("b").producer(one, 0, 1))).isEqualTo(Errors.NONE);
        assertThat(errorOf(Batches.of("b").producer(other, 0, 1))).isEqualTo(Errors.NONE);
    }

    private Errors errorOf(Batches batch) throws IOException {
        return Errors.forCode(client.produce(topic, 0, batch.bytes()).errorCode());
    }

    // ---- Malformed requests

    @Test
    void nothingOfARequestIsStoredWhenItsEndCantBeRead() throws IOException {
        ProduceRequestData request = produceRequest(12, ALL, topic, 0, GOOD);
        add(request, 12, topic, 1, GOOD);
        byte[] frame = RawKafkaClient.frame(ApiKeys.PRODUCE, 12, 1, request);
        byte[] content = Arrays.copyOfRange(frame, 4, frame.length - 1);
        client.raw.sendBytes(RawKafkaClient.framed(content));

        assertThat(client.raw.readUntilClosed()).isEmpty();
        assertThat(witness.endOffset(topic, 0)).isEqualTo(2);
        assertThat(witness.endOffset(topic, 1)).isZero();
    }
}
