package dev.sluice.cli.compare;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// The other side, in a process of its own, so that the processor time of the measured side is its process's. Ends when
/// its input does.
///
/// ```
///   output  PORT                   once, first
///   input   drain LENGTH           accept a connection, receive so many bytes
///   output  sums HEX HEX …         the CRC32C of each MiB received, or: failed MESSAGE
///   input   feed POSITION LENGTH   accept a connection, send this range of the file
///   output  sent                   or: failed MESSAGE
/// ```
final class PeerMain {
    private static final int FEED_BYTES = 1 << 20;

    private final ServerSocketChannel listener;
    private final Path file;
    private final ByteBuffer buffer = Checksums.buffer();

    private PeerMain(ServerSocketChannel listener, Path file) {
        this.listener = listener;
        this.file = file;
    }

    /// @param arguments the file
    public static void main(String[] arguments) throws IOException {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.US_ASCII);
        try (ServerSocketChannel listener = ServerSocketChannel.open();
                BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII))) {
            listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            out.println(((InetSocketAddress) listener.getLocalAddress()).getPort());
            PeerMain peer = new PeerMain(listener, Path.of(arguments[0]));
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                out.println(peer.answer(line.split(" ")));
            }
        }
    }

    private String answer(String[] words) {
        try (SocketChannel connection = listener.accept()) {
            return switch (words[0]) {
                case "drain" -> drain(connection, Long.parseLong(words[1]));
                case "feed" -> feed(connection, Long.parseLong(words[1]), Long.parseLong(words[2]));
                default -> "failed no such request";
            };
        } catch (IOException e) {
            return "failed " + String.valueOf(e.getMessage()).replace('\n', ' ');
        }
    }

    private String drain(SocketChannel connection, long lengthBytes) throws IOException {
        StringBuilder answer = new StringBuilder("sums");
        for (int sum : Checksums.of(connection, lengthBytes, buffer).sums()) {
            answer.append(' ').append(Integer.toHexString(sum));
        }
        return answer.toString();
    }

    private String feed(SocketChannel connection, long position, long lengthBytes) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            for (long done = 0; done < lengthBytes; ) {
                long n = channel.transferTo(position + done, Math.min(FEED_BYTES, lengthBytes - done), connection);
                if (n == 0) {
                    return "failed the file ended";
                }
                done += n;
            }
        }
        return "sent";
    }
}
