package dev.sluice.bench.broker;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/// A server that runs, and the topics in it.
interface Peer extends AutoCloseable {
    Server server();

    /// Makes a topic, and returns when its partitions answer.
    void create(String topic, int partitions) throws IOException, InterruptedException;

    void delete(String topic) throws IOException, InterruptedException;

    @Override
    void close() throws IOException;

    /// A port of 127.0.0.1 that nobody listens at now, nor at the two below and above it.
    static int freePort() throws IOException {
        while (true) {
            try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                int port = socket.getLocalPort();
                if (isFree(port - 2) && isFree(port - 1) && isFree(port + 1) && isFree(port + 2)) {
                    return port;
                }
            }
        }
    }

    private static boolean isFree(int port) {
        try (ServerSocket _ = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /// Starts a program that doesn't print its port, and waits for a line of its output.
    static Server start(String label, List<String> command, Path folder, int port, String started)
            throws IOException, InterruptedException {
        List<String> announced =
                new ArrayList<>(List.of("/bin/sh", "-c", "echo sluice-bench-port=" + port + "; exec \"$@\"", "sh"));
        announced.addAll(command);
        return Server.start(
                label,
                announced,
                folder,
                Pattern.compile("sluice-bench-port=(\\d+)[\\s\\S]*" + Pattern.quote(started)));
    }

    static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }
}
