package dev.sluice.testbase;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/// Runs the system's tools, and knows how a JVM like this one is started.
public final class Commands {
    private Commands() {}

    /// What a command did.
    ///
    /// @param status its exit status
    /// @param output what it printed, errors too
    public record Outcome(int status, String output) {}

    /// Runs a command and answers what it printed.
    ///
    /// @throws IOException when it ends with another status than 0, with all it printed
    public static String run(String... command) throws IOException, InterruptedException {
        return run(List.of(command));
    }

    /// The same, of a list.
    public static String run(List<String> command) throws IOException, InterruptedException {
        Outcome outcome = outcome(command);
        if (outcome.status() != 0) {
            throw new IOException(command + " ended with " + outcome.status() + ": " + outcome.output());
        }
        return outcome.output().strip();
    }

    /// Runs a command that may fail.
    public static Outcome outcome(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        // Closed here, or the process's end closes them on a thread of the JVM's, when it comes to it: while
        // descriptors are counted.
        try (InputStream output = process.getInputStream();
                InputStream errors = process.getErrorStream();
                OutputStream input = process.getOutputStream()) {
            input.close(); // there is nothing to wait for
            String printed = new String(output.readAllBytes(), StandardCharsets.UTF_8);
            return new Outcome(process.waitFor(), printed);
        }
    }

    /// Skips the test when a command isn't possible here.
    public static void assume(String... command) throws IOException, InterruptedException {
        Outcome outcome = outcome(List.of(command));
        Assumptions.assumeTrue(
                outcome.status() == 0, () -> String.join(" ", command) + " isn't possible here: " + outcome.output());
    }

    /// The command that starts a JVM like this one, with its class path.
    ///
    /// @param options of the JVM besides, such as `-Xmx64m`
    public static List<String> java(List<String> options, Class<?> main, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED"));
        command.addAll(options);
        // Surefire's own is one jar that refers to the others, as long as its process lives.
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        command.addAll(List.of("-cp", classPath, main.getName()));
        command.addAll(List.of(arguments));
        return command;
    }
}
