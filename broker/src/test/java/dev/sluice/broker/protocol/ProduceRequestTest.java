package dev.sluice.broker.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProduceRequestTest {
    private static final int ROUNDS = 150;

    private final ProduceRequest request = new ProduceRequest(new NameCache(64));

    static List<Integer> versions() {
        return KafkaMessages.versions(ApiKeys.PRODUCE);
    }

    @Test
    void speaksTheVersionsThatKafkaSpeaks() {
        assertThat(ProduceRequest.OLDEST_VERSION).isEqualTo(ApiKeys.PRODUCE.oldestVersion());
        assertThat(ProduceRequest.NEWEST_VERSION).isEqualTo(ApiKeys.PRODUCE.latestVersion());
    }

    @ParameterizedTest
    @MethodSource("versions")
    void understandsWhatKafkaWrites(int version) {
        Seeded.runs(ROUNDS, random -> {
            ProduceRequestData data = KafkaMessages.produceRequest(random, version);
            WireReader reader = KafkaMessages.reader(KafkaMessages.bytes(data, version));

            request.wrap(reader, version);

            assertThat(request.totalPartitions())
                    .isEqualTo(data.topicData().stream()
                            .mapToInt(topic -> topic.partitionData().size())
                            .sum());
            assertThat(Descriptions.of(request, reader.memory())).isEqualTo(Descriptions.of(data));
        });
    }

    @ParameterizedTest
    @MethodSource("versions")
    void findsTheTransactionalId(int version) {
        var data = new ProduceRequestData().setTransactionalId("tx-1");
        WireReader reader = KafkaMessages.reader(KafkaMessages.bytes(data, version));

        request.wrap(reader, version);

        assertThat(new NameCache(1)
                        .name(reader.memory(), request.transactionalIdPosition(), request.transactionalIdLengthBytes()))
                .isEqualTo("tx-1");
    }

    @ParameterizedTest
    @MethodSource("versions")
    void goesOnToTheNextTopicPastPartitionsThatNobodyLookedAt(int version) {
        var data = new ProduceRequestData();
        for (int t = 0; t < 3; t++) {
            var topic = new TopicProduceData();
            topic = version < 13 ? topic.setName("t" + t) : topic.setTopicId(KafkaMessages.uuid(new Random(t)));
            for (int p = 0; p < 3; p++) {
                topic.partitionData()
                        .add(new PartitionProduceData()
                                .setIndex(10 * t + p)
                                .setRecords(KafkaMessages.records(new Random(p))));
            }
            data.topicData().add(topic);
        }
        request.wrap(KafkaMessages.reader(KafkaMessages.bytes(data, version)), version);

        var seen = new ArrayList<Integer>();
        for (int looks = 0; request.nextTopic(); looks++) {
            for (int i = 0; i < looks; i++) {
                assertThat(request.nextPartition()).isTrue();
                seen.add(request.partitionIndex());
            }
        }

        assertThat(seen).containsExactly(10, 20, 21);
    }

    @ParameterizedTest
    @MethodSource("versions")
    void understandsTheSameWhenBytesComeOneByOne(int version) {
        Seeded.runs(ROUNDS / 3, random -> {
            ProduceRequestData data = KafkaMessages.produceRequest(random, version);
            assertThat(walkAsReceived(KafkaMessages.bytes(data, version), version, false))
                    .isEqualTo(Descriptions.of(data));
        });
    }

    @ParameterizedTest
    @MethodSource("versions")
    void saysWhichBytesItNeedsNext(int version) {
        Seeded.runs(ROUNDS / 3, random -> {
            ProduceRequestData data = KafkaMessages.produceRequest(random, version);
            assertThat(walkAsReceived(KafkaMessages.bytes(data, version), version, true))
                    .isEqualTo(Descriptions.of(data));
        });
    }

    /// Walks a request of which bytes come one by one, or as many as are asked for. What has not come yet is not
    /// there to be read.
    private List<String> walkAsReceived(byte[] bytes, int version, boolean asNeeded) {
        MemorySegment memory = KafkaMessages.memory(bytes, 0, bytes.length);
        MemorySegment arrived = KafkaMessages.memory(bytes, 0, bytes.length).fill((byte) 0xff);
        request.begin(new WireReader().over(arrived, KafkaMessages.OFFSET, arrived.byteSize()), version);
        var lines = new ArrayList<String>();
        long received = KafkaMessages.OFFSET;
        while (true) {
            switch (request.advance(received)) {
                case HEAD -> lines.add(Descriptions.head(request));
                case TOPIC -> lines.add(Descriptions.topic(request));
                case PARTITION -> {
                    assertThat(received)
                            .as("a partition is known before its records")
                            .isEqualTo(request.recordsPosition());
                    lines.add(Descriptions.partition(request, memory));
                }
                case STARVED -> {
                    assertThat(received).isLessThan(request.neededEnd());
                    long end = asNeeded ? request.neededEnd() : received + 1;
                    MemorySegment.copy(memory, received, arrived, received, end - received);
                    received = end;
                }
                case END -> {
                    assertThat(received).isEqualTo(memory.byteSize());
                    assertThat(request.advance(received)).isEqualTo(ProduceRequest.Step.END);
                    return lines;
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1, 2, 14, Short.MAX_VALUE})
    void refusesAVersionThatIsNone(int version) {
        assertThatExceptionOfType(MalformedRequestException.class)
                .isThrownBy(() -> request.wrap(KafkaMessages.reader(new byte[64]), version))
                .withMessageContaining("no version " + version);
    }

    @ParameterizedTest
    @MethodSource("versions")
    void refusesTheWholeRequestWhenItsLastPartitionIsMalformed(int version) {
        var topic = new TopicProduceData();
        topic = version < 13 ? topic.setName("t") : topic.setTopicId(KafkaMessages.uuid(new Random(1)));
        for (int p = 0; p < 2; p++) {
            topic.partitionData()
                    .add(new PartitionProduceData()
                            .setIndex(p)
                            .setRecords(MemoryRecords.readableRecords(ByteBuffer.allocate(100))));
        }
        var data = new ProduceRequestData();
        data.topicData().add(topic);
        byte[] bytes = KafkaMessages.bytes(data, version);
        WireReader reader = KafkaMessages.reader(bytes, 0, bytes.length - 4);

        assertThatExceptionOfType(MalformedRequestException.class)
                .isThrownBy(() -> request.wrap(reader, version))
                .withMessageContaining("records");
    }
}
