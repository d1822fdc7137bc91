package dev.sluice.systemtest;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Runs programs to their end, within a bound, and keeps what they printed.
final class Processes {
    /// @param output standard output and standard error, interleaved (standard output elsewhere when it went to a
    ///               file)
    record Ended(int exitCode, String output) {
        Ended orThrow(String what) {
            if (exitCode != 0) {
                throw new CampaignFailure(what + " ended with exit code " + exitCode + ":\n" + output);
            }
            return this;
        }
    }

    private Processes() {}

    static Ended run(Duration bound, List<String> command) {
        return run(bound, command, null, null, Map.of());
    }

    /// @param input  a file for standard input, or null for none
    /// @param output a file for standard output, or null to keep it
    static Ended run(
            Duration bound,
            List<String> command,
            @Nullable Path input,
            @Nullable Path output,
            Map<String, String> environment) {
        Path kept = null;
        try {
            kept = Files.createTempFile("sluice-systemtest", ".out");
            ProcessBuilder builder = new ProcessBuilder(command);
            builder.environment().putAll(environment);
            builder.redirectInput(input == null ? new File("/dev/null") : input.toFile());
            if (output == null) {
                builder.redirectErrorStream(true).redirectOutput(kept.toFile());
            } else {
                builder.redirectOutput(output.toFile()).redirectError(kept.toFile());
            }
            Process process = builder.start();
            if (!process.waitFor(bound.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
                throw new CampaignFailure(String.join(" ", command) + " did not end within " + bound.toSeconds()
                        + " s:\n" + Files.readString(kept));
            }
            return new Ended(process.exitValue(), Files.readString(kept));
        } catch (IOException e) {
            throw new CampaignFailure("Can't run " + command.getFirst() + ": " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CampaignFailure("interrupted");
        } finally {
            if (kept != null) {
                kept.toFile().delete();
            }
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

    /// The command line of a Java program on this JVM's own class path.
    static List<String> java(String mainClass, List<String> arguments) {
        List<String> command = new ArrayList<>(List.of(
                ProcessHandle.current().info().command().orElse("java"),
                "-Xmx512m",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                mainClass));
        command.addAll(arguments);
        return command;
    }
}
