package dev.sluice.bench.shared;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/// The second JVM as the first one sees it: [PeerMain]. Its standard error is ours.
final class Peer implements AutoCloseable {
    private final Process process;
    private final BufferedReader answers;
    private final BufferedWriter commands;

    /// @param path of the UNIX sockets
    Peer(Path path) throws IOException {
        process = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-Xmx256m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        PeerMain.class.getName(),
                        path.toString()))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        answers = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        commands = new BufferedWriter(new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8));
    }

    void tell(String command) throws IOException {
        commands.write(command);
        commands.newLine();
        commands.flush();
    }

    /// Waits until it has done what it was told.
    Endpoint.Used answer() throws IOException {
        String line = answers.readLine();
        if (line == null) {
            throw new EOFException("The second JVM has ended; its reason stands above");
        }
        return Endpoint.Used.parse(line);
    }

    long pid() {
        return process.pid();
    }

    @Override
    public void close() throws IOException {
        commands.close();
        process.destroy();
    }
}
