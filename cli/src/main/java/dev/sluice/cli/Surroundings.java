package dev.sluice.cli;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Kernel;
import java.io.InputStream;
import java.io.PrintStream;
import java.util.Map;
import java.util.function.Function;

/// What a command sees of the process around it. Handed in, so that tests run commands inside their own JVM.
///
/// @param in              bytes of standard input, unbuffered
/// @param inIsTerminal    somebody types at standard input
/// @param out             standard output, for text
/// @param err             standard error, for what goes beside the output
/// @param errIsTerminal   somebody watches standard error, so progress may be drawn there
/// @param recordOutput    opens standard output for record bytes; whoever calls it uses `out` no more
/// @param environment     the process's environment variables
/// @param signals         where to ask for a say in how the process is stopped
record Surroundings(
        InputStream in,
        boolean inIsTerminal,
        PrintStream out,
        PrintStream err,
        boolean errIsTerminal,
        Function<Kernel, Descriptor> recordOutput,
        Map<String, String> environment,
        Signals signals) {
    /// The word that this command was called by, as a shell takes it again: `bin/sluice` in a source tree.
    String calledAs() {
        return environment.getOrDefault("SLUICE_COMMAND", "sluice");
    }
}
