package dev.sluice.bench.transfer;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A program that is talked to in lines. Its standard error is ours.
final class Child implements AutoCloseable {
    private final Process process;
    private final BufferedReader from;
    private final BufferedWriter to;
    private final String name;

    Child(List<String> command) throws IOException {
        process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        from = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        to = new BufferedWriter(new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8));
        name = command.getFirst();
    }

    void tell(String line) throws IOException {
        to.write(line);
        to.newLine();
        to.flush();
    }

    String answer() throws IOException {
        String line = from.readLine();
        if (line == null) {
            throw new EOFException(name + " ended without an answer");
        }
        return line;
    }

    /// Closes the child's standard input and waits for its end.
    void finish() throws IOException, InterruptedException {
        to.close();
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            throw new IOException(name + " did not end");
        }
        if (process.exitValue() != 0) {
            throw new IOException(name + " ended with exit code " + process.exitValue());
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
