package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.LeakCounter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.ListOffsetsResponseData;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsPartitionResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.requests.ListOffsetsRequest;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Which offset is answered for which timestamp.
@ExtendWith(LeakCounter.class)
class ListOffsetsTest {
    private static TestBroker broker;
    private static TestClient client;
    private static TopicRef topic;

    /// Offsets 0 to 5 with timestamps 1000, 1010, 2000, 1990, 2500, 2400; the batch of the middle two compressed.
    @BeforeAll
    static void start(@TempDir Path folder) throws IOException {
        broker = TestBroker.start(folder.resolve("data"));
        client = broker.client();
        topic = client.create("topic", 2);
        client.append(
                topic,
                0,
                Batches.of().record(1000, null, "a").record(1010, null, "b").bytes());
        client.append(
                topic,
                0,
                Batches.of()
                        .record(2000, null, "c")
                        .record(1990, null, "d")
                        .compressedBy(CompressionType.LZ4)
                        .bytes());
        client.append(
                topic,
                0,
                Batches.of().record(2500, null, "e").record(2400, null, "f").bytes());
    }

    @AfterAll
    static void stop() throws IOException {
        client.close();
        broker.close();
    }

    static List<Integer> versions() {
        return TestClient.versions(ApiKeys.LIST_OFFSETS);
    }

    @ParameterizedTest
    @MethodSource("versions")
    void earliestIsTheStartAndLatestTheEnd(int version) throws IOException {
        assertAnswer(version, ListOffsetsRequest.EARLIEST_TIMESTAMP, 0, -1);
        assertAnswer(version, ListOffsetsRequest.LATEST_TIMESTAMP, 6, -1);
        if (version >= 8) {
            assertAnswer(version, ListOffsetsRequest.EARLIEST_LOCAL_TIMESTAMP, 0, -1);
        }
    }

    @ParameterizedTest
    @MethodSource("versions")
    void aTimestampIsTheFirstRecordThatIsNotOlder(int version) throws IOException {
        assertAnswer(version, 0, 0, 1000);
        assertAnswer(version, 1000, 0, 1000);
        assertAnswer(version, 1001, 1, 1010);
        assertAnswer(version, 1011, 2, 2000);
        assertAnswer(version, 1995, 2, 2000);
        assertAnswer(version, 2001, 4, 2500);
        assertAnswer(version, 2500, 4, 2500);
        assertAnswer(version, 2501, -1, -1);
        assertAnswer(version, Long.MAX_VALUE, -1, -1);
    }

    /// Nobody looked at the records when they were stored. The first one claims 2 GiB, which must not be believed.
    @Test
    void recordsThatAreNoneAreToldAndCostNoMemory() throws IOException {
        TopicRef spoilt = client.create("spoilt", 1);
        ByteArrayOutputStream claim = new ByteArrayOutputStream();
        try (OutputStream gzip = new GZIPOutputStream(claim)) {
            gzip.write(new byte[] {-2, -1, -1, -1, 0x0F, 0, 0, 0});
        }
        byte[] header = Batches.of("one", "two").bytes();
        ByteBuffer batch =
                ByteBuffer.allocate(61 + claim.size()).put(header, 0, 61).put(claim.toByteArray());
        batch.putInt(8, batch.capacity() - 12).putShort(21, (short) 1); // length, gzip
        Batches.mendCrcs(batch.array(), 0, batch.capacity());
        client.append(spoilt, 0, batch.array());

        assertThat(client.listOffset(7, spoilt, 0, Batches.T0_MS + 1).errorCode())
                .isEqualTo(Errors.INVALID_RECORD.code());
    }

    private static void assertAnswer(int version, long asked, long offset, long timestamp) throws IOException {
        ListOffsetsPartitionResponse answer = client.listOffset(version, topic, 0, asked);
        assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.NONE);
        assertThat(answer.offset()).as("offset for %d", asked).isEqualTo(offset);
        assertThat(answer.timestamp()).isEqualTo(timestamp);
        assertThat(answer.leaderEpoch()).isEqualTo(version >= 4 && offset >= 0 ? 0 : -1);
    }

    @ParameterizedTest
    @ValueSource(ints = {7, 8, 9, 10, 11})
    void maxTimestampIsTheRecordWithTheLargest(int version) throws IOException {
        assertAnswer(version, ListOffsetsRequest.MAX_TIMESTAMP, 4, 2500);
    }

    @Test
    void anEmptyPartitionHasNoRecordForATimestamp() throws IOException {
        assertThat(client.listOffset(11, topic, 1, 0).offset()).isEqualTo(-1);
        assertThat(client.listOffset(11, topic, 1, ListOffsetsRequest.MAX_TIMESTAMP)
                        .offset())
                .isEqualTo(-1);
        assertThat(client.listOffset(11, topic, 1, ListOffsetsRequest.LATEST_TIMESTAMP)
                        .offset())
                .isZero();
    }

    /// As in Kafka: a kind of question is refused in the versions that did not have it.
    @ParameterizedTest
    @CsvSource({"-3, 6", "-4, 7", "-5, 8", "-6, 10", "-7, 11", "-100, 11"})
    void aNegativeTimestampThatMeansNothingYetIsRefused(long timestamp, int version) throws IOException {
        assertThat(Errors.forCode(
                        client.listOffset(version, topic, 0, timestamp).errorCode()))
                .isEqualTo(Errors.UNSUPPORTED_VERSION);
    }

    @ParameterizedTest
    @MethodSource("versions")
    void whatDoesNotExistIsUnknown(int version) throws IOException {
        assertThat(Errors.forCode(client.listOffset(version, topic, 2, -1).errorCode()))
                .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);
        assertThat(Errors.forCode(client.listOffset(version, topic, -1, -1).errorCode()))
                .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);
        assertThat(Errors.forCode(client.listOffset(version, new TopicRef("unknown", topic.id()), 0, -1)
                        .errorCode()))
                .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);
    }

    @Test
    void anEpochThatIsNotTheLeadersIsRefused() throws IOException {
        ListOffsetsRequestData request = new ListOffsetsRequestData()
                .setReplicaId(-1)
                .setTopics(List.of(new ListOffsetsTopic()
                        .setName(topic.name())
                        .setPartitions(List.of(new ListOffsetsPartition()
                                .setPartitionIndex(0)
                                .setCurrentLeaderEpoch(1)
                                .setTimestamp(-1)))));

        assertThat(Errors.forCode(client.raw
                        .ask(ApiKeys.LIST_OFFSETS, 11, request, ListOffsetsResponseData.class)
                        .topics()
                        .getFirst()
                        .partitions()
                        .getFirst()
                        .errorCode()))
                .isEqualTo(Errors.UNKNOWN_LEADER_EPOCH);
    }
}
