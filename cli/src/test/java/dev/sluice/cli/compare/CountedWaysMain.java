package dev.sluice.cli.compare;

import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.NetworkPath;
import dev.sluice.io.transfer.Transfers;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Moves a file by one way some times, as a comparison does, and prints the calls that the way said it made. Run under
/// strace.
final class CountedWaysMain {
    private CountedWaysMain() {}

    /// @param arguments direction, family, name, how often, piece bytes, file, sink, the other side's port
    public static void main(String[] arguments) throws IOException {
        Direction direction = Direction.valueOf(arguments[0]);
        Way way = List.of(SluiceWay.all(direction), JdkWay.all(direction), DiskWay.all(direction)).stream()
                .flatMap(List::stream)
                .filter(one ->
                        one.family().label().equals(arguments[1]) && one.name().equals(arguments[2]))
                .findFirst()
                .orElseThrow();
        Path file = Path.of(arguments[5]);
        Path sink = Path.of(arguments[6]);
        Kernel kernel = new Kernel();
        double calls = 0;
        try (Transfers transfers = new Transfers(kernel);
                Peer peer = Peer.connect(
                        kernel,
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(arguments[7])))) {
            for (int i = 0; i < Integer.parseInt(arguments[3]); i++) {
                Files.deleteIfExists(sink);
                Files.createFile(sink);
                long length = Files.size(file);
                Job job = new Job(
                        kernel,
                        transfers,
                        file,
                        0,
                        length,
                        Integer.parseInt(arguments[4]),
                        peer.address(),
                        NetworkPath.UNKNOWN,
                        sink,
                        1,
                        null);
                if (direction == Direction.FILE_TO_SOCKET) {
                    peer.drain(length);
                }
                Cost cost = way.move(job, new Meter(kernel));
                if (direction == Direction.FILE_TO_SOCKET) {
                    peer.drained();
                }
                calls += cost.calls().number();
            }
        }
        System.out.println("calls " + (long) calls);
    }
}
