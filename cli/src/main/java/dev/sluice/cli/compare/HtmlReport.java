package dev.sluice.cli.compare;

import static dev.sluice.cli.plot.HtmlPage.escaped;
import static dev.sluice.cli.plot.HtmlPage.figure;

import dev.sluice.cli.plot.HtmlPage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/// A comparison as one HTML file with pictures in it: no script, nothing fetched from anywhere. Follows the reader's
/// light or dark setting.
public final class HtmlReport {
    private final StringBuilder html = new StringBuilder(64 << 10);
    private final Report report;

    private HtmlReport(Report report) {
        this.report = report;
    }

    /// Writes the file, over what may be there.
    public static void write(Report report, Path file) throws IOException {
        Files.writeString(file, text(report));
    }

    static String text(Report report) {
        HtmlReport page = new HtmlReport(report);
        page.page();
        return page.html.toString();
    }

    private void page() {
        line(HtmlPage.head("What moving bytes costs here"));
        line("<p class=\"soft\">Processor seconds to move one GiB, by each way, and how fast it went.</p><dl>");
        report.setting()
                .forEach((name, value) -> line("<dt>" + escaped(name) + "</dt><dd>" + escaped(value) + "</dd>"));
        line("</dl>");
        for (Direction direction : Direction.values()) {
            direction(direction);
        }
        line("<h2>How to read this</h2>");
        Report.MARKS.forEach(mark -> line("<p>" + escaped(mark) + "</p>"));
        line("</body></html>");
    }

    private void direction(Direction direction) {
        List<Row> all = report.rows().stream()
                .filter(row -> row.direction() == direction)
                .toList();
        if (all.isEmpty()) {
            return;
        }
        List<Row> measured = all.stream().filter(row -> row.runs() > 0).toList();
        List<Row> rows =
                measured.stream().filter(row -> !row.swept() && !row.cold()).toList();
        line("<h2>" + direction.label() + "</h2><p class=\"soft\">" + escaped(direction.roles()) + "</p>");
        String plan = report.plans().get(direction);
        if (plan != null) {
            line("<p class=\"headline\"><b>Planned</b> <span class=\"soft\">(★)</span> " + escaped(plan) + "</p>");
        }
        if (!rows.isEmpty()) {
            cheapest(rows);
            legend(rows);
            if (report.states().size() > 1) {
                states(rows);
            } else {
                line(CpuBars.svg(CpuBars.bySize(rows)));
                line(
                        "<h3>Cost against speed <span class=\"soft\">(down and right is better; a bigger dot is a bigger piece)</span></h3>");
                line(CostPlot.svg(rows));
                sweep(measured.stream().filter(row -> !row.cold()).toList());
                cold(measured);
            }
        }
        missing(all);
        table(measured);
    }

    /// What a reader wants to know first.
    private void cheapest(List<Row> rows) {
        Row best = cheapestOf(rows);
        StringBuilder sentence = new StringBuilder("<p>Cheapest here: <b>" + told(best) + "</b>");
        rows.stream().filter(Row::planned).findFirst().ifPresent(_ -> {
            Row planned = cheapestOf(rows.stream().filter(Row::planned).toList());
            if (planned != best) {
                sentence.append("; the planned way ").append(told(planned));
            }
        });
        List<Row> others = rows.stream().filter(row -> !row.isOurs()).toList();
        if (!others.isEmpty() && best.isOurs()) {
            sentence.append("; the cheapest of the others ").append(told(cheapestOf(others)));
        }
        List<Row> ours = rows.stream().filter(Row::isOurs).toList();
        if (!ours.isEmpty() && !best.isOurs()) {
            sentence.append("; the cheapest of sluice's ").append(told(cheapestOf(ours)));
        }
        line(sentence.append(". Look at the whiskers before you believe a difference.</p>")
                .toString());
    }

    private static Row cheapestOf(List<Row> rows) {
        return rows.stream()
                .min(Comparator.comparingDouble(row -> row.cpuSecondsPerGib().median()))
                .orElseThrow();
    }

    private static String told(Row row) {
        return escaped(name(row)
                        + (row.pieceBytes() == 0 ? "" : ", " + size(row.pieceBytes()))
                        + (row.state().isEmpty() ? "" : ", " + row.state()))
                + figure(", %.3f s/GiB", row.cpuSecondsPerGib().median());
    }

    private void legend(List<Row> rows) {
        StringBuilder legend = new StringBuilder("<p class=\"legend soft\">");
        rows.stream()
                .map(HtmlReport::style)
                .distinct()
                .forEach(style -> legend.append("<span><i style=\"background:var(--" + style + ")\"></i>"
                        + (style.equals("ours") ? "sluice" : style.equals("jdk") ? "JDK" : "Netty")
                        + ", in the kernel</span><span><i style=\"background:var(--" + style
                        + "-user)\"></i>in user mode</span>"));
        line(legend.append("<span>├─┤ least to most of all runs</span></p>").toString());
    }

    /// The states of the way beside each other, a picture for each size.
    private void states(List<Row> rows) {
        for (CpuBars.Panel size : CpuBars.bySize(rows)) {
            line("<h3>" + escaped(size.title()) + "</h3>");
            line(CpuBars.svg(report.states().stream()
                    .map(state -> new CpuBars.Panel(
                            state,
                            size.rows().stream()
                                    .filter(row -> row.state().equals(state))
                                    .toList()))
                    .toList()));
        }
    }

