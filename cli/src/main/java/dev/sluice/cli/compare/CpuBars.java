package dev.sluice.cli.compare;

import static dev.sluice.cli.compare.HtmlReport.escaped;
import static dev.sluice.cli.compare.HtmlReport.figure;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Bars of processor time: panels beside each other, a line for each way, kernel and user time one after the other.
///
/// A bar that would make all others stubs is cut and says so: the scale ends at three times the median.
final class CpuBars {
    private static final int WIDTH = 1050;
    private static final int GAP = 50;
    private static final int LINE = 24;
    private static final int BAR = 14;
    private static final int HEAD = 44;
    private static final double CHARACTER = 7.1;

    private CpuBars() {}

    /// What stands below one title: at most one row of each way.
    record Panel(String title, List<Row> rows) {}

    /// A panel for each size of pieces; what knows no pieces stands in that of the largest.
    static List<Panel> bySize(List<Row> rows) {
        List<Integer> sizes = rows.stream()
                .map(Row::pieceBytes)
                .filter(size -> size > 0)
                .distinct()
                .sorted()
                .toList();
        List<Panel> panels = new ArrayList<>();
        for (int size : sizes) {
            panels.add(new Panel(
                    "pieces of " + HtmlReport.size(size),
                    rows.stream()
                            .filter(row ->
                                    row.pieceBytes() == size || (row.pieceBytes() == 0 && size == sizes.getLast()))
                            .toList()));
        }
        return panels;
    }

    static String svg(List<Panel> panels) {
        List<Row> all = panels.stream().flatMap(panel -> panel.rows().stream()).toList();
        Map<String, Row> ways = new LinkedHashMap<>();
        all.forEach(row -> ways.putIfAbsent(name(row), row));
        double labels = 20
                + CHARACTER
                        * ways.keySet().stream().mapToInt(String::length).max().orElse(0);
        double panel = (WIDTH - labels - GAP * panels.size()) / panels.size();
        double scale = scale(all);
        int height = HEAD + ways.size() * LINE + 8;
        StringBuilder svg = new StringBuilder("<svg viewBox=\"0 0 " + WIDTH + " " + height
                + "\" role=\"img\" aria-label=\"Processor seconds a GiB\">\n");
        for (int i = 0; i < panels.size(); i++) {
            double x = labels + i * (panel + GAP);
            svg.append(text(x, 14, "", panels.get(i).title() + ", CPU s/GiB"));
            grid(svg, x, panel, scale, height);
        }
        int y = HEAD;
        for (Map.Entry<String, Row> way : ways.entrySet()) {
            svg.append("<text x=\"" + figure("%.1f", labels - 10) + "\" y=\"" + (y + 13) + "\" text-anchor=\"end\">"
                    + escaped(way.getKey())
                    + (way.getValue().planned() ? " <tspan class=\"planned\">★</tspan>" : "") + "</text>\n");
            for (int i = 0; i < panels.size(); i++) {
                for (Row row : panels.get(i).rows()) {
                    if (name(row).equals(way.getKey())) {
                        bar(svg, row, labels + i * (panel + GAP), y + 2, panel, scale);
                    }
                }
            }
            y += LINE;
        }
        return svg.append("</svg>").toString();
    }

    private static String name(Row row) {
        return HtmlReport.name(row);
    }

    private static double scale(List<Row> rows) {
        double[] costs = rows.stream()
                .mapToDouble(row -> row.cpuSecondsPerGib().median())
                .sorted()
                .toArray();
        double most = Math.min(costs[costs.length - 1], 3 * costs[costs.length / 2]);
        return Axis.roundUp(most);
    }

    private static void grid(StringBuilder svg, double x, double panel, double scale, int height) {
        for (int tick = 0; tick <= 2; tick++) {
            double at = x + panel * tick / 2;
            svg.append(figure("<line class=\"grid\" x1=\"%.1f\"", at))
                    .append(figure(" x2=\"%.1f\"", at))
                    .append(" y1=\"" + (HEAD - 6) + "\" y2=\"" + height + "\"/>\n")
                    .append(text(at - (tick == 0 ? 0 : 10), HEAD - 12, "soft small", Axis.label(scale * tick / 2)));
        }
    }

    private static void bar(StringBuilder svg, Row row, double x, int y, double panel, double scale) {
        Row.Spread cpu = row.cpuSecondsPerGib();
        String family = HtmlReport.style(row);
        double system = Math.min(1, row.systemSecondsPerGib() / scale) * panel;
        double whole = Math.min(1, cpu.median() / scale) * panel;
        svg.append("<g><title>" + escaped(row.family() + " " + row.name())
                + figure(": %.3f s/GiB", cpu.median()) + figure(" (%.3f to ", cpu.least())
                + figure("%.3f), ", cpu.most())
                + figure("%.2f GB/s</title>", row.gigabytesPerSecond().median()));
        svg.append(rect(x, y, system, family)).append(rect(x + system, y, whole - system, family + "-user"));
        if (cpu.median() > scale) {
            svg.append(text(x + panel + 4, y + 11, "small", figure("→ %.1f", cpu.median())));
        } else {
            double least = x + panel * Math.min(1, cpu.least() / scale);
            double most = x + panel * Math.min(1, cpu.most() / scale);
            svg.append(figure("<path class=\"whisker\" d=\"M%.1f ", least) + (y + 3) + "v8m0 -4" + figure("H%.1f", most)
                    + "m0 -4v8\"/>");
            svg.append(text(Math.max(most, x + whole) + 4, y + 11, "soft small", figure("%.2f", cpu.median())));
        }
        svg.append("</g>\n");
    }

    private static String rect(double x, int y, double width, String style) {
        return figure("<rect x=\"%.1f\"", x) + " y=\"" + y + "\" height=\"" + BAR
                + figure("\" width=\"%.1f\"", Math.max(0, width)) + " class=\"" + style + "\"/>";
    }

    private static String text(double x, int y, String style, String text) {
        return figure("<text x=\"%.1f\"", x) + " y=\"" + y + "\" class=\"" + style + "\">" + escaped(text)
                + "</text>\n";
    }
}
