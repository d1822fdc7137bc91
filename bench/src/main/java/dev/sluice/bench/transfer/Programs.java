package dev.sluice.bench.transfer;

import dev.sluice.bench.tools.Tools;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The programs of the benchmark: compiles those in C, and knows how each is started.
///
/// @param sender   the C sender
/// @param receiver the receiver
record Programs(Path sender, Path receiver) {
    /// Compiles with gcc -O2.
    ///
    /// @param sources where the C files are
    /// @param target  where the programs go
    static Programs compile(Path sources, Path target) throws IOException, InterruptedException {
        return new Programs(Tools.compile(sources, target, "sender"), Tools.compile(sources, target, "receiver"));
    }

    /// The command that starts a sender on a file.
    ///
    /// @param jvmOptions further options, for those that are Java
    List<String> command(Subject.Program program, Path file, String... jvmOptions) {
        if (program == Subject.Program.C) {
            return List.of(sender.toString(), file.toString());
        }
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-Xms64m",
                "-Xmx256m",
                "-XX:-UsePerfData",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-Dslf4j.provider=org.slf4j.helpers.NOP_FallbackServiceProvider"));
        command.addAll(List.of(jvmOptions));
        command.addAll(
                List.of("-cp", System.getProperty("java.class.path"), SenderMain.class.getName(), file.toString()));
        return command;
    }
}
