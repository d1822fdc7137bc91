package dev.sluice.broker.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.sluice.broker.protocol.RecordAdmission.RecordError;
import dev.sluice.io.memory.SlabPool;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.ProduceResponseData.BatchIndexAndErrorMessage;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.message.ProduceResponseData.TopicProduceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ProduceResponseWriterTest {
    private final SlabPool pool = new SlabPool();
    private final ProduceResponseWriter writer = new ProduceResponseWriter(pool);

    static List<Integer> versions() {
        return KafkaMessages.versions(ApiKeys.PRODUCE);
    }

    @AfterEach
    void nothingIsLeftTaken() {
        assertThat(pool.taken()).isZero();
    }

    @ParameterizedTest
    @MethodSource("versions")
    void writesTheBytesThatKafkaWrites(int version) {
        Seeded.runs(200, random -> {
            int correlationId = random.nextInt();
            var expected = new ProduceResponseData().setThrottleTimeMs(random.nextInt());

            int topics = random.nextInt(10) == 0 ? 200 : random.nextInt(4);
            writer.begin(correlationId, version, topics);
            for (; topics > 0; topics--) {
                expected.responses().add(writeTopic(random, version));
            }

            assertThat(frame(expected.throttleTimeMs()))
                    .isEqualTo(ResponseFrames.of(ApiKeys.PRODUCE, version, correlationId, expected));
        });
    }

    private TopicProduceResponse writeTopic(Random random, int version) {
        int partitions = random.nextInt(10) == 0 ? 200 : random.nextInt(4);
        var topic = new TopicProduceResponse();
        if (version >= 13) {
            Uuid id = KafkaMessages.uuid(random);
            topic.setTopicId(id);
            writer.topic(id.getMostSignificantBits(), id.getLeastSignificantBits(), partitions);
        } else {
            topic.setName(KafkaMessages.name(random));
            writer.topic(topic.name(), partitions);
        }
        for (; partitions > 0; partitions--) {
            var partition = new PartitionProduceResponse()
                    .setIndex(random.nextInt())
                    .setErrorCode((short) random.nextInt())
                    .setBaseOffset(random.nextLong())
                    .setLogAppendTimeMs(random.nextLong())
                    .setLogStartOffset(random.nextLong())
                    .setErrorMessage(random.nextBoolean() ? null : "No room \u2014 " + random.nextInt());
            List<RecordError> recordErrors = new ArrayList<>();
            for (int left = random.nextInt(8) == 0 ? random.nextInt(200) : 0; left > 0; left--) {
                recordErrors.add(new RecordError(random.nextInt(), "No key " + random.nextInt()));
            }
            if (version >= 8) {
                partition.setRecordErrors(recordErrors.stream()
                        .map(each -> new BatchIndexAndErrorMessage()
                                .setBatchIndex(each.index())
                                .setBatchIndexErrorMessage(each.message()))
                        .toList());
            }
            topic.partitionResponses().add(partition);
            writer.partition(
                    partition.index(),
                    partition.errorCode(),
                    partition.baseOffset(),
                    partition.logAppendTimeMs(),
                    partition.logStartOffset(),
                    partition.errorMessage(),
                    recordErrors);
        }
        return topic;
    }

    private byte[] frame(int throttleTimeMs) {
        MemorySegment memory = writer.end(throttleTimeMs);
        byte[] bytes = memory.asSlice(0, writer.lengthBytes()).toArray(ValueLayout.JAVA_BYTE);
        assertThat(pool.taken()).isEqualTo(1);
        pool.give(memory);
        return bytes;
    }

    @Test
    void cutsALongMessage() {
        String message = "x".repeat(ProduceResponseWriter.MESSAGE_CHARACTERS);
        var expected = new ProduceResponseData();
        expected.responses()
                .add(new TopicProduceResponse()
                        .setName("t")
                        .setPartitionResponses(List.of(new PartitionProduceResponse().setErrorMessage(message))));

        writer.begin(1, 9, 1);
        writer.topic("t", 1);
        writer.partition(0, (short) 0, 0, -1, -1, message + "y".repeat(100_000), List.of());

        assertThat(frame(0)).isEqualTo(ResponseFrames.of(ApiKeys.PRODUCE, 9, 1, expected));
    }

    @Test
    void givesTheMemoryBackWhenAbandoned() {
        writer.begin(1, 9, 1);
        assertThatIllegalArgumentException().isThrownBy(() -> writer.topic("x".repeat(40_000), 1));

        writer.abandon();
        writer.abandon();

        assertThat(pool.taken()).isZero();
    }

    @Test
    void abandonsAnUnfinishedFrameWhenTheNextOneBegins() {
        writer.begin(1, 9, 1);
        writer.topic("t", 1);

        writer.begin(2, 9, 0);

        assertThat(frame(0)).isEqualTo(ResponseFrames.of(ApiKeys.PRODUCE, 9, 2, new ProduceResponseData()));
    }

    @Test
    void writesNoVersionThatIsNone() {
        assertThatIllegalArgumentException().isThrownBy(() -> writer.begin(1, 2, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> writer.begin(1, 14, 0));
    }
}
