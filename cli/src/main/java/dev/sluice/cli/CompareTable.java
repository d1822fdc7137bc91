package dev.sluice.cli;

import dev.sluice.cli.compare.Direction;
import dev.sluice.cli.compare.Report;
import dev.sluice.cli.compare.Row;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// A comparison as text: what must be known, then a table for each direction, then what the marks mean.
final class CompareTable {
    private CompareTable() {}

    static void print(Report report, PrintStream out) {
        report.setting().forEach((name, value) -> out.println((name + ":" + " ".repeat(12)).substring(0, 12) + value));
        for (Direction direction : Direction.values()) {
            List<Row> rows = report.rows().stream()
                    .filter(row -> row.direction() == direction && !row.swept())
                    .toList();
            if (rows.isEmpty()) {
                continue;
            }
            out.println();
            out.println(direction.label() + ": " + direction.roles());
            String plan = report.plans().get(direction);
            if (plan != null) {
                out.println("* planned:  " + plan);
            }
            out.println();
            if (report.states().size() > 1) {
                states(report.states(), rows).print(out);
            } else {
                table(rows).print(out);
            }
            notes(rows, out);
            sweep(report, direction, out);
        }
        out.println();
        Report.MARKS.forEach(out::println);
    }

    /// What the size of the buffer does, for the ways that were measured with more sizes than the table's.
    private static void sweep(Report report, Direction direction, PrintStream out) {
        List<Row> rows = report.rows().stream()
                .filter(row -> row.direction() == direction && row.runs() > 0 && !row.cold() && row.pieceBytes() > 0)
                .toList();
        List<String> swept = rows.stream()
                .filter(Row::swept)
                .map(CompareTable::name)
                .distinct()
                .toList();
        List<Integer> sizes =
                rows.stream().map(Row::pieceBytes).distinct().sorted().toList();
        if (swept.isEmpty()) {
            return;
        }
        List<String> head = new ArrayList<>(List.of("CPU s/GiB by size"));
        sizes.forEach(size -> head.add(size(size)));
        TextTable table = new TextTable(1, head.toArray(String[]::new));
        for (String name : swept) {
            List<String> cells = new ArrayList<>(List.of("  " + name));
            for (int size : sizes) {
                cells.add(rows.stream()
                        .filter(row -> name(row).equals(name) && row.pieceBytes() == size)
                        .findFirst()
                        .map(row -> figure("%.3f", row.cpuSecondsPerGib().median()))
                        .orElse("-"));
            }
            table.row(cells.toArray());
        }
        out.println();
        table.print(out);
    }

    /// The states of the way to the other side beside each other.
    private static TextTable states(List<String> states, List<Row> rows) {
        List<String> head = new ArrayList<>(List.of("method", "piece"));
        for (String state : states) {
            head.addAll(List.of(state + ": CPU", "other side", "GB/s", "copies"));
        }
        TextTable table = new TextTable(1, head.toArray(String[]::new));
        Map<String, List<Row>> lines = new LinkedHashMap<>();
        rows.forEach(row -> lines.computeIfAbsent(
                        (row.planned() ? "* " : "  ") + name(row) + "/" + row.pieceBytes(), _ -> new ArrayList<>())
                .add(row));
        lines.forEach((key, line) -> {
            Row first = line.getFirst();
            List<String> cells = new ArrayList<>(List.of((first.planned() ? "* " : "  ") + name(first), piece(first)));
            for (String state : states) {
                Row row = line.stream()
                        .filter(one -> one.state().equals(state) && one.runs() > 0)
                        .findFirst()
                        .orElse(null);
                if (row == null) {
                    cells.addAll(List.of("-", "-", "-", "-"));
                } else {
                    cells.add(figure("%.3f", row.cpuSecondsPerGib().median()));
                    cells.add(figure("%.3f", row.peerCpuSecondsPerGib().median()));
                    cells.add(speed(row.gigabytesPerSecond().median()));
                    cells.add(figure("~%.1f+", row.cpuCopies().value())
                            + figure("%.1f", row.dmaCopies().value()));
                }
            }
            table.row(cells.toArray());
        });
        return table;
    }

    private static TextTable table(List<Row> rows) {
        boolean twoSides = rows.stream().anyMatch(Row::hasOtherSide);
        boolean reads = rows.stream()
                .anyMatch(row -> row.runs() > 0 && row.deviceReadPerByte().most() >= 0.01);
        List<String> head =
                new ArrayList<>(List.of("method", "piece", "GB/s", "CPU s/GiB", "least-most", "user", "system"));
        if (twoSides) {
            head.add("other side");
        }
        boolean waits = rows.stream()
                .anyMatch(row -> row.runs() > 0 && row.majorFaultsPerMib().median() >= 0.005);
        head.addAll(List.of("calls/MiB", "switches/MiB", "copies CPU+DMA", "faults/MiB"));
        if (waits) {
            head.add("major");
        }
        head.addAll(List.of("thread sw/MiB", "irq/MiB", "softirq/MiB"));
        if (reads) {
            head.add("read from device");
        }
        TextTable table = new TextTable(1, head.toArray(String[]::new));
        for (Row row : rows) {
            if (row.runs() == 0) {
                continue;
            }
            Row.Spread cpu = row.cpuSecondsPerGib();
            String derived = row.calls().mark().equals("derived") ? "~" : "";
            List<String> cells = new ArrayList<>(List.of(
                    (row.planned() ? "* " : "  ") + name(row) + (row.cold() ? ", cold" : ""),
                    piece(row),
                    speed(row.gigabytesPerSecond().median()),
                    figure("%.3f", cpu.median()),
                    figure("%.2f-", cpu.least()) + figure("%.2f", cpu.most()),
                    figure("%.3f", row.userSecondsPerGib()),
                    figure("%.3f", row.systemSecondsPerGib())));
            if (twoSides) {
                cells.add(figure("%.3f", row.peerCpuSecondsPerGib().median()));
            }
            cells.addAll(List.of(
                    derived + count(row.callsPerMib().median()),
                    "~" + count(row.modeSwitchesPerMib().median()),
                    figure("~%.1f+", row.cpuCopies().value())
                            + figure("%.1f", row.dmaCopies().value()),
                    count(row.faultsPerMib().median())));
            if (waits) {
                cells.add(count(row.majorFaultsPerMib().median()));
            }
            cells.addAll(List.of(
                    count(row.contextSwitchesPerMib().median()),
                    count(row.interruptsPerMib().median()),
                    count(row.softirqsPerMib().median())));
            if (reads) {
                cells.add(figure("%.0f%%", 100 * row.deviceReadPerByte().median()));
            }
            table.row(cells.toArray());
        }
        return table;
    }

    private static String name(Row row) {
        return (row.isOurs() ? "" : row.family() + " ") + row.name();
    }

    private static String piece(Row row) {
        return row.pieceBytes() == 0 ? "-" : size(row.pieceBytes());
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
