package dev.sluice.bench.transfer;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// The programs of the benchmark: compiles those in C, and knows how each is started.
///
/// @param sender   the C sender
/// @param receiver the receiver
record Programs(Path sender, Path receiver) {
    /// What a program ended with.
    record Ended(int exitCode, String output) {}

    /// Compiles with gcc -O2.
    ///
    /// @param sources where the C files are
    /// @param target  where the programs go
    static Programs compile(Path sources, Path target) throws IOException, InterruptedException {
        if (!isInstalled("gcc")) {
            throw new IOException(
                    "gcc is not installed, and the programs to compare with are in C (Debian: apt install gcc libc6-dev)");
        }
        Files.createDirectories(target);
        return new Programs(compile(sources, target, "sender"), compile(sources, target, "receiver"));
    }

    private static Path compile(Path sources, Path target, String name) throws IOException, InterruptedException {
        Path program = target.resolve(name);
        Ended gcc = run(List.of(
                "gcc",
                "-O2",
                "-Wall",
                "-o",
                program.toString(),
                sources.resolve(name + ".c").toString()));
        if (gcc.exitCode() != 0) {
            throw new IOException("gcc can't compile " + name + ".c:\n" + gcc.output());
        }
        return program;
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
                "-Dslf4j.internal.verbosity=ERROR"));
        command.addAll(List.of(jvmOptions));
        command.addAll(
                List.of("-cp", System.getProperty("java.class.path"), SenderMain.class.getName(), file.toString()));
        return command;
    }

    /// Runs a program to its end, five minutes at most, and keeps what it printed.
    static Ended run(List<String> command) throws IOException, InterruptedException {
        Path output = Files.createTempFile("sluice-bench", ".out");
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            if (!process.waitFor(5, TimeUnit.MINUTES)) {
                process.destroyForcibly().waitFor();
                throw new IOException(command.getFirst() + " did not end");
            }
            return new Ended(process.exitValue(), new String(Files.readAllBytes(output), StandardCharsets.UTF_8));
        } finally {
            Files.delete(output);
        }
    }

    /// Whether a program of this name is on the PATH.
    static boolean isInstalled(String program) {
        for (String folder : System.getenv("PATH").split(File.pathSeparator, -1)) {
            if (Files.isExecutable(Path.of(folder, program))) {
                return true;
            }
        }
        return false;
    }
}
