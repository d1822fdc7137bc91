package dev.sluice.cli.compare;

import static dev.sluice.cli.plot.HtmlPage.figure;

import dev.sluice.cli.plot.Axis;
import dev.sluice.cli.plot.Bars;
import java.util.ArrayList;
import java.util.List;

/// Bars of processor time, kernel and user time one after the other. One that would make all others stubs is cut: the
/// scale ends at three times the median.
final class CpuBars {
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
        double scale =
                scale(panels.stream().flatMap(panel -> panel.rows().stream()).toList());
        return Bars.svg(
                "Processor seconds a GiB",
                panels.stream()
                        .map(panel -> new Bars.Panel(
                                panel.title() + ", CPU s/GiB",
                                scale,
                                panel.rows().stream().map(CpuBars::bar).toList()))
                        .toList());
    }

    private static double scale(List<Row> rows) {
        double[] costs = rows.stream()
                .mapToDouble(row -> row.cpuSecondsPerGib().median())
                .sorted()
                .toArray();
        return Axis.roundUp(Math.min(costs[costs.length - 1], 3 * costs[costs.length / 2]));
    }

    private static Bars.Bar bar(Row row) {
        Row.Spread cpu = row.cpuSecondsPerGib();
        return new Bars.Bar(
                HtmlReport.name(row),
                row.planned(),
                HtmlReport.style(row),
                row.systemSecondsPerGib(),
                cpu.median(),
                cpu.least(),
                cpu.most(),
                row.family() + " " + row.name() + figure(": %.3f s/GiB", cpu.median())
                        + figure(" (%.3f to ", cpu.least()) + figure("%.3f), ", cpu.most())
                        + figure("%.2f GB/s", row.gigabytesPerSecond().median()));
    }
}
