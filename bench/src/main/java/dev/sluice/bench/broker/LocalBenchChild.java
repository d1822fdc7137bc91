package dev.sluice.bench.broker;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A reader in a JVM of its own, which stays for all rounds: what it read once, its compiler has seen. Runs
/// [LocalBenchReader].
final class LocalBenchChild implements AutoCloseable {
    private final Process process;
    private final Writer in;
    private final BufferedReader out;

    private LocalBenchChild(Process process) {
        this.process = process;
        this.in = process.outputWriter();
        this.out = process.inputReader();
    }

    static LocalBenchChild start(LocalBench.Reader reader, Server broker, Path socket) throws IOException {
        return new LocalBenchChild(new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-Dslf4j.provider=org.slf4j.helpers.NOP_FallbackServiceProvider",
                        "-Xmx512m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        LocalBenchReader.class.getName(),
                        reader.name(),
                        broker.bootstrap(),
                        socket.toString()))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start());
    }

    /// Has it do something.
    ///
    /// @return what it says to that
    String ask(String question) throws IOException {
        in.write(question + "\n");
        in.flush();
        String answer = out.readLine();
        if (answer == null) {
            throw new IOException("the reader's process ended while it was asked to " + question);
        }
        return answer;
    }

    /// What all its threads that live have used so far.
    long cpuNs() throws IOException {
        return Server.cpuNs(process.pid());
    }

    @Override
    public void close() throws IOException {
        in.close(); // the end of its input is its own
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        out.close();
    }
}
