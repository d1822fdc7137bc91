package dev.sluice.bench.shared;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// The second JVM. Told on its standard input, in lines, which link to connect and what to do with it; answers each
/// line with what it has used so far.
///
/// ```
/// WAY PORT BYTES      connect
/// receive COUNT       receive so many messages, full of 0, 1, 2, …, then send one
/// echo COUNT          send one for each that is received
/// used                nothing
/// ```
final class PeerMain {
    private PeerMain() {}

    /// @param arguments the path of UNIX sockets
    static void main(String[] arguments) throws IOException {
        Path path = Path.of(arguments[0]);
        Endpoint endpoint = new Endpoint();
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Link link = null;
        int messageBytes = 0;
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            String[] words = line.split(" ");
            switch (words[0]) {
                case "used" -> {}
                case "receive" -> receive(connected(link), messageBytes, Integer.parseInt(words[1]));
                case "echo" -> echo(connected(link), Integer.parseInt(words[1]));
                default -> {
                    if (link != null) {
                        link.close();
                    }
                    messageBytes = Integer.parseInt(words[2]);
                    link = endpoint.connect(Way.valueOf(words[0]), path, Integer.parseInt(words[1]), messageBytes);
                }
            }
            System.out.println(endpoint.used());
        }
    }

    private static Link connected(@Nullable Link link) {
        if (link == null) {
            throw new IllegalStateException("Not connected");
        }
        return link;
    }

    private static void receive(Link link, int messageBytes, int count) throws IOException {
        for (int i = 0; i < count; i++) {
            if (link.receive() != Link.sumOf((byte) i, messageBytes)) {
                throw new IOException("Message " + i + " isn't what was sent");
            }
        }
        link.send((byte) 1);
    }

    private static void echo(Link link, int count) throws IOException {
        for (int i = 0; i < count; i++) {
            link.send(link.receive() == 0 ? (byte) 1 : (byte) 2);
        }
    }
}
