package dev.sluice.io.transfer;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/// Commands that prepare the ground for a test, and JVMs of our own to look at from outside.
final class Shell {
    private Shell() {}

    /// What a command did.
    record Outcome(int status, String output) {}

    static Outcome run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Outcome(process.waitFor(), output);
    }

    static Outcome run(String... command) throws IOException, InterruptedException {
        return run(List.of(command));
    }

    /// Skips the test when a command isn't possible here.
    static void assume(String... command) throws IOException, InterruptedException {
        Outcome outcome = run(command);
        Assumptions.assumeTrue(
                outcome.status() == 0, () -> String.join(" ", command) + " isn't possible here: " + outcome.output());
    }

    /// The command of a JVM like this one, with this class path.
    static List<String> java(Class<?> main, String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()));
        command.addAll(List.of(arguments));
        return command;
    }
}
