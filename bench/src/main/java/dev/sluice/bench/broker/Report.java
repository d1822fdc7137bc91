package dev.sluice.bench.broker;

import dev.sluice.bench.tools.Ratios;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/// What was measured, as a table and as JSON.
final class Report {
    private Report() {}

    /// @param runs by subject, as many for each
    static String table(Work work, Map<Subject, List<Run>> runs) {
        boolean perGib = work.unit() == Work.Unit.GIB;
        StringBuilder text = new StringBuilder(String.format(
                Locale.ROOT,
                "%n%s%n| | server's CPU, %s | whole machine's | %s | p50 ms | p99 ms | CPU, sluice ÷ this: median (95%%; pairs) | rate, sluice ÷ this |%n"
                        + "|---|---|---|---|---|---|---|---|%n",
                work.name(),
                perGib ? "s/GiB" : "µs/request",
                perGib ? "MiB/s" : "requests/s"));
        List<Run> ours = runs.get(Subject.SLUICE);
        runs.forEach((subject, theirs) -> text.append(String.format(
                Locale.ROOT,
                "| %s | %s | %s | %s | %s | %s | %s | %s |%n",
                subject.label,
                spread(theirs, run -> run.cost(work.unit())),
                spread(theirs, run -> run.machineCost(work.unit())),
                spread(theirs, run -> run.rate(work.unit())),
                spread(theirs, run -> run.field("p50Ms")),
                spread(theirs, run -> run.field("p99Ms")),
                subject == Subject.SLUICE || ours == null ? "" : ratio(ours, theirs, run -> run.cost(work.unit())),
                subject == Subject.SLUICE || ours == null ? "" : ratio(ours, theirs, run -> run.rate(work.unit())))));
        if (work.kind() == Work.Kind.COLD) {
            runs.forEach((subject, theirs) -> text.append(String.format(
                    Locale.ROOT,
                    "%n%s: %s bytes read from the device for each byte of the topic, by %d at once",
                    subject.label,
                    spread(theirs, run -> run.deviceReads(work.consumers())),
                    work.consumers())));
            text.append(System.lineSeparator());
        }
        if (work.kind() == Work.Kind.LAGGARD) {
            runs.forEach((subject, theirs) -> text.append(laggard(subject, theirs)));
        }
        return text.toString();
    }

    private static String laggard(Subject subject, List<Run> runs) {
        return String.format(
                Locale.ROOT,
                "%n%s: alone p50 %s ms, p99 %s ms; beside the laggard, p99 is so many times that: %s; the laggard read %s MiB/s;"
                        + " of another topic %s was in the page cache before, %s after%n",
                subject.label,
                spread(runs, run -> run.field("aloneP50Ms")),
                spread(runs, run -> run.field("aloneP99Ms")),
                spread(runs, run -> run.field("p99Ms") / run.field("aloneP99Ms")),
                spread(runs, run -> run.field("laggardMib") / run.field("seconds")),
                spread(runs, run -> run.field("hotBefore")),
                spread(runs, run -> run.field("hotAfter")));
    }

    static String ratio(List<Run> ours, List<Run> theirs, ToDoubleFunction<Run> figure) {
        return Ratios.of(
                        ours.stream().mapToDouble(figure).toArray(),
                        theirs.stream().mapToDouble(figure).toArray())
                .toString();
    }

    static String spread(List<Run> runs, ToDoubleFunction<Run> figure) {
        double[] figures = runs.stream().mapToDouble(figure).toArray();
        double median = Ratios.median(figures);
        if (Double.isNaN(median)) {
            return "";
        }
        String format = median >= 100 ? "%.0f" : median >= 10 ? "%.1f" : "%.2f";
        return String.format(
                Locale.ROOT,
                format + " / **" + format + "** / " + format,
                Arrays.stream(figures).min().orElse(0),
                median,
                Arrays.stream(figures).max().orElse(0));
    }

    static List<Map<String, Object>> rows(Work work, Map<Subject, List<Run>> runs) {
        List<Map<String, Object>> rows = new ArrayList<>();
        runs.forEach((subject, all) -> {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("work", work.name());
            row.put("subject", subject.label);
            row.put("unit", work.unit() == Work.Unit.GIB ? "GiB" : "request");
            row.put("serverCpu", GrowthPoint.all(all, run -> run.cost(work.unit())));
            row.put("machineCpu", GrowthPoint.all(all, run -> run.machineCost(work.unit())));
            row.put("faultsPerGib", GrowthPoint.all(all, Run::faultsPerGib));
            row.put("rate", GrowthPoint.all(all, run -> run.rate(work.unit())));
            for (String field : List.of(
                    "p50Ms", "p99Ms", "p999Ms", "aloneP50Ms", "aloneP99Ms", "laggardMib", "hotBefore", "hotAfter")) {
                if (all.getFirst().line().has(field)) {
                    row.put(field, GrowthPoint.all(all, run -> run.field(field)));
                }
            }
            rows.add(row);
        });
        return rows;
    }
}
