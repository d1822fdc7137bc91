package dev.sluice.testbase;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/// Ports of the loopback interface for servers that can't be asked for any port, or that come back to theirs.
public final class LastingPort {
    /// Below those that Linux gives to whoever asks for any, ip_local_port_range.
    private static final int LEAST = 20_000;

    private static final int MOST = 32_000;
    private static final int TRIES = 100;

    private LastingPort() {}

    /// A port that is free and stays so until somebody asks for it by its number: the kernel gives none of these to
    /// whoever asks for any, nor to a client's end of a connection, which could then be connected to itself.
    ///
    /// @throws IOException when none was found
    public static int find() throws IOException {
        IOException last = null;
        for (int i = 0; i < TRIES; i++) {
            int port = ThreadLocalRandom.current().nextInt(LEAST, MOST);
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            } catch (IOException e) {
                last = e;
            }
        }
        throw new IOException("no port between " + LEAST + " and " + MOST + " is free", last);
    }
}
