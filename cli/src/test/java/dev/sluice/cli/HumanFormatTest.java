package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class HumanFormatTest {
    @Test
    void bytesHaveThreeDigitsThatCount() {
        assertThat(HumanFormat.bytes(0)).isEqualTo("0 B");
        assertThat(HumanFormat.bytes(1023)).isEqualTo("1023 B");
        assertThat(HumanFormat.bytes(1024)).isEqualTo("1.00 KiB");
        assertThat(HumanFormat.bytes(15.25 * 1024 * 1024)).isEqualTo("15.3 MiB");
        assertThat(HumanFormat.bytes(200L << 30)).isEqualTo("200 GiB");
    }

    @Test
    void countsHaveTheirPlural() {
        assertThat(HumanFormat.count(1, "record")).isEqualTo("1 record");
        assertThat(HumanFormat.count(0, "record")).isEqualTo("0 records");
        assertThat(HumanFormat.count(1_234_567, "record")).isEqualTo("1,234,567 records");
    }

    @Test
    void durationsHaveTwoUnitsAtMost() {
        assertThat(HumanFormat.duration(Duration.ofMillis(420))).isEqualTo("0.42 s");
        assertThat(HumanFormat.duration(Duration.ofMillis(12_340))).isEqualTo("12.3 s");
        assertThat(HumanFormat.duration(Duration.ofSeconds(200))).isEqualTo("3 min 20 s");
        assertThat(HumanFormat.duration(Duration.ofMinutes(312))).isEqualTo("5 h 12 min");
        assertThat(HumanFormat.duration(Duration.ofHours(76))).isEqualTo("3 d 4 h");
    }
}
