package dev.sluice.cli;

import dev.sluice.cli.compare.Direction;
import dev.sluice.cli.compare.Report;
import dev.sluice.cli.compare.Row;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;

/// A comparison as text: what must be known, then a table for each direction, then what the marks mean.
final class CompareTable {
    private CompareTable() {}

    static void print(Report report, PrintStream out) {
        report.setting().forEach((name, value) -> out.println((name + ":" + " ".repeat(12)).substring(0, 12) + value));
        for (Direction direction : Direction.values()) {
            List<Row> rows = report.rows().stream()
                    .filter(row -> row.direction() == direction)
                    .toList();
            out.println();
            out.println(direction.label() + ": " + direction.roles());
            out.println("* planned:  " + report.plans().get(direction));
            out.println();
            table(rows).print(out);
            notes(rows, out);
        }
        out.println();
        Report.MARKS.forEach(out::println);
    }

    private static TextTable table(List<Row> rows) {
        TextTable table = new TextTable(
                1,
                "method",
                "piece",
                "GB/s",
                "CPU s/GiB",
                "least-most",
                "user",
                "system",
                "calls/MiB",
                "switches/MiB",
                "copies CPU+DMA",
                "faults/MiB");
        for (Row row : rows) {
            if (row.runs() == 0) {
                continue;
            }
            Row.Spread cpu = row.cpuSecondsPerGib();
            String derived = row.calls().mark().equals("derived") ? "~" : "";
            table.row(
                    (row.planned() ? "* " : "  ") + (row.isOurs() ? "" : row.family() + " ") + row.name(),
                    row.pieceBytes() == 0 ? "-" : size(row.pieceBytes()),
                    speed(row.gigabytesPerSecond().median()),
                    figure("%.3f", cpu.median()),
                    figure("%.2f-", cpu.least()) + figure("%.2f", cpu.most()),
                    figure("%.3f", row.userSecondsPerGib()),
                    figure("%.3f", row.systemSecondsPerGib()),
                    derived + count(row.callsPerMib().median()),
                    "~" + count(row.modeSwitchesPerMib().median()),
                    figure("~%.1f+", row.cpuCopies().value())
                            + figure("%.1f", row.dmaCopies().value()),
                    count(row.faultsPerMib().median()));
        }
        return table;
    }

    /// What has no figures, and what went otherwise than its name says.
    private static void notes(List<Row> rows, PrintStream out) {
        rows.stream()
                .filter(row -> row.unavailable().isPresent())
                .map(row -> "unavailable: " + row.family() + " " + row.name() + ": "
                        + row.unavailable().get())
                .distinct()
                .forEach(out::println);
        rows.stream()
                .filter(row -> row.runs() > 0 && !row.remark().isEmpty())
                .map(row -> row.family() + " " + row.name() + ": " + row.remark())
                .distinct()
                .forEach(out::println);
    }

    /// `4K`, `1M`, as it is written in options.
    static String size(long bytes) {
        if (bytes % (1 << 20) == 0) {
            return (bytes >> 20) + "M";
        }
        return bytes % (1 << 10) == 0 ? (bytes >> 10) + "K" : Long.toString(bytes);
    }

    private static String count(double number) {
        return figure(number < 9.95 && number != Math.rint(number) ? "%.2f" : "%.0f", number);
    }

    private static String speed(double gigabytesPerSecond) {
        return figure(gigabytesPerSecond < 0.1 ? "%.4f" : "%.2f", gigabytesPerSecond);
    }

    private static String figure(String format, double number) {
        return String.format(Locale.ROOT, format, number);
    }
}
