package dev.sluice.cli.compare;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// The child process at the other side, as [PeerMain] describes it. Used by one thread; a peer that keeps silent too
/// long is killed.
final class Peer implements AutoCloseable {
    private static final long PATIENCE_S = 60;

    private final Process process;
    private final BufferedReader answers;
    private final PrintStream requests;
    private final InetSocketAddress address;

    private Peer(Process process) throws IOException {
        this.process = process;
        this.answers = process.inputReader(StandardCharsets.US_ASCII);
        this.requests = new PrintStream(process.getOutputStream(), true, StandardCharsets.US_ASCII);
        this.address = new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(answer()));
    }

    /// Starts the process with the JDK and the classes that run here. What it says of errors goes to our standard
    /// error.
    static Peer start(Path file) throws IOException {
        Process process = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+UseSerialGC",
                        "-Xms16m",
                        "-Xmx64m",
                        "-XX:-UsePerfData",
                        "-cp",
                        System.getProperty("java.class.path"),
                        PeerMain.class.getName(),
                        file.toAbsolutePath().toString()))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try {
            return new Peer(process);
        } catch (IOException | RuntimeException e) {
            process.destroyForcibly();
            throw e;
        }
    }

    /// Where it listens.
    InetSocketAddress address() {
        return address;
    }

    /// Has it receive from the next connection. Ask for [#received] afterwards, in any case.
    void drain(long lengthBytes) {
        requests.println("drain " + lengthBytes);
    }

    /// Waits until it has everything, and answers the sums of what it got.
    Checksums received() throws IOException {
        String[] words = answered("sums").split(" ");
        int[] sums = new int[words.length - 1];
        for (int i = 0; i < sums.length; i++) {
            sums[i] = Integer.parseUnsignedInt(words[i + 1], 16);
        }
        return new Checksums(sums);
    }

    /// Has it send a range of the file to the next connection. Ask for [#sent] afterwards, in any case.
    void feed(long position, long lengthBytes) {
        requests.println("feed " + position + " " + lengthBytes);
    }

    void sent() throws IOException {
        answered("sent");
    }

    private String answered(String wanted) throws IOException {
        String answer = answer();
        if (!answer.startsWith(wanted)) {
            throw new IOException("the other side " + answer);
        }
        return answer;
    }

    private String answer() throws IOException {
        CompletableFuture<Void> impatience = CompletableFuture.runAsync(
                process::destroyForcibly, CompletableFuture.delayedExecutor(PATIENCE_S, TimeUnit.SECONDS));
        try {
            String line = answers.readLine();
            if (line == null) {
                throw new IOException("the other side's process ended");
            }
            return line;
        } finally {
            impatience.cancel(false);
        }
    }

    @Override
    public void close() {
        requests.close();
        process.destroyForcibly();
    }
}
