package dev.sluice.cli;

import dev.sluice.testbase.Commands;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/// A main class in a JVM of its own: for what only a process shows, its signals, its exit code, its classes.
final class ChildJvm implements AutoCloseable {
    private static final long BOUND_NS = TimeUnit.SECONDS.toNanos(120);

    private final Process process;
    private final Path output;

    private ChildJvm(Process process, Path output) {
        this.process = process;
        this.output = output;
    }

    /// @param output where both of its outputs go
    static ChildJvm start(Path output, List<String> jvmOptions, Class<?> main, String... arguments) throws IOException {
        List<String> options = new ArrayList<>(List.of("-Xmx256m"));
        options.addAll(jvmOptions);
        Process process = new ProcessBuilder(Commands.java(options, main, arguments))
                .redirectErrorStream(true)
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectOutput(output.toFile())
                .start();
        return new ChildJvm(process, output);
    }

    /// Waits until what it printed is as wanted.
    String awaitOutput(Predicate<String> wanted) throws IOException, InterruptedException {
        long startNs = System.nanoTime();
        while (true) {
            String text = Files.readString(output);
            if (wanted.test(text)) {
                return text;
            }
            if (!process.isAlive() || System.nanoTime() - startNs > BOUND_NS) {
                throw new AssertionError("it printed only:\n" + Files.readString(output));
            }
            Thread.sleep(10);
        }
    }

    long pid() {
        return process.pid();
    }

    void terminate() {
        process.destroy();
    }

    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    int awaitExit() throws IOException, InterruptedException {
        if (!process.waitFor(BOUND_NS, TimeUnit.NANOSECONDS)) {
            throw new AssertionError("it does not end; it printed:\n" + Files.readString(output));
        }
        return process.exitValue();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
