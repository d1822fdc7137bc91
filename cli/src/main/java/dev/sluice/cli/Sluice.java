package dev.sluice.cli;

import dev.sluice.io.linux.ErrnoException;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The `sluice` command: finds what was asked for, runs it, and turns its end into an exit code.
///
/// Command lines are parsed by picocli, in [CommandTree], with one exception. picocli takes 80 ms to load and to parse
/// anything at all, more than the rest of a JVM's start: its classes are in a format that a class-data archive
/// refuses. A broker should be there at once, so its plain command lines go past picocli; all others, and whatever
/// needs help or an explanation, go through it.
final class Sluice {
    /// Every command, in the order of the help page.
    static final List<String> COMMANDS = List.of(
            "broker", "topic", "produce", "consume", "status", "check", "compare", "explain", "copy", "send", "receive",
            "seal", "unseal", "proxy", "doctor", "help");

    private Sluice() {}

    /// Runs one command on the calling thread.
    ///
    /// @return one of [ExitCode]
    static int run(Surroundings surroundings, String... arguments) {
        if (arguments.length > 0 && arguments[0].equals("broker")) {
            BrokerArguments plain =
                    BrokerArguments.plain(Arrays.asList(arguments).subList(1, arguments.length));
            if (plain != null) {
                return ended(() -> new BrokerCommand().run(plain, surroundings), plain.verbose(), surroundings.err());
            }
        }
        return CommandTree.run(surroundings, arguments);
    }

    /// The command of that name, made now: one that is not asked for is not even loaded.
    static @Nullable Command command(String name) {
        return switch (name) {
            case "broker" -> new BrokerCommand();
            case "topic" -> new TopicCommand();
            case "produce" -> new ProduceCommand();
            case "consume" -> new ConsumeCommand();
            case "status" -> new StatusCommand();
            case "check" -> new CheckCommand();
            case "compare" -> new CompareCommand();
            case "explain" -> new ExplainCommand();
            case "copy" -> new CopyCommand();
            case "send" -> new SendCommand();
            case "receive" -> new ReceiveCommand();
            case "seal" -> SealCommand.sealing();
            case "unseal" -> SealCommand.unsealing();
            case "proxy" -> new ProxyCommand();
            case "doctor" -> new DoctorCommand();
            case "help" -> new HelpCommand();
            default -> null;
        };
    }

    /// Runs a command to its end, and says why if the end is a bad one.
    static int ended(Work work, boolean verbose, PrintStream err) {
        try {
            return work.run();
        } catch (CommandFailure e) {
            tell(e.line(), e.getCause(), verbose, err);
            return e.exitCode();
        } catch (ErrnoException e) {
            tell(e.getMessage(), e, verbose, err); // it says which call failed on what, and that is all there is to say
            return ExitCode.FAILURE;
        } catch (Exception e) {
            err.println("sluice: a defect of sluice itself; please report it with these lines:");
            e.printStackTrace(err);
            return ExitCode.FAILURE;
        }
    }

    private static void tell(String line, @Nullable Throwable cause, boolean verbose, PrintStream err) {
        err.println("sluice: " + line);
        if (verbose && cause != null) {
            cause.printStackTrace(err);
        }
    }

    /// A command with its arguments.
    @FunctionalInterface
    interface Work {
        int run() throws Exception;
    }
}
