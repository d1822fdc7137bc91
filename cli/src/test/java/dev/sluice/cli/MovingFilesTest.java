package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testbase.LastingPort;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// copy, send and receive: right bytes under the right name or nothing under it, and no byte twice.
@Timeout(180)
class MovingFilesTest {
    private static final int LENGTH_BYTES = (3 << 20) + 77;
    private static final byte[] CONTENT = content();

    @TempDir
    private Path folder;

    private Path source;
    private Path target;

    @BeforeEach
    void writeSource() throws IOException {
        source = Files.write(folder.resolve("source"), CONTENT);
        target = folder.resolve("target");
    }

    @Test
    void copiesAndSaysHowInOneLine() throws IOException {
        SluiceRun run = SluiceRun.of("copy", source.toString(), target.toString());

        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out()).isEmpty();
        assertThat(run.err().lines()).hasSize(1);
        assertThat(run.err()).matches("(?s)copied 3\\.00 MiB in .*/s; (reflink|read\\+write): .*");
        assertWhole();
    }

    @Test
    void copiesAnEmptyFileAndIntoAFolder() throws IOException {
        Path empty = Files.createFile(folder.resolve("empty"));
        Path into = Files.createDirectory(folder.resolve("into"));
        assertThat(SluiceRun.of("copy", empty.toString(), into.toString()).exitCode())
                .isZero();
        assertThat(into.resolve("empty")).exists().isEmptyFile();
    }

    @Test
    void whatIsThereIsReplacedOnlyByForce() throws IOException {
        Files.writeString(target, "old");
        SluiceRun refused = SluiceRun.of("copy", source.toString(), target.toString());
        assertThat(refused.exitCode()).isEqualTo(ExitCode.FAILURE);
        assertThat(refused.err()).contains("--force");
        assertThat(target).hasContent("old");

        assertThat(SluiceRun.of("copy", "--force", source.toString(), target.toString())
                        .exitCode())
                .isZero();
        assertWhole();
    }

    @Test
    void goesOnFromThePartThatWasLeft() throws IOException {
        // The part is recognisably not the source's content: what is there must not be copied again.
        byte[] left = new byte[1 << 20];
        Path part = Files.write(partOf(source), left);

        SluiceRun run = SluiceRun.of("copy", source.toString(), target.toString());

        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.err()).contains("after the 1.00 MiB that were there");
        byte[] result = Files.readAllBytes(target);
        assertThat(Arrays.equals(result, 0, left.length, left, 0, left.length)).isTrue();
        assertThat(Arrays.equals(result, left.length, LENGTH_BYTES, CONTENT, left.length, LENGTH_BYTES))
                .isTrue();
        assertThat(part).doesNotExist();
    }

    @Test
    void aSourceThatChangedIsBegunAnew() throws IOException {
        Files.write(partOf(source), new byte[1 << 20]);
        Files.setLastModifiedTime(source, java.nio.file.attribute.FileTime.fromMillis(1));

        assertThat(SluiceRun.of("copy", source.toString(), target.toString()).exitCode())
                .isZero();
        assertWhole();
    }

    @Test
    void aStopLeavesNothingUnderTheNameAndTheExitCodeOfTheSignal() throws IOException {
        // The signal comes before the first byte; the transfer looks at it before each call.
        SluiceRun run = SluiceRun.with(
                new ByteArrayInputStream(new byte[0]),
                Map.of(),
                request -> request.stop(130),
                "copy",
                source.toString(),
                target.toString());

        assertThat(run.exitCode()).isEqualTo(130);
        assertThat(run.err()).contains("stopped after 0 B of 3.00 MiB", "the same command goes on");
        assertThat(namesIn(folder)).containsExactly("source");
    }

    @Test
    void sendsWhatReceiveStoresUnderItsName() throws Exception {
        int port = LastingPort.find();
        CompletableFuture<SluiceRun> receiving =
                CompletableFuture.supplyAsync(() -> SluiceRun.of("receive", Integer.toString(port), target.toString()));
        SluiceRun sent = sendWhenItListens(port);
        SluiceRun received = receiving.get(120, TimeUnit.SECONDS);

        assertThat(sent.exitCode()).as(sent.err()).isZero();
        assertThat(received.exitCode()).as(received.err()).isZero();
        assertThat(sent.err()).startsWith("sent 3.00 MiB in ").contains("; sendfile: ");
        assertThat(received.err()).contains("listens on 127.0.0.1:" + port, "received 3.00 MiB in ", "; read+write: ");
        assertWhole();
    }

    @Test
    void aSenderThatDiesLeavesAPartAndTheNextOneGoesOn() throws Exception {
        int port = LastingPort.find();
        CompletableFuture<SluiceRun> first =
                CompletableFuture.supplyAsync(() -> SluiceRun.of("receive", Integer.toString(port), target.toString()));
        // What a killed sender does: begins in order, then its kernel closes the connection in order.
        try (Socket dying = connectWhenItListens(port)) {
            ByteBuffer offer = ByteBuffer.allocate(24)
                    .putLong(0x736c756963650100L)
                    .putLong(LENGTH_BYTES)
                    .putLong(Files.getLastModifiedTime(source).to(TimeUnit.NANOSECONDS));
            dying.getOutputStream().write(offer.array());
            assertThat(dying.getInputStream().readNBytes(8)).containsOnly(0);
            dying.getOutputStream().write(CONTENT, 0, 1 << 20);
        }
        SluiceRun broken = first.get(120, TimeUnit.SECONDS);
        assertThat(broken.exitCode()).as(broken.err()).isEqualTo(ExitCode.FAILURE);
        assertThat(broken.err()).contains("to go on");
        assertThat(target).doesNotExist();

        CompletableFuture<SluiceRun> second =
                CompletableFuture.supplyAsync(() -> SluiceRun.of("receive", Integer.toString(port), target.toString()));
        SluiceRun sent = sendWhenItListens(port);
        assertThat(second.get(120, TimeUnit.SECONDS).exitCode()).isZero();
        assertThat(sent.err()).contains("sent 2.00 MiB", "after the 1.00 MiB that were there");
        assertWhole();
    }

    @Test
    void whoDoesntSpeakAsSendDoesIsRefused() throws Exception {
        int port = LastingPort.find();
        CompletableFuture<SluiceRun> receiving =
                CompletableFuture.supplyAsync(() -> SluiceRun.of("receive", Integer.toString(port), target.toString()));
        try (Socket stranger = connectWhenItListens(port)) {
            stranger.getOutputStream()
                    .write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            SluiceRun run = receiving.get(120, TimeUnit.SECONDS);
            assertThat(run.exitCode()).isEqualTo(ExitCode.FAILURE);
            assertThat(run.err()).contains("doesn't speak as sluice send does");
        }
        assertThat(namesIn(folder)).containsExactly("source");
    }

    private Path partOf(Path file) throws IOException {
        long changedNs = Files.getLastModifiedTime(file).to(TimeUnit.NANOSECONDS);
        return folder.resolve(".target." + LENGTH_BYTES + "-" + Long.toHexString(changedNs) + ".part");
    }

    private void assertWhole() throws IOException {
        assertThat(Arrays.mismatch(Files.readAllBytes(target), CONTENT)).isEqualTo(-1);
        assertThat(namesIn(folder))
                .filteredOn(name -> name.contains("-") && !name.contains(Integer.toString(LENGTH_BYTES)))
                .isEmpty();
    }

    @Test
    void aPlaceThatCantTakeTheFileIsToldBeforeAnybodyWaits() throws IOException {
        String nowhere = folder.resolve("nowhere/target").toString();

        for (List<String> command : List.of(
                List.of("copy", source.toString(), nowhere),
                List.of("receive", "0", nowhere),
                List.of("explain", "sendfile", source.toString(), "--svg", nowhere),
                List.of("compare", source.toString(), "--html", nowhere))) {
            SluiceRun run = SluiceRun.of(command.toArray(String[]::new));
            assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.FAILURE);
            assertThat(run.out()).isEmpty();
            assertThat(run.err().lines()).singleElement().asString().contains("make it first");
        }
    }

    @Test
    void aPortInUseIsToldWithWhatToDo() throws IOException {
        try (java.net.ServerSocket taken = new java.net.ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String port = Integer.toString(taken.getLocalPort());
            for (SluiceRun run : List.of(
                    SluiceRun.of("receive", port, target.toString()), SluiceRun.of("proxy", port, "127.0.0.1:1"))) {
                assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.FAILURE);
                assertThat(run.err().lines()).singleElement().asString().contains("in use; name another");
            }
        }
    }

    /// Asks until somebody listens: a refused connection is the only sign that nobody does yet.
    private SluiceRun sendWhenItListens(int port) throws InterruptedException {
        while (true) {
            SluiceRun run = SluiceRun.of("send", source.toString(), "127.0.0.1:" + port);
            if (!run.err().contains("nobody listens on")) {
                return run;
            }
            Thread.sleep(10);
        }
    }

    private static Socket connectWhenItListens(int port) throws IOException, InterruptedException {
        while (true) {
            Socket socket = new Socket();
            try {
                socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                return socket;
            } catch (java.net.ConnectException e) {
                socket.close();
                Thread.sleep(10);
            }
        }
    }

    private static List<String> namesIn(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(path -> path.getFileName().toString()).toList();
        }
    }

    private static byte[] content() {
        byte[] bytes = new byte[LENGTH_BYTES];
        new Random(11).nextBytes(bytes);
        return bytes;
    }
}
