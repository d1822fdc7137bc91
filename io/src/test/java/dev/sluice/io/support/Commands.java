package dev.sluice.io.support;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// Runs the system's tools.
public final class Commands {
    private Commands() {}

    /// Runs a command and answers what it printed.
    ///
    /// @throws IOException when it ends with another status than 0, with all it printed
    public static String run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int status = process.waitFor();
        if (status != 0) {
            throw new IOException(List.of(command) + " ended with " + status + ": " + printed);
        }
        return printed.strip();
    }
}
