package dev.sluice.cli.compare;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// A [PeerMain] that runs with the JDK and the classes that run here. What it says of errors goes to our standard
/// error. Owned by one thread; ended by closing it.
final class PeerProcess implements AutoCloseable {
    private static final long PATIENCE_S = 60;

    private final Process process;

    private PeerProcess(Process process) {
        this.process = process;
    }

    /// Starts the process, which waits for [#listen].
    static PeerProcess start(Path file, String address) throws IOException {
        List<String> command = List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-Xms16m",
                "-Xmx64m",
                "-XX:-UsePerfData",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                PeerMain.class.getName(),
                file.toAbsolutePath().toString(),
                address);
        return new PeerProcess(new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start());
    }

    long pid() {
        return process.pid();
    }

    /// Has it listen, and waits until it does.
    ///
    /// @return its port
    int listen() throws IOException {
        CompletableFuture<Void> impatience = CompletableFuture.runAsync(
                process::destroyForcibly, CompletableFuture.delayedExecutor(PATIENCE_S, TimeUnit.SECONDS));
        BufferedReader answers = process.inputReader(StandardCharsets.US_ASCII);
        try {
            process.getOutputStream().write('\n');
            process.getOutputStream().flush();
            String port = answers.readLine();
            if (port == null) {
                throw new IOException("the process at the other side ended before it listened");
            }
            return Integer.parseInt(port);
        } finally {
            impatience.cancel(false);
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
