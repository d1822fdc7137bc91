package dev.sluice.bench.floor;

import dev.sluice.bench.tools.MarkedPage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.Locale;
import java.util.stream.Collectors;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/// `bin/bench floor`: JMH's own command line, with what is allocated an operation beside the time.
final class FloorBench {
    private FloorBench() {}

    /// @param arguments the folder of the C sources and the folder for programs, which are not needed; `--page
    ///     FILE`, which is ours and says where to write the table; then JMH's
    static void main(String[] arguments) throws CommandLineOptionException, RunnerException, IOException {
        boolean paged = arguments.length >= 4 && arguments[2].equals("--page");
        Path page = paged ? Path.of(arguments[3]) : null;
        String[] rest = Arrays.copyOfRange(arguments, paged ? 4 : 2, arguments.length);
        CommandLineOptions given;
        try {
            given = new CommandLineOptions(rest.length == 1 && rest[0].equals("--help") ? new String[] {"-h"} : rest);
        } catch (CommandLineOptionException e) {
            System.err.println("bin/bench floor: " + e.getMessage() + "; --help lists the options.");
            System.exit(2);
            return;
        }
        if (given.shouldHelp()) {
            System.out.println(
                    "--page FILE comes first, and writes the table between the marks of this page; the rest is JMH's:");
            given.showHelp();
            return;
        }
        OptionsBuilder options = new OptionsBuilder();
        options.parent(given).addProfiler(GCProfiler.class);
        if (given.getIncludes().isEmpty()) {
            options.include("dev\\.sluice\\.bench\\.floor\\..*");
        }
        Collection<RunResult> results = new Runner(options.build()).run();
        String table = table(results);
        System.out.print("\n" + table);
        if (page != null) {
            MarkedPage.write(page, "floor", table + "\n" + MarkedPage.circumstances() + ".");
        }
    }

    private static String table(Collection<RunResult> results) {
        StringBuilder text =
                new StringBuilder("| floor | | score | ± 99.9% | | bytes allocated |\n|---|---|---|---|---|---|\n");
        for (RunResult result : results) {
            String[] names = result.getParams().getBenchmark().split("\\.");
            Result<?> time = result.getPrimaryResult();
            Result<?> allocated = result.getSecondaryResults().get("gc.alloc.rate.norm");
            Result<?> covered = result.getSecondaryResults().get("batchesPerFlush");
            text.append(String.format(
                    Locale.ROOT,
                    "| %s %s | %s | %,.1f | %,.1f | %s%s | %s |%n",
                    names[names.length - 2],
                    names[names.length - 1],
                    result.getParams().getParamsKeys().stream()
                            .map(key -> result.getParams().getParam(key) + " " + key)
                            .collect(Collectors.joining(", ")),
                    time.getScore(),
                    time.getScoreError(),
                    time.getScoreUnit(),
                    covered == null
                            ? ""
                            : String.format(
                                    Locale.ROOT,
                                    ", %.1f batches a flush",
                                    covered.getScore()
                                            / result.getBenchmarkResults()
                                                    .iterator()
                                                    .next()
                                                    .getIterationResults()
                                                    .size()),
                    allocated == null ? "" : String.format(Locale.ROOT, "%.1f", allocated.getScore())));
        }
        return text.toString();
    }
}
