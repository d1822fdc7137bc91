package dev.sluice.bench.broker;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What the ways in cost, as a table: servers beside the default engine, programs beside the one that does as it does.
final class IngestReport {
    private IngestReport() {}

    static String table(String fileSystem, Work work, Map<Subject, List<Run>> runs) {
        StringBuilder text = new StringBuilder(String.format(
                Locale.ROOT,
                "%n%s, %s%n| | CPU, s/GiB | whole machine's | CPU, µs a batch | faults/GiB | MiB/s | CPU ÷ pwrite's: median (95%%; pairs) |%n"
                        + "|---|---|---|---|---|---|---|%n",
                fileSystem,
                work.name()));
        runs.forEach((subject, theirs) -> {
            Subject plain = subject.isProgram() ? Subject.LIMIT : Subject.SLUICE;
            List<Run> beside = subject == plain ? null : runs.get(plain);
            text.append(String.format(
                    Locale.ROOT,
                    "| %s | %s | %s | %s | %s | %s | %s |%n",
                    subject.label,
                    Report.spread(theirs, run -> run.cost(Work.Unit.GIB)),
                    Report.spread(theirs, run -> run.machineCost(Work.Unit.GIB)),
                    Report.spread(theirs, run -> run.cost(Work.Unit.REQUEST)),
                    Report.spread(theirs, Run::faultsPerGib),
                    Report.spread(theirs, run -> run.rate(Work.Unit.GIB)),
                    beside == null ? "" : Report.ratio(theirs, beside, run -> run.cost(Work.Unit.GIB))));
        });
        return text.toString();
    }
}
