package dev.sluice.bench.broker;

import dev.sluice.bench.broker.Curve.Column;
import dev.sluice.bench.tools.Ratios;
import dev.sluice.bench.tools.Tools;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/// A measured curve as a table, as JSON, and as an SVG by gnuplot.
///
/// @param measured points of each subject, by size
record GrowthReport(Curve curve, Map<Subject, List<GrowthPoint>> measured) {
    String table() {
        List<Column> columns = curve.columns();
        StringBuilder text = new StringBuilder("| " + curve.axis + " | |");
        columns.forEach(column -> text.append(' ').append(column.head()).append(" |"));
        text.append("\n|---|---|").append("---|".repeat(columns.size())).append('\n');
        measured.forEach((subject, points) -> points.forEach(point -> {
            text.append("| ").append(label(point.x())).append(" | ").append(subject.label);
            columns.forEach(column -> text.append(" | ").append(figure(point.of(column.key()))));
            text.append(" |\n");
        }));
        return text.toString();
    }

    /// The median, and where there are several the least and the most.
    private static String figure(double[] figures) {
        double median = Ratios.median(figures);
        String format = median >= 100 ? "%,.0f" : median >= 10 ? "%.1f" : "%.2f";
        if (figures.length == 1) {
            return String.format(Locale.ROOT, format, median);
        }
        return String.format(
                Locale.ROOT,
                format + " (" + format + "–" + format + ")",
                median,
                Arrays.stream(figures).min().orElse(0),
                Arrays.stream(figures).max().orElse(0));
    }

    /// `64 KiB`, `10,000`.
    private String label(long x) {
        if (!curve.isOfBytes() || x % (1 << 10) != 0) {
            return String.format(Locale.ROOT, "%,d", x);
        }
        return x % (1 << 20) == 0 ? (x >> 20) + " MiB" : (x >> 10) + " KiB";
    }

    List<Map<String, Object>> rows() {
        List<Map<String, Object>> rows = new ArrayList<>();
        measured.forEach((subject, points) -> points.forEach(point -> {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("curve", curve.label());
            row.put("subject", subject.label);
            row.put("x", point.x());
            row.putAll(point.figures());
            rows.add(row);
        }));
        return rows;
    }

    /// Draws the curve to `NAME.svg`, from `NAME.dat` beside it.
    ///
    /// @return false where there is no gnuplot
    boolean draw(Path folder) throws IOException, InterruptedException {
        Path data = folder.resolve(curve.label() + ".dat");
        Files.writeString(data, columns());
        if (!Tools.isInstalled("gnuplot")) {
            return false;
        }
        Column beside = curve.columns().stream()
                .filter(column -> column.key().equals(curve.beside))
                .findAny()
                .orElseThrow();
        List<String> lines = new ArrayList<>();
        int block = 0;
        for (Subject subject : measured.keySet()) {
            int colour = block + 1;
            lines.add("'%s' index %d using 1:2 with linespoints lt %d lw 2 title '%s, %s'"
                    .formatted(data, block, colour, subject.label, Column.REQUEST.head()));
            lines.add("'%s' index %d using 1:3 axes x1y2 with linespoints lt %d dt 2 lw 2 title '%s, %s'"
                    .formatted(data, block, colour, subject.label, beside.head()));
            block++;
        }
        String ticks = measured.values().stream()
                .flatMap(List::stream)
                .map(GrowthPoint::x)
                .distinct()
                .map(x -> "'" + label(x) + "' " + x)
                .collect(Collectors.joining(", "));
        String script = """
                set terminal svg size 900,420 dynamic background '#ffffff' font 'sans-serif,13'
                set output '%s'
                set logscale x
                %s
                set xtics (%s)
                set xlabel '%s'
                set ylabel '%s'
                set y2label '%s'
                set ytics nomirror
                set y2tics
                set grid
                set key top center horizontal outside
                plot %s
                """.formatted(
                        folder.resolve(curve.label() + ".svg"),
                        curve.isOfBytes() ? "set logscale yy2" : "set yrange [0:*]; set y2range [0:*]",
                        ticks,
                        curve.axis,
                        Column.REQUEST.head(),
                        beside.head(),
                        String.join(", ", lines));
        Tools.Ended ended = Tools.run(List.of("gnuplot", "-e", script.replace("\n", ";")));
        if (ended.exitCode() != 0) {
            throw new IOException("gnuplot can't draw " + curve.label() + ": " + ended.output());
        }
        return true;
    }

    /// For gnuplot: a block a subject, of lines with x, microseconds a request, and what is drawn beside them.
    private String columns() {
        StringBuilder text = new StringBuilder();
        measured.forEach((subject, points) -> {
            text.append("# ").append(subject.label).append('\n');
            points.forEach(point -> text.append(String.format(
                    Locale.ROOT,
                    "%d %.4f %.4f%n",
                    point.x(),
                    point.median(Column.REQUEST.key()),
                    point.median(curve.beside))));
            text.append("\n\n");
        });
        return text.toString();
    }
}
