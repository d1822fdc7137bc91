package dev.sluice.cli.compare;

import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;

/// The other side on this machine: a [PeerServer] in a process of its own, so that the processor time of the measured
/// side is its process's. Serves one session. Ends with it, or when its standard input does, which is when whoever
/// started it is gone.
final class PeerMain {
    private PeerMain() {}

    /// Prints the port that it listens on, once somebody has sent a byte: its network may not be there before.
    ///
    /// @param arguments the file, and the address to listen at
    public static void main(String[] arguments) throws IOException {
        if (System.in.read() < 0) {
            return;
        }
        Thread watch = new Thread(PeerMain::endWithInput, "input");
        watch.setDaemon(true);
        watch.start();
        try (PeerServer server =
                PeerServer.open(new Kernel(), new InetSocketAddress(InetAddress.ofLiteral(arguments[1]), 0))) {
            server.hold(Path.of(arguments[0]));
            String address = server.address();
            System.out.println(address.substring(address.lastIndexOf(':') + 1));
            server.serveOne();
        }
    }

    private static void endWithInput() {
        try {
            while (System.in.read() >= 0) {
                // nothing is said here after the start
            }
        } catch (IOException e) {
            // as good as its end
        }
        Runtime.getRuntime().halt(0);
    }
}
