package dev.sluice.cli;

import dev.sluice.broker.Version;
import java.io.PrintStream;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/// The commands as picocli sees them: parses command lines, prints help, refuses what it does not know.
///
/// The models are built by code: reading annotations would need reflection, and the model of a command that was not
/// asked for would have to be built too.
final class CommandTree {
    private CommandTree() {}

    /// Parses and runs one command line.
    ///
    /// @return one of [ExitCode]
    static int run(Surroundings surroundings, String... arguments) {
        CommandLine line = commandLine(arguments.length == 0 ? null : arguments[0]);
        ParseResult parsed;
        try {
            parsed = line.parseArgs(arguments);
        } catch (ParameterException e) {
            return refused(e, surroundings.err());
        }
        ParseResult asked = parsed;
        while (asked.hasSubcommand()) {
            asked = asked.subcommand();
        }
        if (asked.isUsageHelpRequested()) {
            printHelp(asked.commandSpec().commandLine(), surroundings.out());
            return ExitCode.OK;
        }
        if (asked.isVersionHelpRequested()) {
            line.printVersionHelp(surroundings.out(), Ansi.OFF);
            return ExitCode.OK;
        }
        if (!(asked.commandSpec().userObject() instanceof Command command)) {
            printHelp(line, surroundings.err());
            return ExitCode.USAGE;
        }
        ParseResult itsArguments = asked;
        return Sluice.ended(
                () -> command.run(itsArguments, surroundings),
                ClientOptions.isVerbose(itsArguments),
                surroundings.err());
    }

    /// All commands: for the help pages, and for tests that walk them.
    static CommandLine commandLine() {
        return commandLine(null);
    }

    /// @param only the one command to build, if it is one; null or anything else builds all of them
    private static CommandLine commandLine(@Nullable String only) {
        CommandSpec root = CommandSpec.create().name("sluice").version("sluice " + Version.CURRENT);
        root.addOption(Specs.help());
        root.addOption(OptionSpec.builder("-V", "--version")
                .versionHelp(true)
                .description("Print the version and exit.")
                .build());
        root.usageMessage()
                .header("A message log for Linux that speaks Kafka's wire protocol.")
                .synopsisHeading("%nUsage: ")
                .synopsisSubcommandLabel("COMMAND")
                .commandListHeading("%nCommands:%n")
                .optionListHeading("%nOptions:%n")
                .width(Specs.WIDTH);
        Specs.example(root, "sluice broker");
        Specs.exitCodes(root, Specs.COMMON_EXIT_CODES);
        List<String> names = only != null && Sluice.COMMANDS.contains(only) ? List.of(only) : Sluice.COMMANDS;
        for (String name : names) {
            root.addSubcommand(
                    name, Objects.requireNonNull(Sluice.command(name), name).spec());
        }
        // An argument that begins with @ is a time of ours, not a file of arguments.
        return new CommandLine(root).setExpandAtFiles(false);
    }

    static void printHelp(CommandLine line, PrintStream to) {
        line.usage(to, Ansi.OFF);
    }

    /// One line that says what is wrong, and where to read what is right.
    private static int refused(ParameterException e, PrintStream err) {
        String name = e.getCommandLine().getCommandSpec().qualifiedName();
        String message = String.valueOf(e.getMessage()).lines().findFirst().orElse("bad arguments");
        if (e instanceof UnmatchedArgumentException unmatched && !unmatched.isUnknownOption()) {
            String first = unmatched.getUnmatched().getFirst();
            boolean choosesCommand = !e.getCommandLine().getSubcommands().isEmpty();
            message = choosesCommand ? "no such command: '" + first + "'" : "one argument too many: '" + first + "'";
        }
        err.println(name + ": " + message);
        if (e instanceof UnmatchedArgumentException unmatched) {
            List<String> close = unmatched.getSuggestions();
            if (!close.isEmpty()) {
                err.println("Did you mean: " + String.join(", ", close) + "?");
            }
        }
        err.println("Try: " + name + " --help");
        return ExitCode.USAGE;
    }
}
