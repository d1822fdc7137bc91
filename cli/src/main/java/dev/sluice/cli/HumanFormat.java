package dev.sluice.cli;

import java.time.Duration;
import java.util.Locale;

/// Figures for people: the same in every locale.
final class HumanFormat {
    private static final String[] BYTE_UNITS = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

    private HumanFormat() {}

    /// `1,234,567`.
    static String count(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    /// `1,234,567 records`, `1 record`.
    static String count(long number, String singular) {
        return count(number) + " " + singular + (number == 1 ? "" : "s");
    }

    /// `312 B`, `1.5 KiB`, `118 MiB`: three digits that count.
    static String bytes(long bytes) {
        return bytes((double) bytes);
    }

    /// The same of an average or a rate.
    static String bytes(double bytes) {
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < BYTE_UNITS.length - 1) {
            value /= 1024;
            unit++;
        }
        int decimals = unit == 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
        return String.format(Locale.ROOT, "%." + decimals + "f %s", value, BYTE_UNITS[unit]);
    }

    /// `0.42 s`, `12.3 s`, `3 min 20 s`, `5 h 12 min`, `3 d 4 h`.
    static String duration(Duration duration) {
        double seconds = duration.toNanos() / 1e9;
        if (seconds < 60) {
            return String.format(Locale.ROOT, seconds < 10 ? "%.2f s" : "%.1f s", seconds);
        }
        if (duration.toHours() < 1) {
            return duration.toMinutes() + " min " + duration.toSecondsPart() + " s";
        }
        if (duration.toDays() < 1) {
            return duration.toHours() + " h " + duration.toMinutesPart() + " min";
        }
        return duration.toDays() + " d " + duration.toHoursPart() + " h";
    }
}
