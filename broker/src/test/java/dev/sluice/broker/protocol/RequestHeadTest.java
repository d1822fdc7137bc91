package dev.sluice.broker.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class RequestHeadTest {
    private final RequestHead head = new RequestHead();
    private final NameCache names = new NameCache(64);

    static List<ApiKeys> apis() {
        return Arrays.stream(ApiKeys.values()).filter(ApiKeys::hasValidVersion).toList();
    }

    private static byte[] bytes(RequestHeaderData header) {
        short headerVersion = ApiKeys.forId(header.requestApiKey()).requestHeaderVersion(header.requestApiVersion());
        return KafkaMessages.bytes(header, headerVersion);
    }

    private void assertSame(RequestHeaderData expected) {
        ApiKeys api = ApiKeys.forId(expected.requestApiKey());
        assertThat(head.apiKey()).isEqualTo(expected.requestApiKey());
        assertThat(head.apiVersion()).isEqualTo(expected.requestApiVersion());
        assertThat(head.correlationId()).isEqualTo(expected.correlationId());
        assertThat(head.headerVersion()).isEqualTo(api.requestHeaderVersion(expected.requestApiVersion()));
        assertThat(head.clientIdLengthBytes() < 0).isEqualTo(expected.clientId() == null);
        assertThat(head.clientId(names)).isEqualTo(expected.clientId() == null ? "" : expected.clientId());
    }

    @ParameterizedTest
    @MethodSource("apis")
    void readsTheHeaderOfEveryVersionAsKafkaWroteIt(ApiKeys api) {
        Seeded.runs(10, random -> {
            // One version below and some above those that exist: what is served is not the header's business.
            for (int version = api.oldestVersion() - 1; version <= api.latestVersion() + 3; version++) {
                RequestHeaderData header = KafkaMessages.header(random, api, version);
                byte[] bytes = bytes(header);
                WireReader reader = KafkaMessages.reader(bytes);

                head.parse(reader);

                assertSame(header);
                assertThat(reader.remaining()).isZero();
                assertThat(ApiHeaders.responseHeaderVersion(api.id, (short) version))
                        .isEqualTo(api.responseHeaderVersion((short) version));
            }
        });
    }

    @Test
    void waitsForAHeaderThatComesByteByByte() {
        Seeded.runs(20, random -> {
            RequestHeaderData header = KafkaMessages.header(random, ApiKeys.PRODUCE, 9);
            byte[] bytes = bytes(header);
            MemorySegment memory = KafkaMessages.memory(bytes, 0, bytes.length);
            WireReader reader = new WireReader().over(memory, KafkaMessages.OFFSET, memory.byteSize());

            long received = KafkaMessages.OFFSET;
            while (received < memory.byteSize()) {
                assertThat(head.parse(reader, received)).isFalse();
                assertThat(reader.position()).isEqualTo(KafkaMessages.OFFSET);
                received++;
            }

            assertThat(head.parse(reader, received)).isTrue();
            assertSame(header);
        });
    }

    @Test
    void leavesTheReaderToReadTheRestWhenThatHasCome() {
        byte[] bytes = KafkaMessages.request(
                KafkaMessages.header(new Random(1), ApiKeys.PRODUCE, 9), new ProduceRequestData().setAcks((short) 1));
        int bodyBytes = KafkaMessages.bytes(new ProduceRequestData(), 9).length;
        WireReader reader = KafkaMessages.reader(bytes);
        assertThat(head.parse(reader, reader.limit() - bodyBytes)).isTrue();

        var request = new ProduceRequest(names);
        request.wrap(reader, head.apiVersion());

        assertThat(request.acks()).isEqualTo((short) 1);
    }

    @Test
    void refusesEveryHeaderThatIsCutShort() {
        byte[] bytes = bytes(KafkaMessages.header(new Random(1), ApiKeys.FETCH, 12));
        for (int length = 0; length < bytes.length; length++) {
            WireReader reader = KafkaMessages.reader(bytes, 0, length);
            assertThatExceptionOfType(MalformedRequestException.class).isThrownBy(() -> head.parse(reader));
        }
    }

    // 4 to 7 are the keys of requests between brokers that Kafka 4 removed.
    @ParameterizedTest
    @ValueSource(ints = {-1, 4, 7, 200, Short.MAX_VALUE, Short.MIN_VALUE})
    void refusesAnUnknownApi(int key) {
        byte[] bytes = {(byte) (key >> 8), (byte) key, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0};

        assertThatExceptionOfType(MalformedRequestException.class)
                .isThrownBy(() -> head.parse(KafkaMessages.reader(bytes)))
                .withMessageContaining("unknown API " + key);
    }

    @Test
    void refusesAFrameThatIsNegativeOrTooLarge() {
        MemorySegment memory = KafkaMessages.memory(new byte[] {0, 0, 1, 0, -1, -1, -1, -1}, 0, 8);

        assertThat(Frames.size(memory, 3, 256)).isEqualTo(256);
        assertThatExceptionOfType(MalformedRequestException.class)
                .isThrownBy(() -> Frames.size(memory, 3, 255))
                .withMessageContaining("256 is not within 0 and 255");
        assertThatExceptionOfType(MalformedRequestException.class).isThrownBy(() -> Frames.size(memory, 7, 256));
    }
}
