package dev.sluice.cli;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;

/// Where in a partition to begin reading: the value of `--from`.
sealed interface StartPosition {
    /// At the oldest record that is there.
    record Beginning() implements StartPosition {}

    /// Behind the newest record.
    record End() implements StartPosition {}

    /// At the record with this number.
    record Offset(long offset) implements StartPosition {}

    /// So many records before the end, or at the beginning if there are fewer.
    record BeforeEnd(long count) implements StartPosition {}

    /// At the first record with this timestamp or a later one.
    record Time(long timestampMs) implements StartPosition {}

    /// `beginning`, `end`, `1234` (an offset), `-10` (the last ten), `@1767225600000` (ms since 1970), or a date or
    /// time by ISO
    /// 8601. A bare number is always an offset, however large: guessing would one day guess wrong.
    ///
    /// @param zone the zone of a time that names none
    static StartPosition parse(String text, ZoneId zone) throws CommandFailure {
        switch (text) {
            case "beginning" -> {
                return new Beginning();
            }
            case "end" -> {
                return new End();
            }
            default -> {
                // A number or a time, below.
            }
        }
        try {
            if (text.matches("-\\d+")) {
                return new BeforeEnd(Math.negateExact(Long.parseLong(text)));
            }
            if (text.matches("\\d+")) {
                return new Offset(Long.parseLong(text));
            }
            if (text.matches("@\\d+")) {
                return new Time(Long.parseLong(text.substring(1)));
            }
            return new Time(instant(text, zone).toEpochMilli());
        } catch (DateTimeException | ArithmeticException | NumberFormatException _) {
            throw CommandFailure.usage(
                    "--from " + text + " is none of: beginning, end, an offset such as 1234, -N for the last"
                            + " N, @MS (ms since 1970), a time such as 2026-01-31T12:00:00Z");
        }
    }

    private static Instant instant(String text, ZoneId zone) {
        int timeMark = text.indexOf('T');
        if (timeMark < 0) {
            return LocalDate.parse(text).atStartOfDay(zone).toInstant();
        }
        boolean hasZone = text.endsWith("Z") || text.indexOf('+', timeMark) > 0 || text.indexOf('-', timeMark) > 0;
        return hasZone
                ? OffsetDateTime.parse(text).toInstant()
                : LocalDateTime.parse(text).atZone(zone).toInstant();
    }
}
