package dev.sluice.bench.floor;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/// `bin/bench floor`: JMH's own command line, with what is allocated an operation beside the time.
final class FloorBench {
    private FloorBench() {}

    /// @param arguments the folder of the C sources and the folder for programs, which are not needed; then JMH's
    static void main(String[] arguments) throws CommandLineOptionException, RunnerException {
        String[] rest = Arrays.copyOfRange(arguments, 2, arguments.length);
        CommandLineOptions given = new CommandLineOptions(rest);
        if (given.shouldHelp()) {
            try {
                given.showHelp();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return;
        }
        OptionsBuilder options = new OptionsBuilder();
        options.parent(given).addProfiler(GCProfiler.class);
        if (given.getIncludes().isEmpty()) {
            options.include("dev\\.sluice\\.bench\\.floor\\..*");
        }
        new Runner(options.build()).run();
    }
}
