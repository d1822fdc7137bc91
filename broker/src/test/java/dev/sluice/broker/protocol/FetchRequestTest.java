package dev.sluice.broker.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.List;
import java.util.Random;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class FetchRequestTest {
    private static final int ROUNDS = 150;

    private final NameCache names = new NameCache(64);
    private final FetchPlan plan = new FetchPlan();

    static List<Integer> versions() {
        return KafkaMessages.versions(ApiKeys.FETCH);
    }

    @Test
    void speaksTheVersionsThatKafkaSpeaks() {
        assertThat(FetchRequest.OLDEST_VERSION).isEqualTo(ApiKeys.FETCH.oldestVersion());
        assertThat(FetchRequest.NEWEST_VERSION).isEqualTo(ApiKeys.FETCH.latestVersion());
    }

    @ParameterizedTest
    @MethodSource("versions")
    void understandsWhatKafkaWrites(int version) {
        Seeded.runs(ROUNDS, random -> {
            byte[] bytes = KafkaMessages.bytes(KafkaMessages.fetchRequest(random, version), version);
            // Read back, because a message that was set by hand holds more than its version says.
            FetchRequestData data = KafkaParser.fetchData(bytes, version);
            WireReader reader = KafkaMessages.reader(bytes);

            FetchRequest.parse(reader, version, names, plan);

            assertThat(Descriptions.of(plan)).isEqualTo(Descriptions.of(data));
            assertThat(reader.remaining()).isZero();
        });
    }

    @ParameterizedTest
    @MethodSource("versions")
    void keepsThePlanWhenTheRequestsMemoryIsGone(int version) {
        byte[] bytes = KafkaMessages.bytes(KafkaMessages.fetchRequest(new Random(7), version), version);
        WireReader reader = KafkaMessages.reader(bytes);
        FetchRequest.parse(reader, version, names, plan);

        reader.memory().fill((byte) 0xff);

        assertThat(Descriptions.of(plan)).isEqualTo(Descriptions.of(KafkaParser.fetchData(bytes, version)));
    }

    @Test
    void forgetsTheRequestBefore() {
        byte[] large = KafkaMessages.bytes(KafkaMessages.fetchRequest(new Random(8), 18), 18);
        byte[] small = KafkaMessages.bytes(new FetchRequestData(), 4);
        FetchRequest.parse(KafkaMessages.reader(large), 18, names, plan);
        FetchRequest.parse(KafkaMessages.reader(small), 4, names, plan);

        assertThat(Descriptions.of(plan)).isEqualTo(Descriptions.of(KafkaParser.fetchData(small, 4)));
        assertThat(plan.isByTopicId()).isFalse();
    }

    @Test
    void givesUpTheMemoryOfAnUnusuallyLargeRequest() {
        var topic = new FetchRequestData.FetchTopic();
        for (int i = 0; i < 100_000; i++) {
            topic.partitions().add(new FetchRequestData.FetchPartition().setPartition(i));
        }
        var large = new FetchRequestData();
        large.topics().add(topic);
        for (int i = 0; i < 1000; i++) {
            large.topics().add(new FetchRequestData.FetchTopic());
        }
        FetchRequest.parse(KafkaMessages.reader(KafkaMessages.bytes(large, 18)), 18, names, plan);
        assertThat(plan.partitionCount()).isEqualTo(100_000);
        assertThat(plan.partitionIndex(99_999)).isEqualTo(99_999);

        plan.clear();

        assertThat(plan.partitionCapacity()).isLessThanOrEqualTo(1024);
        assertThat(plan.topics.capacity()).isLessThanOrEqualTo(256);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 3, 19, Short.MAX_VALUE})
    void refusesAVersionThatIsNone(int version) {
        assertThatExceptionOfType(MalformedRequestException.class)
                .isThrownBy(() -> FetchRequest.parse(KafkaMessages.reader(new byte[64]), version, names, plan))
                .withMessageContaining("no version " + version);
    }
}
