package dev.sluice.cli.compare;

import static dev.sluice.cli.plot.HtmlPage.escaped;
import static dev.sluice.cli.plot.HtmlPage.figure;

import dev.sluice.cli.plot.Axis;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/// A dot for each row: to the right the faster, further down the cheaper. Rows off the scale of [CpuBars] are left to
/// its cut bars.
final class CostPlot {
    private static final int WIDTH = 1050;
    private static final int HEIGHT = 330;
    private static final int LEFT = 60;
    private static final int RIGHT = 20;
    private static final int TOP = 14;
    private static final int BOTTOM = 44;
    private static final int TICKS = 4;

    private CostPlot() {}

    static String svg(List<Row> rows) {
        double[] costs = rows.stream()
                .mapToDouble(row -> row.cpuSecondsPerGib().median())
                .sorted()
                .toArray();
        double mostCost = Axis.roundUp(Math.min(costs[costs.length - 1], 3 * costs[costs.length / 2]));
        double mostSpeed = Axis.roundUp(rows.stream()
                .mapToDouble(row -> row.gigabytesPerSecond().median())
                .max()
                .orElse(1));
        StringBuilder svg = new StringBuilder("<svg viewBox=\"0 0 " + WIDTH + " " + HEIGHT
                + "\" role=\"img\" aria-label=\"Processor seconds a GiB against GB a second\">\n");
        for (int tick = 0; tick <= TICKS; tick++) {
            double x = x((double) tick / TICKS);
            double y = y((double) tick / TICKS);
            svg.append(String.format(
                    Locale.ROOT,
                    "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/><line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>%n",
                    x,
                    x,
                    TOP,
                    HEIGHT - BOTTOM,
                    LEFT,
                    WIDTH - RIGHT,
                    y,
                    y));
            svg.append(text(x, HEIGHT - BOTTOM + 17, "middle", Axis.label(mostSpeed * tick / TICKS)));
            svg.append(text(LEFT - 8, y + 4, "end", Axis.label(mostCost * tick / TICKS)));
        }
        svg.append(text((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 8, "middle", "GB/s"));
        svg.append("<text class=\"soft small\" text-anchor=\"middle\" transform=\"translate(14 "
                + (HEIGHT - BOTTOM + TOP) / 2 + ") rotate(-90)\">CPU s/GiB</text>\n");
        int[] sizes =
                rows.stream().mapToInt(Row::pieceBytes).distinct().sorted().toArray();
        for (Row row : rows) {
            double cost = row.cpuSecondsPerGib().median();
            if (cost <= mostCost) {
                double speed = row.gigabytesPerSecond().median();
                dot(svg, row, x(speed / mostSpeed), y(cost / mostCost), 4 + 3 * rank(sizes, row.pieceBytes()));
            }
        }
        name(svg, rows.stream().filter(Row::planned), mostSpeed, mostCost);
        name(svg, rows.stream().filter(row -> !row.isOurs()), mostSpeed, mostCost);
        return svg.append("</svg>").toString();
    }

    /// Names the cheapest alone: more names would lie on each other.
    private static void name(StringBuilder svg, Stream<Row> rows, double mostSpeed, double mostCost) {
        rows.min(Comparator.comparingDouble(row -> row.cpuSecondsPerGib().median()))
                .ifPresent(row -> {
                    double x = x(row.gigabytesPerSecond().median() / mostSpeed);
                    double y = y(row.cpuSecondsPerGib().median() / mostCost);
                    String name = HtmlReport.name(row)
                            + (row.pieceBytes() == 0 ? "" : " " + HtmlReport.size(row.pieceBytes()))
                            + (row.planned() ? " ★" : "");
                    // Ours above its dot, the other below, and not beyond the right edge.
                    svg.append(text(x, row.isOurs() ? y - 14 : y + 22, x > WIDTH - 200 ? "end" : "middle", name));
                });
    }

    private static int rank(int[] sizes, int size) {
        int smaller = 0;
        for (int other : sizes) {
            smaller += other > 0 && other < size ? 1 : 0;
        }
        return Math.min(smaller, 3);
    }

    private static double x(double share) {
        return LEFT + share * (WIDTH - LEFT - RIGHT);
    }

    private static double y(double share) {
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
    }

    private static void dot(StringBuilder svg, Row row, double x, double y, int radius) {
        svg.append(String.format(
                Locale.ROOT,
                "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%d\" class=\"%s\" fill-opacity=\".55\"><title>%s %s: %.2f GB/s, %.3f s/GiB</title></circle>%n",
                x,
                y,
                radius,
                HtmlReport.style(row),
                escaped(row.family() + " " + row.name()),
                row.pieceBytes() == 0 ? "" : HtmlReport.size(row.pieceBytes()),
                row.gigabytesPerSecond().median(),
                row.cpuSecondsPerGib().median()));
    }

    private static String text(double x, double y, String anchor, String text) {
        return figure("<text class=\"soft small\" x=\"%.1f\"", x) + figure(" y=\"%.1f\"", y) + " text-anchor=\""
                + anchor + "\">" + escaped(text) + "</text>\n";
    }
}
