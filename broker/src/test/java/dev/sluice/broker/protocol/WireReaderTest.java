package dev.sluice.broker.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.apache.kafka.common.utils.ByteUtils;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WireReaderTest {
    private static WireReader over(int... bytes) {
        byte[] all = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            all[i] = (byte) bytes[i];
        }
        return KafkaMessages.reader(all);
    }

    private static void assertMalformed(ThrowingCallable read, String... message) {
        assertThatExceptionOfType(MalformedRequestException.class)
                .isThrownBy(read)
                .satisfies(e -> assertThat(e.getMessage()).contains(message));
    }

    @Test
    void readsNumbersBigEndianFromAnyPosition() {
        WireReader reader = over(0xff, 0x01, 0x02, 1, 2, 3, 4, 0x80, 0, 0, 0, 0, 0, 0, 5);

        assertThat(reader.readInt8("a")).isEqualTo((byte) -1);
        assertThat(reader.readInt16("b")).isEqualTo((short) 0x0102);
        assertThat(reader.readInt32("c")).isEqualTo(0x01020304);
        assertThat(reader.readInt64("d")).isEqualTo(Long.MIN_VALUE + 5);
        assertThat(reader.remaining()).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 127, 128, 16383, 16384, 2097151, 2097152, 268435455, 268435456, Integer.MAX_VALUE})
    void readsWhatKafkaWritesAsVarint(int value) {
        ByteBuffer buffer = ByteBuffer.allocate(5);
        ByteUtils.writeUnsignedVarint(value, buffer);
        WireReader reader = KafkaMessages.reader(buffer.array(), 0, buffer.position());

        assertThat(reader.readUnsignedVarint("n")).isEqualTo(value);
        assertThat(reader.remaining()).isZero();
    }

    @Test
    void readsAVarintThatIsLongerThanNeeded() {
        assertThat(over(0x81, 0x80, 0x00).readUnsignedVarint("n")).isEqualTo(1);
    }

    @Test
    void refusesAVarintOfMoreThan31Bits() {
        assertMalformed(() -> over(0xff, 0xff, 0xff, 0xff, 0x08).readUnsignedVarint("n"), "n at position 3", "31 bits");
        assertMalformed(() -> over(0xff, 0xff, 0xff, 0xff, 0xff, 0).readUnsignedVarint("n"), "31 bits");
    }

    @Test
    void namesTheFieldAndItsPositionWhenBytesAreMissing() {
        WireReader reader = over(1, 2, 3, 4, 5);
        reader.readInt16("first");

        assertMalformed(() -> reader.readInt32("second"), "second at position 5", "4 bytes needed", "3 left");
    }

    @Test
    void stopsAtTheLimitThoughTheMemoryGoesOn() {
        MemorySegment memory = KafkaMessages.memory(new byte[16], 0, 16);

        assertMalformed(() -> new WireReader().over(memory, 4, 11).readInt64("n"), "8 bytes needed", "7 left");
    }

    @Test
    void takesNoRangeOutsideTheMemory() {
        MemorySegment memory = KafkaMessages.memory(new byte[4], 0, 4);

        assertThatThrownBy(() -> new WireReader().over(memory, 0, memory.byteSize() + 1))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void leavesAStringsBytesBehindItself() {
        WireReader reader = over(0, 2, 'h', 'i', 7);

        assertThat(reader.readString("s", false)).isEqualTo(2);
        assertThat(reader.position()).isEqualTo(KafkaMessages.OFFSET + 4);
    }

    @Test
    void tellsNullFromEmpty() {
        assertThat(over(0xff, 0xff).readNullableString("s", false)).isEqualTo(-1);
        assertThat(over(0, 0).readNullableString("s", false)).isZero();
        assertThat(over(0).readNullableString("s", true)).isEqualTo(-1);
        assertThat(over(1).readNullableString("s", true)).isZero();
        assertThat(over(0xff, 0xff, 0xff, 0xff).readRecordsLength("r", false)).isEqualTo(-1);
        assertThat(over(0, 0, 0, 0).readRecordsLength("r", false)).isZero();
        assertThat(over(0).readRecordsLength("r", true)).isEqualTo(-1);
        assertThat(over(1).readRecordsLength("r", true)).isZero();
    }

    @Test
    void refusesNullWhereItMayNotBe() {
        assertMalformed(() -> over(0xff, 0xff).readString("s", false), "s at position 3", "null");
        assertMalformed(() -> over(0).readString("s", true), "s at position 3", "null");
        assertMalformed(() -> over(0).readCount("a", true, 1), "a at position 3", "null");
        assertMalformed(() -> over(0xff, 0xff, 0xff, 0xff).readCount("a", false, 1), "a at position 3", "null");
    }

    @Test
    void refusesACompactStringLongerThanAPlainOneCanBe() {
        byte[] bytes = new byte[40_000];
        ByteUtils.writeUnsignedVarint(Short.MAX_VALUE + 2, ByteBuffer.wrap(bytes));

        assertMalformed(() -> KafkaMessages.reader(bytes).readString("s", true), "32768 bytes");
    }

    @Test
    void believesNoCountThatTheRestCannotHold() {
        assertThat(over(0, 0, 0, 2, 9, 9, 9, 9).readCount("a", false, 2)).isEqualTo(2);
        assertMalformed(() -> over(0, 0, 0, 3, 9, 9, 9, 9).readCount("a", false, 2), "3 elements", "4 bytes");
        assertMalformed(() -> over(0x7f, 0xff, 0xff, 0xff).readCount("a", false, 1), "2147483647 elements");
    }

    @Test
    void passesOverTaggedFields() {
        WireReader reader = over(2, 0, 1, 0xaa, 0x85, 0x01, 3, 1, 2, 3, 42);

        reader.skipTags("tags");

        assertThat(reader.readInt8("next")).isEqualTo((byte) 42);
    }

    @Test
    void refusesTaggedFieldsThatReachBeyondTheEnd() {
        assertMalformed(() -> over(1, 0, 4, 1, 2, 3).skipTags("tags"), "4 bytes needed", "3 left");
        assertMalformed(() -> over(2, 0, 0, 1).skipTags("tags"), "2 tagged fields");
    }
}
