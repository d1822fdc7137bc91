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

    @Test
    void remembersAsManyNamesAsFitARow() {
        var row = new NameCache(4);
        var first = new ArrayList<String>();
        for (String name : new String[] {"a", "b", "c", "d"}) {
            first.add(row.name(KafkaMessages.memory(name.getBytes(StandardCharsets.UTF_8), 0, 1), 3, 1));
        }

        for (String name : first) {
            assertThat(row.name(KafkaMessages.memory(name.getBytes(StandardCharsets.UTF_8), 0, 1), 3, 1))
                    .isSameAs(name);
        }
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
