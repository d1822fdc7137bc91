package dev.sluice.bench.tools;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Programs that benchmarks run: compiling those in C, running one to its end.
public final class Tools {
    private Tools() {}

    /// What a program ended with.
    public record Ended(int exitCode, String output) {}

    /// Compiles `name.c` with gcc -O2.
    ///
    /// @param sources where the C files are
    /// @param target  where the program goes
    /// @return the program
    public static Path compile(Path sources, Path target, String name) throws IOException, InterruptedException {
        if (!isInstalled("gcc")) {
            throw new IOException(
                    "gcc is not installed, and the programs to compare with are in C (Debian: apt install gcc libc6-dev)");
        }
        Files.createDirectories(target);
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

    /// Runs a program to its end, five minutes at most, and keeps what it printed.
    public static Ended run(List<String> command) throws IOException, InterruptedException {
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

    /// Writes once to nine tenths of the free memory, and prints how much that was: a virtual machine's host hands
    /// out a page at its first touch, which costs more than whatever is measured.
    public static void touchMemory(Path sources, Path target) throws IOException, InterruptedException {
        Path touch = compile(sources, target, "touch");
        System.out.println("touched " + run(List.of(touch.toString())).output().strip());
    }

    /// Whether a program of this name is on the PATH.
    public static boolean isInstalled(String program) {
        for (String folder : System.getenv("PATH").split(File.pathSeparator, -1)) {
            if (Files.isExecutable(Path.of(folder, program))) {
                return true;
            }
        }
        return false;
    }
}
