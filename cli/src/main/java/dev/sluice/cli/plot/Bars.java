package dev.sluice.cli.plot;

import static dev.sluice.cli.plot.HtmlPage.escaped;
import static dev.sluice.cli.plot.HtmlPage.figure;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Bars with the spread of their runs: panels beside each other, a line for each name. A bar longer than its panel's
/// scale is cut and says so.
public final class Bars {
    private static final int WIDTH = 1050;
    private static final int GAP = 50;
    private static final int LINE = 24;
    private static final int BAR = 14;
    private static final int HEAD = 44;
    private static final double CHARACTER = 7.1;

    private Bars() {}

    /// @param name   of its line; panels that have the same show it at the same height
    /// @param style  of [HtmlPage]: the colour
    /// @param first  how much of the bar is in that colour; the rest is in its `-user`
    /// @param median where the bar ends
    /// @param about  what is shown when it is pointed at
    public record Bar(
            String name,
            boolean starred,
            String style,
            double first,
            double median,
            double least,
            double most,
            String about) {}

    /// What stands below one title: at most one bar of each name.
    ///
    /// @param scale what its right edge stands for
    public record Panel(String title, double scale, List<Bar> bars) {}

    /// @param label what the picture is of, for those who can't see it
    public static String svg(String label, List<Panel> panels) {
        Map<String, Bar> lines = new LinkedHashMap<>();
        panels.forEach(panel -> panel.bars().forEach(bar -> lines.putIfAbsent(bar.name(), bar)));
        double labels = 20
                + CHARACTER
                        * lines.keySet().stream().mapToInt(String::length).max().orElse(0);
        double width = (WIDTH - labels - GAP * panels.size()) / panels.size();
        int height = HEAD + lines.size() * LINE + 8;
        StringBuilder svg = new StringBuilder("<svg viewBox=\"0 0 " + WIDTH + " " + height
                + "\" role=\"img\" aria-label=\"" + escaped(label) + "\">\n");
        for (int i = 0; i < panels.size(); i++) {
            double x = labels + i * (width + GAP);
            svg.append(text(x, 14, "", panels.get(i).title()));
            grid(svg, x, width, panels.get(i).scale(), height);
        }
        int y = HEAD;
        for (Bar line : lines.values()) {
            svg.append("<text x=\"" + figure("%.1f", labels - 10) + "\" y=\"" + (y + 13) + "\" text-anchor=\"end\">"
                    + escaped(line.name()) + (line.starred() ? " <tspan class=\"planned\">★</tspan>" : "")
                    + "</text>\n");
            for (int i = 0; i < panels.size(); i++) {
                for (Bar bar : panels.get(i).bars()) {
                    if (bar.name().equals(line.name())) {
                        bar(
                                svg,
                                bar,
                                labels + i * (width + GAP),
                                y + 2,
                                width,
                                panels.get(i).scale());
                    }
                }
            }
            y += LINE;
        }
        return svg.append("</svg>").toString();
    }

    private static void grid(StringBuilder svg, double x, double width, double scale, int height) {
        for (int tick = 0; tick <= 2; tick++) {
            double at = x + width * tick / 2;
            svg.append(figure("<line class=\"grid\" x1=\"%.1f\"", at))
                    .append(figure(" x2=\"%.1f\"", at))
                    .append(" y1=\"" + (HEAD - 6) + "\" y2=\"" + height + "\"/>\n")
                    .append(text(at - (tick == 0 ? 0 : 10), HEAD - 12, "soft small", Axis.label(scale * tick / 2)));
        }
    }

    private static void bar(StringBuilder svg, Bar bar, double x, int y, double width, double scale) {
        double first = Math.min(1, bar.first() / scale) * width;
        double whole = Math.min(1, bar.median() / scale) * width;
        svg.append("<g><title>" + escaped(bar.about()) + "</title>");
        svg.append(rect(x, y, first, bar.style())).append(rect(x + first, y, whole - first, bar.style() + "-user"));
        if (bar.median() > scale) {
            svg.append(text(x + width + 4, y + 11, "small", figure("→ %.1f", bar.median())));
        } else {
            double least = x + width * Math.min(1, bar.least() / scale);
            double most = x + width * Math.min(1, bar.most() / scale);
            svg.append(figure("<path class=\"whisker\" d=\"M%.1f ", least) + (y + 3) + "v8m0 -4" + figure("H%.1f", most)
                    + "m0 -4v8\"/>");
            String format = bar.median() >= 100 ? "%,.0f" : bar.median() >= 10 ? "%.1f" : "%.2f";
            svg.append(text(Math.max(most, x + whole) + 4, y + 11, "soft small", figure(format, bar.median())));
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
