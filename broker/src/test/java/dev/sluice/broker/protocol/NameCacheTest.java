package dev.sluice.broker.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NameCacheTest {
    private final NameCache names = new NameCache(64);

    private String name(byte[] bytes) {
        MemorySegment memory = KafkaMessages.memory(bytes, 0, bytes.length);
        return names.name(memory, KafkaMessages.OFFSET, bytes.length);
    }

    private String exactName(byte[] bytes) {
        MemorySegment memory = KafkaMessages.memory(bytes, 0, bytes.length);
        return names.exactName("name", memory, KafkaMessages.OFFSET, bytes.length);
    }

    private String name(String name) {
        return name(name.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void answersTheSameStringForTheSameBytes() {
        String first = name("orders");

        assertThat(first).isEqualTo("orders");
        assertThat(name("orders")).isSameAs(first);
    }

    @Test
    void tellsNamesOfOneHashApart() {
        // Equal under the polynomial of 31: 'A' * 31 + 'a' = 'B' * 31 + 'B'.
        assertThat(name("Aa")).isEqualTo("Aa");
        assertThat(name("BB")).isEqualTo("BB");
        assertThat(name("Aa")).isEqualTo("Aa");
    }

    /// Names of one letter that follow each other go to the rows in turn.
    private static String letter(NameCache cache, char letter) {
        return cache.name(KafkaMessages.memory(new byte[] {(byte) letter}, 0, 1), KafkaMessages.OFFSET, 1);
    }

    @Test
    void remembersAsManyNamesAsItWasToldWhenTheyGoToRowsEvenly() {
        var cache = new NameCache(8);
        var first = new ArrayList<String>();
        for (char letter = 'a'; letter <= 'h'; letter++) {
            first.add(letter(cache, letter));
        }

        for (char letter = 'a'; letter <= 'h'; letter++) {
            assertThat(letter(cache, letter)).isSameAs(first.get(letter - 'a'));
        }
    }

    @Test
    void givesUpADifferentNameForEachNewOne() {
        var oneRow = new NameCache(4);
        for (char letter = 'a'; letter <= 'd'; letter++) {
            letter(oneRow, letter);
        }
        String e = letter(oneRow, 'e');
        letter(oneRow, 'f');

        assertThat(letter(oneRow, 'e')).isSameAs(e);
    }

    @Test
    void staysRightWhenMoreNamesComeThanItHolds() {
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < 1000; i++) {
                assertThat(name("topic-" + i)).isEqualTo("topic-" + i);
            }
        }
    }

    @Test
    void keepsNoNameLongerThanATopicsCanBe() {
        String longest = name("x".repeat(249));
        String longer = name("x".repeat(250));

        assertThat(name("x".repeat(249))).isSameAs(longest);
        assertThat(name("x".repeat(250))).isEqualTo(longer).isNotSameAs(longer);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "th\u00eame", "\u8a71\u984c", "\ud83d\udc1f", "\ufffd"})
    void decodesWhatIsNotAscii(String name) {
        assertThat(name(name)).isEqualTo(name);
        assertThat(exactName(name.getBytes(StandardCharsets.UTF_8))).isEqualTo(name);
    }

    @Test
    void replacesWhatIsNotUtf8UnlessItMustBeExact() {
        // A lone byte is replaced by one character, so the lengths alone don't tell.
        byte[] bytes = {'a', (byte) 0xff, 'b'};

        assertThat(name(bytes)).isEqualTo("a\ufffdb");
        assertThatExceptionOfType(MalformedRequestException.class)
                .isThrownBy(() -> exactName(bytes))
                .withMessageContaining("not UTF-8");
    }
}
