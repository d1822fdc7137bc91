package dev.sluice.cli;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Kernel;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/// Runs a command inside the test's JVM and keeps what it left: exit code, both outputs, record bytes.
///
/// @param records what went to standard output as record bytes
record SluiceRun(int exitCode, String out, String err, byte[] records) {
    static {
        TestLogs.start();
    }

    /// With nothing on standard input, and no terminal anywhere.
    static SluiceRun of(String... arguments) {
        return with(new ByteArrayInputStream(new byte[0]), Map.of(), arguments);
    }

    static SluiceRun with(InputStream in, Map<String, String> environment, String... arguments) {
        return with(in, environment, _ -> {}, arguments);
    }

    static SluiceRun with(InputStream in, Map<String, String> environment, Signals signals, String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        try {
            Path records = Files.createTempFile("sluice-run", ".records");
            try {
                int exitCode = Sluice.run(
                        new Surroundings(
                                in,
                                false,
                                new PrintStream(out, true, StandardCharsets.UTF_8),
                                new PrintStream(err, true, StandardCharsets.UTF_8),
                                false,
                                kernel -> open(kernel, records),
                                environment,
                                signals),
                        arguments);
                return new SluiceRun(
                        exitCode,
                        out.toString(StandardCharsets.UTF_8),
                        err.toString(StandardCharsets.UTF_8),
                        Files.readAllBytes(records));
            } finally {
                Files.delete(records);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Descriptor open(Kernel kernel, Path file) {
        try {
            return kernel.files()
                    .open(file, dev.sluice.io.linux.Files.O_WRONLY, 0, kernel.account())
                    .orThrow();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
