package dev.sluice.cli.compare;

import static dev.sluice.cli.plot.HtmlPage.escaped;
import static dev.sluice.cli.plot.HtmlPage.figure;

import dev.sluice.cli.plot.Axis;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A line for each way: processor time against the size of pieces, both on scales of powers, with the spread of the
/// runs behind it. Names stand at the right end, pushed apart where they would lie on each other.
final class SweepPlot {
    private static final int WIDTH = 1050;
    private static final int HEIGHT = 380;
    private static final int LEFT = 60;
    private static final int RIGHT = 235;
    private static final int TOP = 14;
    private static final int BOTTOM = 44;
    private static final int LABEL = 16;

    /// What tells lines of one colour apart.
    private static final String[] DASHES = {"", "7 4", "2 3", "10 3 2 3", "1 5"};

    private final StringBuilder svg = new StringBuilder();
    private final Map<String, List<Row>> lines = new LinkedHashMap<>();
    private final int leastBytes;
    private final int mostBytes;
    private final double leastCost;
    private final double mostCost;

    private SweepPlot(List<Row> rows) {
        rows.stream()
                .filter(row -> row.pieceBytes() > 0)
                .sorted(Comparator.comparingInt(Row::pieceBytes))
                .forEach(row -> lines.computeIfAbsent(HtmlReport.name(row), _ -> new ArrayList<>())
                        .add(row));
        // A line through two points tells nothing that the bars don't.
        lines.values().removeIf(line -> line.size() < 3);
        List<Row> drawn = lines.values().stream().flatMap(List::stream).toList();
        leastBytes = drawn.stream().mapToInt(Row::pieceBytes).min().orElse(1);
        mostBytes = drawn.stream().mapToInt(Row::pieceBytes).max().orElse(1);
        double least = drawn.stream()
                .mapToDouble(row -> row.cpuSecondsPerGib().median())
                .min()
                .orElse(1);
        double most = drawn.stream()
                .mapToDouble(row -> row.cpuSecondsPerGib().median())
                .max()
                .orElse(1);
        leastCost = Math.pow(10, Math.floor(Math.log10(Math.max(least, 1e-4)) * 2) / 2);
        mostCost = Math.pow(10, Math.ceil(Math.log10(Math.max(most, 1e-4)) * 2) / 2);
    }

    /// @return empty when no way was measured with three sizes
    static String svg(List<Row> rows) {
        SweepPlot plot = new SweepPlot(rows);
        return plot.lines.isEmpty() || plot.leastBytes == plot.mostBytes ? "" : plot.draw();
    }

    private String draw() {
        svg.append("<svg viewBox=\"0 0 " + WIDTH + " " + HEIGHT
                + "\" role=\"img\" aria-label=\"Processor seconds a GiB against the size of pieces\">\n");
        for (double cost : new double[] {0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50}) {
            if (cost >= leastCost * 0.999 && cost <= mostCost * 1.001) {
                line("grid", LEFT, y(cost), WIDTH - RIGHT, y(cost));
                text(LEFT - 8, y(cost) + 4, "end", "soft small", Axis.label(cost));
            }
        }
        lines.values().stream()
                .flatMap(List::stream)
                .mapToInt(Row::pieceBytes)
                .distinct()
                .sorted()
                .forEach(size -> {
                    line("grid", x(size), TOP, x(size), HEIGHT - BOTTOM);
                    text(x(size), HEIGHT - BOTTOM + 17, "middle", "soft small", HtmlReport.size(size));
                });
        text(
                (LEFT + WIDTH - RIGHT) / 2.0,
                HEIGHT - 8,
                "middle",
                "soft small",
                "most bytes that a call is asked to move");
        svg.append("<text class=\"soft small\" text-anchor=\"middle\" transform=\"translate(14 "
                + (HEIGHT - BOTTOM + TOP) / 2 + ") rotate(-90)\">CPU s/GiB</text>\n");
        int number = 0;
        Map<String, Double> ends = new LinkedHashMap<>();
        for (Map.Entry<String, List<Row>> one : lines.entrySet()) {
            curve(one.getKey(), one.getValue(), DASHES[number++ % DASHES.length]);
            ends.put(one.getKey(), y(one.getValue().getLast().cpuSecondsPerGib().median()));
        }
        names(ends);
        return svg.append("</svg>").toString();
    }

    private void curve(String name, List<Row> rows, String dash) {
        String style = HtmlReport.style(rows.getFirst());
        StringBuilder path = new StringBuilder();
        for (Row row : rows) {
            double at = row.cpuSecondsPerGib().median();
            path.append(path.isEmpty() ? "M" : "L")
                    .append(figure("%.1f ", x(row.pieceBytes())))
                    .append(figure("%.1f", y(at)));
        }
        svg.append("<path class=\"line " + style + "-line\" d=\"" + path + "\""
                + (dash.isEmpty() ? "" : " stroke-dasharray=\"" + dash + "\"") + "/>\n");
        for (Row row : rows) {
            Row.Spread cpu = row.cpuSecondsPerGib();
            svg.append(figure("<circle cx=\"%.1f\"", x(row.pieceBytes()))
                    + figure(" cy=\"%.1f\" r=\"4\"", y(cpu.median())) + " class=\"" + style + "\"><title>"
                    + escaped(name + ", " + HtmlReport.size(row.pieceBytes()))
                    + figure(": %.3f s/GiB", cpu.median()) + figure(" (%.3f to ", cpu.least())
                    + figure("%.3f)</title></circle>", cpu.most()) + "\n");
        }
    }

    /// From the highest to the lowest, each at its line's end or below the one before.
    private void names(Map<String, Double> ends) {
        double free = TOP;
        List<Map.Entry<String, Double>> sorted =
                ends.entrySet().stream().sorted(Map.Entry.comparingByValue()).toList();
        double room = HEIGHT - BOTTOM - (double) LABEL * sorted.size();
        for (Map.Entry<String, Double> end : sorted) {
            double y = Math.max(Math.min(end.getValue(), room + (double) LABEL * sorted.size()), free);
            Row last = lines.getOrDefault(end.getKey(), List.of()).getLast();
            line("leader", x(last.pieceBytes()) + 6, end.getValue(), WIDTH - RIGHT + 22, y);
            text(
                    WIDTH - RIGHT + 26,
                    y + 4,
                    "start",
                    last.planned() ? "small bold" : "small",
                    end.getKey() + (last.planned() ? " ★" : ""));
            free = y + LABEL;
        }
    }

    private double x(int bytes) {
        double share = Math.log((double) bytes / leastBytes) / Math.log((double) mostBytes / leastBytes);
        return LEFT + 14 + share * (WIDTH - LEFT - RIGHT - 28);
    }

    private double y(double cost) {
        double share = Math.log(Math.max(cost, leastCost) / leastCost) / Math.log(mostCost / leastCost);
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
    }

    private void line(String style, double x1, double y1, double x2, double y2) {
        svg.append("<line class=\"" + style + figure("\" x1=\"%.1f\"", x1) + figure(" y1=\"%.1f\"", y1)
                + figure(" x2=\"%.1f\"", x2) + figure(" y2=\"%.1f\"/>", y2) + "\n");
    }

    private void text(double x, double y, String anchor, String style, String text) {
        svg.append(figure("<text x=\"%.1f\"", x) + figure(" y=\"%.1f\"", y) + " text-anchor=\"" + anchor + "\" class=\""
                + style + "\">" + escaped(text) + "</text>\n");
    }
}
