package dev.sluice.bench.tools;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/// The command line of a benchmark: its options with what each sets, its help, and its exit codes, alike for all.
///
/// Built and run by the main thread. What an option is given goes to the setter it was declared with, once for each
/// time it is given; a setter that throws IllegalArgumentException says what is wrong with the value.
public final class Options {
    private static final int WIDTH = 120;

    private final CommandSpec spec = CommandSpec.create();

    /// Called with what was parsed, in the order of declaration.
    private final List<Consumer<ParseResult>> setters = new ArrayList<>();

    /// What a benchmark does once its options are set.
    @FunctionalInterface
    public interface Work {
        /// @param sources where the C programs' sources are
        /// @param target  where programs and the peers' class paths are
        void run(Path sources, Path target) throws Exception;
    }

    /// @param name    of the benchmark, as `bin/bench` knows it
    /// @param summary what it does, in a line
    public Options(String name, String summary) {
        spec.name("bin/bench " + name);
        spec.parser().separator(" "); // `--mib 64`; bin/bench looks for words too
        spec.addOption(OptionSpec.builder("--help")
                .usageHelp(true)
                .description("print this and exit")
                .build());
        spec.usageMessage()
                .header(summary)
                .abbreviateSynopsis(true)
                .sortOptions(false)
                .width(WIDTH);
    }

    public Options flag(String name, String help, Runnable set) {
        spec.addOption(OptionSpec.builder(name)
                .type(boolean.class)
                .arity("0")
                .description(help)
                .build());
        setters.add(parsed -> {
            if (parsed.hasMatchedOption(name)) {
                set.run();
            }
        });
        return this;
    }

    /// An option with a value. May be given again: `set` is called for each.
    public Options text(String name, String label, String help, Consumer<String> set) {
        spec.addOption(OptionSpec.builder(name)
                .paramLabel(label)
                .type(List.class)
                .auxiliaryTypes(String.class)
                .description(help)
                .build());
        setters.add(parsed -> {
            for (String value : parsed.matchedOptionValue(name, List.<String>of())) {
                set.accept(value);
            }
        });
        return this;
    }

    public Options number(String name, int least, String help, IntConsumer set) {
        return text(name, "N", help, value -> set.accept(number(name, least, value)));
    }

    public Options path(String name, String label, String help, Consumer<Path> set) {
        return text(name, label, help, value -> set.accept(Path.of(value)));
    }

    /// A value that must be given, at the next place.
    public Options parameter(String label, String help, Consumer<String> set) {
        return parameters(label, "1", help, set);
    }

    /// At least one value, and all that follow: declared last.
    public Options parameters(String label, String help, Consumer<String> set) {
        return parameters(label, "1..*", help, set);
    }

    private Options parameters(String label, String arity, String help, Consumer<String> set) {
        int index = spec.positionalParameters().size();
        spec.addPositional(PositionalParamSpec.builder()
                .index(arity.equals("1") ? Integer.toString(index) : index + "..*")
                .arity(arity)
                .required(true)
                .paramLabel(label)
                .type(List.class)
                .auxiliaryTypes(String.class)
                .description(help)
                .build());
        setters.add(parsed -> {
            for (String value : parsed.matchedPositionalValue(index, List.<String>of())) {
                set.accept(value);
            }
        });
        return this;
    }

    /// Reads a number of at least `least`.
    ///
    /// @param name what it is the value of
    public static int number(String name, int least, String value) {
        try {
            int number = Integer.parseInt(value);
            if (number >= least) {
                return number;
            }
        } catch (NumberFormatException e) {
            // the same message
        }
        throw new IllegalArgumentException(
                name + " wants a number from " + least + " to " + Integer.MAX_VALUE + ", not " + value);
    }

    /// Sets what is given.
    ///
    /// @return false when help was asked for instead
    /// @throws IllegalArgumentException saying what is wrong
    public boolean parse(List<String> arguments) {
        try {
            ParseResult parsed = new CommandLine(spec).parseArgs(arguments.toArray(String[]::new));
            if (parsed.isUsageHelpRequested()) {
                return false;
            }
            setters.forEach(setter -> setter.accept(parsed));
            return true;
        } catch (ParameterException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    /// Parses and does the work, then ends the process: with 1 when the work failed, with 2 when the arguments are
    /// wrong.
    ///
    /// @param arguments the folder of the C sources, the folder for programs, then the user's
    @SuppressWarnings("CatchAndPrintStackTrace") // the last to hold it, and threads of a client may still run
    public void run(String[] arguments, Work work) {
        List<String> given = List.of(arguments).subList(2, arguments.length);
        CommandLine command = new CommandLine(spec);
        try {
            if (!parse(given)) {
                command.usage(System.out);
                System.exit(0);
            }
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage());
            command.usage(System.err);
            System.exit(2);
        }
        try {
            work.run(Path.of(arguments[0]), Path.of(arguments[1]));
            System.exit(0);
        } catch (IOException | ExecutionException e) {
            System.err.println(e.getMessage());
        } catch (Exception e) {
            e.printStackTrace();
        }
        System.exit(1);
    }
}
