package dev.sluice.cli.compare;

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
    private static final String STYLE = """
            :root { color-scheme: light dark; --ink: #1d2530; --soft: #5c6773; --line: #d9dee4; --ground: #fff; --panel: #f6f8fa;
              --ours: #0b6e99; --ours-user: #7cc3de; --jdk: #8a6d3b; --jdk-user: #d9bd8b;
              --netty: #5b4b9e; --netty-user: #b5abdd; --mark: #c2410c; }
            @media (prefers-color-scheme: dark) { :root { --ink: #e6eaef; --soft: #9aa5b1; --line: #333c47; --ground: #14181d;
              --panel: #1c2229; --ours: #3aa3d0; --ours-user: #1f5f7c; --jdk: #c9a468; --jdk-user: #6f5a34;
              --netty: #9d8fe0; --netty-user: #4d4380; --mark: #fb923c; } }
            body { margin: 0 auto; max-width: 1100px; padding: 2rem 1.5rem 4rem; background: var(--ground); color: var(--ink);
              font: 16px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
            h1 { font-size: 1.9rem; margin: 0 0 .3rem; } h2 { font-size: 1.35rem; margin: 3rem 0 .2rem; }
            h3 { font-size: 1rem; margin: 1.6rem 0 .3rem; }
            p { margin: .3rem 0; } .soft { color: var(--soft); } .headline { font-size: 1.1rem; margin: .6rem 0 1rem; }
            dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; background: var(--panel); padding: 1rem 1.2rem;
              border-radius: 8px; font-size: .9rem; } dt { color: var(--soft); } dd { margin: 0; }
            svg { width: 100%; height: auto; display: block; } svg text { fill: var(--ink); font-size: 13px; }
            svg .soft { fill: var(--soft); } svg .small { font-size: 11.5px; } svg .grid { stroke: var(--line); }
            svg .whisker { stroke: var(--ink); stroke-width: 1.4; fill: none; } svg .planned { fill: var(--mark); }
            .ours { fill: var(--ours); } .ours-user { fill: var(--ours-user); } .jdk { fill: var(--jdk); } .jdk-user { fill: var(--jdk-user); }
            .netty { fill: var(--netty); } .netty-user { fill: var(--netty-user); } svg .line { fill: none; stroke-width: 2.2; }
            .ours-line { stroke: var(--ours); } .jdk-line { stroke: var(--jdk); } .netty-line { stroke: var(--netty); }
            svg .leader { stroke: var(--soft); stroke-width: .7; } svg .bold { font-weight: 700; }
            .legend span { display: inline-block; margin-right: 1.4rem; } .legend i { display: inline-block; width: .8rem; height: .8rem;
              margin-right: .4rem; border-radius: 2px; vertical-align: -1px; }
            table { border-collapse: collapse; font-size: .82rem; font-variant-numeric: tabular-nums; width: 100%; }
            th, td { text-align: right; padding: .18rem .5rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
            th:first-child, td:first-child { text-align: left; } th { color: var(--soft); font-weight: 600; }
            tr.planned td:first-child::after { content: " ★"; color: var(--mark); }
            .wide { overflow-x: auto; } summary { cursor: pointer; margin: 1rem 0 .4rem; color: var(--soft); }
            """;

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
        line("<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">");
        line("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
        line("<title>What moving bytes costs here</title><style>" + STYLE + "</style></head><body>");
        line("<h1>What moving bytes costs here</h1>");
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

    /// As text and attributes of HTML and SVG have it.
    public static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }

    static String figure(String format, double number) {
        return String.format(Locale.ROOT, format, number);
    }

    /// `4K`, `1M`.
    static String size(long bytes) {
        if (bytes % (1 << 20) == 0) {
            return (bytes >> 20) + "M";
        }
        return bytes % (1 << 10) == 0 ? (bytes >> 10) + "K" : Long.toString(bytes);
    }
}
