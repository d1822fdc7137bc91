package dev.sluice.broker.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.sluice.io.memory.SlabPool;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.FetchableTopicResponse;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class FetchResponseWriterTest {
    private final SlabPool pool = new SlabPool();
    private final FetchResponseWriter writer = new FetchResponseWriter(pool);

    /// Of partitions that have some, in the order in which they were told.
    private final List<byte[]> records = new ArrayList<>();

    static List<Integer> versions() {
        return KafkaMessages.versions(ApiKeys.FETCH);
    }

    @AfterEach
    void nothingIsLeftTaken() {
        assertThat(pool.taken()).isZero();
    }

    @ParameterizedTest
    @MethodSource("versions")
    void writesTheBytesThatKafkaWritesAroundTheRecords(int version) {
        Seeded.runs(200, random -> {
            records.clear();
            int correlationId = random.nextInt();
            var expected = new FetchResponseData()
                    .setThrottleTimeMs(random.nextInt())
                    .setErrorCode((short) random.nextInt())
                    .setSessionId(version >= 7 ? random.nextInt() : 0);

            int topics = random.nextInt(10) == 0 ? 200 : random.nextInt(4);
            writer.begin(
                    correlationId,
                    version,
                    expected.throttleTimeMs(),
                    expected.errorCode(),
                    expected.sessionId(),
                    topics);
            for (; topics > 0; topics--) {
                expected.responses().add(writeTopic(random, version));
            }

            assertThat(frame()).isEqualTo(ResponseFrames.of(ApiKeys.FETCH, version, correlationId, expected));
        });
    }

    private FetchableTopicResponse writeTopic(Random random, int version) {
        int partitions = random.nextInt(10) == 0 ? 200 : random.nextInt(4);
        var topic = new FetchableTopicResponse();
        if (version >= 13) {
            Uuid id = KafkaMessages.uuid(random);
            topic.setTopicId(id);
            writer.topic(id.getMostSignificantBits(), id.getLeastSignificantBits(), partitions);
        } else {
            topic.setTopic(KafkaMessages.name(random));
            writer.topic(topic.topic(), partitions);
        }
        for (; partitions > 0; partitions--) {
            topic.partitions().add(writePartition(random, version));
        }
        return topic;
    }

    private PartitionData writePartition(Random random, int version) {
        var partition = new PartitionData()
                .setPartitionIndex(random.nextInt())
                .setErrorCode((short) random.nextInt())
                .setHighWatermark(random.nextLong())
                .setLastStableOffset(random.nextLong())
                .setLogStartOffset(random.nextLong())
                .setPreferredReadReplica(version >= 11 ? random.nextInt() : -1)
                .setAbortedTransactions(random.nextBoolean() ? null : List.of());
        int length = -1;
        if (random.nextInt(10) > 0) {
            MemoryRecords some = KafkaMessages.records(random);
            partition.setRecords(some);
            length = some.sizeInBytes();
            if (length > 0) {
                records.add(bytes(some.buffer()));
            }
        }
        writer.partition(
                partition.partitionIndex(),
                partition.errorCode(),
                partition.highWatermark(),
                partition.lastStableOffset(),
                partition.logStartOffset(),
                partition.preferredReadReplica(),
                partition.abortedTransactions() != null,
                length);
        return partition;
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }

    /// Puts the frame together as a caller does.
    private byte[] frame() {
        MemorySegment memory = writer.end();
        byte[] written = memory.asSlice(0, writer.lengthBytes()).toArray(ValueLayout.JAVA_BYTE);
        assertThat(pool.taken()).isEqualTo(1);
        pool.give(memory);

        var frame = new ByteArrayOutputStream();
        int from = 0;
        assertThat(writer.cutCount()).isEqualTo(records.size());
        for (int i = 0; i < writer.cutCount(); i++) {
            int cut = Math.toIntExact(writer.cut(i));
            frame.write(written, from, cut - from);
            frame.writeBytes(records.get(i));
            from = cut;
        }
        frame.write(written, from, written.length - from);
        assertThat(writer.frameLengthBytes()).isEqualTo(frame.size());
        return frame.toByteArray();
    }

    @Test
    void refusesAFrameOfMoreThan2GiBAndGivesTheMemoryBackWhenAbandoned() {
        writer.begin(1, 18, 0, (short) 0, 0, 1);
        writer.topic(1, 2, 2);
        writer.partition(0, (short) 0, 0, 0, 0, -1, false, Integer.MAX_VALUE - 100);
        writer.partition(1, (short) 0, 0, 0, 0, -1, false, 100);
        assertThatExceptionOfType(ArithmeticException.class).isThrownBy(writer::end);

        writer.abandon();

        assertThat(pool.taken()).isZero();
    }

    @Test
    void writesNoVersionThatIsNone() {
        assertThatIllegalArgumentException().isThrownBy(() -> writer.begin(1, 3, 0, (short) 0, 0, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> writer.begin(1, 19, 0, (short) 0, 0, 0));
    }
}
