package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.time.ZoneId;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// How single values of options are read.
class ArgumentValuesTest {
    private static final ZoneId ZONE = ZoneId.of("Europe/Zurich");

    @Test
    void escapesBecomeBytes() throws CommandFailure {
        assertThat(Escapes.bytes("--delimiter", "a\\n\\r\\t\\0\\\\\\x1F\\xffz"))
                .containsExactly('a', '\n', '\r', '\t', 0, '\\', 0x1F, 0xFF, 'z');
    }

    @Test
    void whatIsNoEscapeIsUtf8() throws CommandFailure {
        assertThat(Escapes.bytes("--delimiter", "é→"))
                .isEqualTo("é→".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        assertThat(Escapes.bytes("--delimiter", "")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"\\", "\\q", "\\x", "\\x1", "\\xZZ", "a\\"})
    void anUnknownEscapeIsRefused(String text) {
        assertThatThrownBy(() -> Escapes.bytes("--delimiter", text))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("--delimiter");
    }

    @Test
    void aBareNumberIsAnOffsetHoweverLarge() throws CommandFailure {
        assertThat(StartPosition.parse("0", ZONE)).isEqualTo(new StartPosition.Offset(0));
        assertThat(StartPosition.parse("1767225600000", ZONE)).isEqualTo(new StartPosition.Offset(1767225600000L));
    }

    @Test
    void wordsAndNegativeNumbersCountFromTheEnds() throws CommandFailure {
        assertThat(StartPosition.parse("beginning", ZONE)).isEqualTo(new StartPosition.Beginning());
        assertThat(StartPosition.parse("end", ZONE)).isEqualTo(new StartPosition.End());
        assertThat(StartPosition.parse("-10", ZONE)).isEqualTo(new StartPosition.BeforeEnd(10));
    }

    @Test
    void timesAreMillisecondsOrIso8601() throws CommandFailure {
        assertThat(StartPosition.parse("@1767225600000", ZONE)).isEqualTo(new StartPosition.Time(1767225600000L));
        assertTime("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z");
        assertTime("2026-01-31T12:00:00.123+02:00", "2026-01-31T10:00:00.123Z");
        assertTime("2026-01-31T12:00:00-05:00", "2026-01-31T17:00:00Z");
    }

    @Test
    void aTimeWithoutAZoneIsInTheUsersZone() throws CommandFailure {
        assertTime("2026-01-31T12:00", "2026-01-31T11:00:00Z");
        assertTime("2026-01-31", "2026-01-30T23:00:00Z");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "start",
                "-",
                "--5",
                "+5",
                "1.5",
                "@",
                "@-1",
                "@x",
                "2026-13-01",
                "12:00",
                "99999999999999999999"
            })
    void anyOtherStartIsRefused(String text) {
        assertThatThrownBy(() -> StartPosition.parse(text, ZONE))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("--from " + text)
                .hasMessageContaining("beginning");
    }

    @Test
    void addressesAreHostAndPort() throws CommandFailure {
        assertThat(HostPort.parseList("localhost:9092, [::1]:1,10.0.0.1:65535"))
                .containsExactly(
                        new HostPort("localhost", 9092), new HostPort("::1", 1), new HostPort("10.0.0.1", 65535));
        assertThat(HostPort.join(HostPort.parseList("[::1]:1,a:2"))).isEqualTo("[::1]:1,a:2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "localhost", ":9092", "a:", "a:x", "a:0", "a:65536", "::1:9092", "a:1,", "[]:1"})
    void whatIsNoAddressIsRefused(String text) {
        assertThatThrownBy(() -> HostPort.parseList(text))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("HOST:PORT");
    }

    @Test
    void theFirstEqualsSignEndsTheKey() throws CommandFailure {
        assertThat(KeyValue.parse("--set", "a=b=c")).isEqualTo(new KeyValue("a", "b=c"));
        assertThat(KeyValue.parse("--set", "a=")).isEqualTo(new KeyValue("a", ""));
        assertThatThrownBy(() -> KeyValue.parse("--set", "=b")).hasMessageContaining("--set KEY=VALUE");
        assertThatThrownBy(() -> KeyValue.parse("--set", "a")).hasMessageContaining("--set KEY=VALUE");
    }

    @Test
    void fieldsAreAListWithoutRepetition() throws CommandFailure {
        assertThat(RecordField.parseList("offset, key,value"))
                .isEqualTo(List.of(RecordField.OFFSET, RecordField.KEY, RecordField.VALUE));
        assertThatThrownBy(() -> RecordField.parseList("value,value")).hasMessageContaining("twice");
        assertThatThrownBy(() -> RecordField.parseList("topic")).hasMessageContaining("timestamp");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", "a b", "a/b", "ä", "../../etc/passwd"})
    void topicNamesFollowKafkasRules(String name) {
        assertThatThrownBy(() -> TopicName.checked(name))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("'" + name + "'");
    }

    @Test
    void aTopicNameMayHave249Letters() throws CommandFailure {
        assertThat(TopicName.checked("x".repeat(249))).hasSize(249);
        assertThatThrownBy(() -> TopicName.checked("x".repeat(250))).isInstanceOf(CommandFailure.class);
    }

    private static void assertTime(String text, String expected) throws CommandFailure {
        assertThat(StartPosition.parse(text, ZONE))
                .isEqualTo(new StartPosition.Time(Instant.parse(expected).toEpochMilli()));
    }
}
