package dev.sluice.cli.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Endpoint;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The other side of a comparison as another machine would be: it has nothing but what it is sent, and believes nobody.
@Timeout(180)
class PeerServerTest {
    private static final int LENGTH_BYTES = (3 << 20) + 11;

    @TempDir
    private Path folder;

    private final Kernel kernel = new Kernel();
    private Path file;
    private PeerServer server;
    private volatile boolean over;
    private final BlockingQueue<String> ended = new LinkedBlockingQueue<>();

    @BeforeEach
    void listen() throws IOException {
        byte[] bytes = new byte[LENGTH_BYTES];
        new Random(11).nextBytes(bytes);
        file = Files.write(folder.resolve("file"), bytes);
        server = PeerServer.open(new Kernel(), new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        Thread.ofPlatform().daemon().start(this::serve);
    }

    /// One session after the other, as the command does: the other side gives one up for each way that it hasn't
    /// got.
    private void serve() {
        try {
            while (!over) {
                ended.add(server.serveOne());
            }
        } catch (ErrnoException e) {
            ended.add(e.getMessage()); // the test is over
        }
    }

    @AfterEach
    void close() {
        over = true;
        server.close();
    }

    private InetSocketAddress address() {
        String text = server.address();
        return new InetSocketAddress(
                InetAddress.getLoopbackAddress(), Integer.parseInt(text.substring(text.lastIndexOf(':') + 1)));
    }

    @Test
    void aWholeComparisonGoesBothWaysWithWhatItWasSent() throws Exception {
        Report report = Comparison.run(
                new Comparison.Request(
                        file, folder, List.of(64 << 10), List.of(), 1, 0, false, new Over.Remote(address())),
                () -> {},
                () -> false);
        assertThat(report.rows())
                .extracting(Row::direction)
                .containsOnly(Direction.FILE_TO_SOCKET, Direction.SOCKET_TO_FILE);
        assertThat(report.rows()).allSatisfy(row -> {
            boolean wantsModule = row.name().contains("kernel TLS");
            assertThat(row.unavailable().isEmpty() || wantsModule)
                    .as(row.name() + ": " + row.unavailable())
                    .isTrue();
            assertThat(row.hasOtherSide() || wantsModule).isTrue();
        });
        assertThat(report.setting().get("path")).contains("another machine");
        while (!ended.take().contains("has ended its comparison")) {
            // a session that was given up for a way that this machine hasn't got
        }
    }

    @Test
    void whatArrivesIsSummedThereSoThatADifferenceIsSeen() throws Exception {
        try (Peer peer = Peer.connect(kernel, address())) {
            peer.drain(1000);
            try (Endpoint.Socket socket = Endpoint.connect(kernel, peer.address(), true, 0, kernel.account());
                    var arena = java.lang.foreign.Arena.ofConfined()) {
                assertThat(kernel.sockets().send(socket.descriptor(), arena.allocate(1000), 0))
                        .isEqualTo(1000);
            }
            Checksums received = peer.drained().sums();
            assertThatThrownBy(() -> Checksums.of(file, 0, 1000).check(received, "a way"))
                    .hasMessageContaining("other bytes");
        }
    }

    @Test
    void aConnectionThatEndsTooEarlyFailsAndTheSessionGoesOn() throws Exception {
        try (Peer peer = Peer.connect(kernel, address())) {
            peer.drain(1000);
            Endpoint.connect(kernel, peer.address(), true, 0, kernel.account()).close();
            assertThatThrownBy(peer::drained).hasMessageContaining("ended after 0 of 1000");
            peer.drain(0);
            Endpoint.connect(kernel, peer.address(), true, 0, kernel.account()).close();
            assertThat(peer.drained().sums().sums()).isEmpty();
        }
    }

    @Test
    void nothingCanBeAskedForThatWasNotGivenOrIsTooMuch() throws Exception {
        try (ControlLine line = line()) {
            line.send(PeerServer.HELLO);
            assertThat(line.receive()).isEqualTo(PeerServer.HELLO + " 0");
            for (String request : List.of(
                    "feed 0 1 any",
                    "feed -1 1 any",
                    "store " + (PeerServer.MOST_STORED_BYTES + 1),
                    "drain " + Long.MAX_VALUE,
                    "drain",
                    "drain x",
                    "nonsense",
                    "")) {
                line.send(request);
                assertThat(line.receive()).as(request).startsWith("failed no such request");
            }
        }
    }

    @Test
    void whoSpeaksOtherwiseIsToldAndSentAway() throws Exception {
        try (ControlLine line = line()) {
            line.send("GET / HTTP/1.1");
            assertThat(line.receive()).startsWith("failed ").contains("same version");
            assertThat(line.receive()).isNull();
        }
        assertThatThrownBy(() -> Peer.connect(kernel, new InetSocketAddress(InetAddress.getLoopbackAddress(), 1)))
                .isInstanceOf(IOException.class);
    }

    private ControlLine line() throws IOException {
        Descriptor socket =
                Endpoint.connect(kernel, address(), true, 0, kernel.account()).descriptor();
        return new ControlLine(kernel, socket, 30_000_000_000L);
    }
}
