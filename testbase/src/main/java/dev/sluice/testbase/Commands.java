package dev.sluice.testbase;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
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
        String printed;
        int status;
        // Closed here, or the process's end closes them on a thread of the JVM's, when it comes to it: while
        // descriptors are counted.
        try (InputStream output = process.getInputStream();
                InputStream errors = process.getErrorStream();
                OutputStream input = process.getOutputStream()) {
            printed = new String(output.readAllBytes(), StandardCharsets.UTF_8);
            status = process.waitFor();
        }
        if (status != 0) {
            throw new IOException(List.of(command) + " ended with " + status + ": " + printed);
        }
        return printed.strip();
    }
}