    private void sweep(List<Row> rows) {
        Set<String> swept =
                rows.stream().filter(Row::swept).map(HtmlReport::name).collect(Collectors.toSet());
        String plot = SweepPlot.svg(rows.stream()
                .filter(row -> swept.isEmpty() || swept.contains(name(row)))
                .toList());
        if (!plot.isEmpty()) {
            line(
                    "<h3>What the size of pieces does <span class=\"soft\">(lower is cheaper; both scales in powers)</span></h3>");
            line(plot);
        }
    }

    private void cold(List<Row> rows) {
        List<Row> cold = rows.stream().filter(Row::cold).toList();
        if (cold.isEmpty()) {
            return;
        }
        List<Row> warm = rows.stream()
                .filter(row -> !row.cold()
                        && cold.stream()
                                .anyMatch(one -> name(one).equals(name(row)) && one.pieceBytes() == row.pieceBytes()))
                .toList();
        double read = cold.stream()
                .mapToDouble(row -> row.deviceReadPerByte().median())
                .average()
                .orElse(0);
        line("<h3>Warm and cold <span class=\"soft\">(cold: "
                + figure("%.0f%% of the bytes came from the device, by /proc/self/io)</span></h3>", 100 * read));
        line(CpuBars.svg(List.of(new CpuBars.Panel("warm", warm), new CpuBars.Panel("cold", cold))));
    }

    /// As pictures call a way.
    static String name(Row row) {
        return (row.isOurs() ? "" : row.family() + " ") + row.name();
    }

    /// The class of a way's colour.
    static String style(Row row) {
        return row.isOurs() ? "ours" : row.family().toLowerCase(Locale.ROOT);
    }

    private void missing(List<Row> all) {
        all.stream()
                .filter(row -> row.unavailable().isPresent())
                .map(row -> "<p class=\"soft\"><b>" + escaped(row.family() + " " + row.name()) + "</b> is unavailable: "
                        + escaped(row.unavailable().get()) + "</p>")
                .distinct()
                .forEach(this::line);
        all.stream()
                .filter(row -> row.runs() > 0 && !row.remark().isEmpty())
                .map(row -> "<p class=\"soft\"><b>" + escaped(row.family() + " " + row.name()) + "</b>: "
                        + escaped(row.remark()) + "</p>")
                .distinct()
                .forEach(this::line);
    }

    private void table(List<Row> rows) {
        line(
                "<details><summary>All figures</summary><div class=\"wide\"><table><tr><th>method</th><th>piece</th><th>GB/s</th>"
                        + "<th>least–most</th><th>CPU s/GiB</th><th>least–most</th><th>user</th><th>system</th><th>other side</th><th>calls/MiB</th>"
                        + "<th>switches/MiB</th><th>CPU copies</th><th>DMA copies</th><th>faults/MiB</th><th>of them major</th>"
                        + "<th>context switches/MiB</th><th>interrupts/MiB</th><th>softirqs/MiB</th><th>read from device</th></tr>");
        for (Row row : rows) {
            Row.Spread speed = row.gigabytesPerSecond();
            Row.Spread cpu = row.cpuSecondsPerGib();
            line((row.planned() ? "<tr class=\"planned\">" : "<tr>")
                    + cell(escaped(row.family() + " " + row.name() + (row.cold() ? ", cold" : "")
                            + (row.state().isEmpty() ? "" : ", " + row.state())))
                    + cell(row.pieceBytes() == 0 ? "–" : size(row.pieceBytes()))
                    + cell(figure("%.3f", speed.median()))
                    + cell(figure("%.3f", speed.least()) + "–" + figure("%.3f", speed.most()))
                    + cell(figure("%.3f", cpu.median()))
                    + cell(figure("%.3f", cpu.least()) + "–" + figure("%.3f", cpu.most()))
                    + cell(figure("%.3f", row.userSecondsPerGib()))
                    + cell(figure("%.3f", row.systemSecondsPerGib()))
                    + cell(
                            row.hasOtherSide()
                                    ? figure("%.3f", row.peerCpuSecondsPerGib().median())
                                    : "–")
                    + cell((row.calls().mark().equals("counted") ? "" : "~")
                            + figure("%.2f", row.callsPerMib().median()))
                    + cell("~" + figure("%.2f", row.modeSwitchesPerMib().median()))
                    + cell("~" + figure("%.1f", row.cpuCopies().value()))
                    + cell("~" + figure("%.1f", row.dmaCopies().value()))
                    + cell(figure("%.2f", row.faultsPerMib().median()))
                    + cell(figure("%.2f", row.majorFaultsPerMib().median()))
                    + cell(figure("%.1f", row.contextSwitchesPerMib().median()))
                    + cell(figure("%.1f", row.interruptsPerMib().median()))
                    + cell(figure("%.1f", row.softirqsPerMib().median()))
                    + cell(figure("%.0f%%", 100 * row.deviceReadPerByte().median()))
                    + "</tr>");
        }
        line("</table></div></details>");
    }

    private static String cell(String text) {
        return "<td>" + text + "</td>";
    }

    private void line(String text) {
        html.append(text).append('\n');
    }

    /// `4K`, `1M`.
    static String size(long bytes) {
        if (bytes % (1 << 20) == 0) {
            return (bytes >> 20) + "M";
        }
        return bytes % (1 << 10) == 0 ? (bytes >> 10) + "K" : Long.toString(bytes);
    }
}
