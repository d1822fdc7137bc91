package dev.sluice.io;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/// The descriptors of the JDK's channels, found by what the kernel tells of each and not by looking into the JDK.
///
/// A socket is known by its two addresses. A file channel is set, for a moment, to a position that no other has, which
/// /proc/self/fdinfo shows. What was found is duplicated and then looked at once more, for between the two the number
/// may have come to mean something else. The caller closes the duplicate; the channel stays as it is.
final class ChannelDescriptors {
    private static final Path OPEN = Path.of("/proc/self/fd");
    private static final Path INFO = Path.of("/proc/self/fdinfo");

    /// Positions of 512 GiB to 1 TiB: below what file systems allow, above what most files have.
    private static final long LEAST_MARK = 1L << 39;

    private ChannelDescriptors() {}

    static Descriptor of(Kernel kernel, FileChannel channel, Account account) throws IOException {
        long before = channel.position();
        long mark = LEAST_MARK + ThreadLocalRandom.current().nextLong(LEAST_MARK);
        channel.position(mark);
        try {
            for (int number : numbers()) {
                if (positionOf(number) == mark) {
                    Descriptor copy = kernel.files()
                            .duplicate(number, "file of a channel", account)
                            .orThrow();
                    if (kernel.files().ownPosition(copy) == mark) {
                        return copy;
                    }
                    copy.close();
                }
            }
        } finally {
            channel.position(before);
        }
        throw new IOException("No descriptor of this process is at the position that the channel was set to; is /proc"
                + " mounted? Open the file by its path instead.");
    }

    static Descriptor of(Kernel kernel, SocketChannel channel, Account account) throws IOException {
        SocketAddress local = channel.getLocalAddress();
        SocketAddress remote = channel.getRemoteAddress();
        if (remote == null) {
            throw new IOException("The channel is not connected");
        }
        for (int number : numbers()) {
            if (linkOf(number).startsWith("socket:")) {
                Descriptor copy = kernel.files()
                        .duplicate(number, remote.toString(), account)
                        .orThrow();
                if (isBetween(kernel, copy, local, remote)) {
                    return copy;
                }
                copy.close();
            }
        }
        throw new IOException("No descriptor of this process is a TCP socket from " + local + " to " + remote
                + "; is /proc mounted? A UNIX socket can't be told from others: connect it by Endpoint.connect.");
    }

    private static boolean isBetween(Kernel kernel, Descriptor socket, SocketAddress local, SocketAddress remote) {
        try {
            return kernel.sockets().localAddress(socket).equals(local)
                    && kernel.sockets().peerAddress(socket).equals(remote);
        } catch (IOException | IllegalArgumentException _) {
            return false; // not connected, or of another family
        }
    }

    private static List<Integer> numbers() throws IOException {
        try (Stream<Path> open = Files.list(OPEN)) {
            return open.map(path -> Integer.parseInt(path.getFileName().toString()))
                    .toList();
        }
    }

    /// Where a descriptor stands, or -1 if it is gone by now.
    private static long positionOf(int number) {
        try (Stream<String> lines = Files.lines(INFO.resolve(Integer.toString(number)))) {
            return lines.filter(line -> line.startsWith("pos:"))
                    .mapToLong(line ->
                            Long.parseLong(line.substring("pos:".length()).strip()))
                    .findFirst()
                    .orElse(-1);
        } catch (IOException | java.io.UncheckedIOException _) {
            return -1;
        }
    }

    private static String linkOf(int number) {
        try {
            return Files.readSymbolicLink(OPEN.resolve(Integer.toString(number)))
                    .toString();
        } catch (IOException _) {
            return "";
        }
    }
}
