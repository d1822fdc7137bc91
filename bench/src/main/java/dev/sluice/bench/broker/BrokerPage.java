package dev.sluice.bench.broker;

import static dev.sluice.cli.plot.HtmlPage.escaped;
import static dev.sluice.cli.plot.HtmlPage.figure;

import dev.sluice.bench.tools.MarkedPage;
import dev.sluice.bench.tools.Ratios;
import dev.sluice.cli.plot.Axis;
import dev.sluice.cli.plot.Bars;
import dev.sluice.cli.plot.HtmlPage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/// What `bin/bench broker` has measured as one page with pictures: for each work a bar a subject, with least and most.
final class BrokerPage {
    private final StringBuilder html = new StringBuilder();

    /// @param conditions how it was measured, in a sentence or two
    BrokerPage(String conditions) throws IOException {
        line(HtmlPage.head("Sluice's broker beside its peers"));
        line("<p class=\"soft\">" + escaped(MarkedPage.circumstances() + ". " + conditions) + "</p>");
        line("<p class=\"legend soft\"><span><i style=\"background:var(--ours)\"></i>Sluice</span>"
                + "<span><i style=\"background:var(--jdk)\"></i>peers</span>"
                + "<span><i style=\"background:var(--netty)\"></i>the limit: a C program without a protocol</span>"
                + "<span>├─┤ least to most of all rounds; the bar ends at the median</span></p>");
    }

    /// @param runs by subject, as many for each
    void add(Work work, Map<Subject, List<Run>> runs) {
        boolean perGib = work.unit() == Work.Unit.GIB;
        List<Bars.Panel> panels = new ArrayList<>();
        panels.add(panel(
                perGib ? "server's CPU, s/GiB (less is better)" : "server's CPU, µs a request (less is better)",
                runs,
                run -> run.cost(work.unit())));
        if (work.program().equals("e2e")) {
            panels.add(panel("p50, ms (less is better)", runs, run -> run.field("p50Ms")));
            panels.add(panel("p99, ms (less is better)", runs, run -> run.field("p99Ms")));
        } else {
            panels.add(panel(
                    perGib ? "MiB/s (more is better)" : "requests/s (more is better)",
                    runs,
                    run -> run.rate(work.unit())));
        }
        line("<h2>" + escaped(work.name()) + "</h2>");
        line(Bars.svg(work.name(), panels));
        ratios(work, runs);
    }

    private static Bars.Panel panel(String title, Map<Subject, List<Run>> runs, ToDoubleFunction<Run> figure) {
        List<Bars.Bar> bars = new ArrayList<>();
        double most = 0;
        for (Map.Entry<Subject, List<Run>> each : runs.entrySet()) {
            double[] figures = GrowthPoint.all(each.getValue(), figure);
            Arrays.sort(figures);
            double median = Ratios.median(figures);
            if (Double.isNaN(median)) {
                continue;
            }
            String label = each.getKey().label;
            bars.add(new Bars.Bar(
                    label,
                    false,
                    style(each.getKey()),
                    median,
                    median,
                    figures[0],
                    figures[figures.length - 1],
                    label
                            + figure(": %.3f", median)
                            + figure(" (%.3f", figures[0])
                            + figure(" to %.3f)", figures[figures.length - 1])));
            most = Math.max(most, figures[figures.length - 1]);
        }
        return new Bars.Panel(title, Axis.roundUp(most), bars);
    }

    private static String style(Subject subject) {
        return switch (subject) {
            case SLUICE, SLUICE_DIRECT -> "ours";
            case LIMIT -> "netty";
            default -> "jdk";
        };
    }

    private void ratios(Work work, Map<Subject, List<Run>> runs) {
        List<Run> ours = runs.get(Subject.SLUICE);
        if (ours == null || runs.size() < 2) {
            return;
        }
        line(
                "<div class=\"wide\"><table><tr><th>sluice ÷ this: median (95%; pairs of a round)</th><th>CPU</th><th>rate</th></tr>");
        runs.forEach((subject, theirs) -> {
            if (subject != Subject.SLUICE) {
                line("<tr><td>" + subject.label + "</td><td>"
                        + Report.ratio(ours, theirs, run -> run.cost(work.unit())) + "</td><td>"
                        + Report.ratio(ours, theirs, run -> run.rate(work.unit())) + "</td></tr>");
            }
        });
        line("</table></div>");
    }

    void write(Path file) throws IOException {
        Files.writeString(file, html + "</body></html>\n");
    }

    private void line(String text) {
        html.append(text).append('\n');
    }
}
