package dev.sluice.io.shared;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.MemoryFiles;
import dev.sluice.io.shared.RawPeer.Memory;
import dev.sluice.io.support.Leaks;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Memory that a peer offers and that must not be mapped: it could end this process, or change under its eyes.
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class HostileOfferTest {
    private static final long DATA_BYTES = (long) RawPeer.BUFFERS * RawPeer.BUFFER_BYTES;
    private static final Memory RIGHT = Memory.right(DATA_BYTES);

    @TempDir
    static Path folder;

    private final Kernel kernel = new Kernel();
    private final Leaks leaks = new Leaks(kernel);

    @AfterEach
    void nothingIsLeftOpenOrMapped() {
        leaks.assertNone();
        leaks.assertNoMaps();
    }

    @FunctionalInterface
    interface Making {
        Descriptor make(Kernel kernel, RawPeer peer) throws Exception;
    }

    record Bad(String what, Making making, String complaint) {
        @Override
        public String toString() {
            return what;
        }
    }

    private static Bad memory(String what, Memory memory, String complaint) {
        return new Bad(what, (_, peer) -> peer.make(memory), complaint);
    }

    static Stream<Bad> badData() {
        return Stream.of(
                memory("may shrink", RIGHT.without(MemoryFiles.F_SEAL_SHRINK), "seals"),
                memory("may grow", RIGHT.without(MemoryFiles.F_SEAL_GROW), "seals"),
                memory("may be written by others", RIGHT.without(MemoryFiles.F_SEAL_FUTURE_WRITE), "seals"),
                memory("may be sealed further", RIGHT.without(MemoryFiles.F_SEAL_SEAL), "seals"),
                memory("a page short", RIGHT.ofBytes(DATA_BYTES - 4096), "bytes instead of"),
                memory("a page long", RIGHT.ofBytes(DATA_BYTES + 4096), "bytes instead of"),
                memory("sparse", RIGHT.sparse(), "not allocated"),
                new Bad("with a hole", (_, peer) -> peer.makePunched(DATA_BYTES), "not allocated"),
                new Bad("a file on a disk", HostileOfferTest::regularFile, "something else"),
                new Bad(
                        "a socket",
                        (kernel, _) -> kernel.unixSockets()
                                .seqpacket(true, kernel.account())
                                .orThrow(),
                        "something else"));
    }

    private static Descriptor regularFile(Kernel kernel, RawPeer peer) throws Exception {
        return kernel.files()
                .open(folder.resolve("file"), Files.O_RDWR | Files.O_CREAT, 0644, kernel.account())
                .orThrow();
    }

    @ParameterizedTest
    @MethodSource("badData")
    void aReaderRefusesDataThatIs(Bad bad) throws Exception {
        Descriptor[] pair = kernel.unixSockets().seqpacketPair(true, kernel.account());
        try (RawPeer writer = new RawPeer(kernel, pair[0]);
                Descriptor control = writer.make(Memory.right(RawPeer.CONTROL_BYTES));
                Descriptor data = bad.making().make(kernel, writer)) {
            writer.tell(RawPeer.BUFFER_BYTES, RawPeer.BUFFERS, data, control);
            assertRefused(pair[1], bad.complaint());
        }
    }

    static Stream<Bad> badControl() {
        Memory right = Memory.right(RawPeer.CONTROL_BYTES);
        return Stream.of(
                memory("may shrink", right.without(MemoryFiles.F_SEAL_SHRINK), "seals"),
                memory("may get holes", right.without(MemoryFiles.F_SEAL_FUTURE_WRITE), "seals"),
                memory("sparse", right.sparse(), "not allocated"),
                memory("long", right.ofBytes(2 * RawPeer.CONTROL_BYTES), "bytes instead of"));
    }

    @ParameterizedTest
    @MethodSource("badControl")
    void bothRefuseControlMemoryThatIs(Bad bad) throws Exception {
        Descriptor[] pair = kernel.unixSockets().seqpacketPair(true, kernel.account());
        try (RawPeer writer = new RawPeer(kernel, pair[0]);
                Descriptor data = writer.make(RIGHT);
                Descriptor control = bad.making().make(kernel, writer)) {
            writer.tell(RawPeer.BUFFER_BYTES, RawPeer.BUFFERS, data, control);
            assertRefused(pair[1], bad.complaint());
        }
        Descriptor[] second = kernel.unixSockets().seqpacketPair(true, kernel.account());
        try (SharedPool pool = SharedPool.create(kernel, RawPeer.CONFIG, kernel.account());
                RawPeer reader = new RawPeer(kernel, second[1]);
                Descriptor control = bad.making().make(kernel, reader)) {
            reader.tell(RawPeer.BUFFER_BYTES, RawPeer.BUFFERS, control);
            assertThatThrownBy(() -> pool.attach(second[0]))
                    .isInstanceOf(PeerViolationException.class)
                    .hasMessageContaining(bad.complaint());
            assertThat(pool.isAttached()).isFalse();
            assertThat(pool.freeBuffers()).isEqualTo(RawPeer.BUFFERS);
        }
    }

    /// The control of the tests above: what they offer is refused for the one thing that is wrong with it.
    @Test
    void whatIsRightIsTaken() throws Exception {
        Descriptor[] pair = kernel.unixSockets().seqpacketPair(true, kernel.account());
        try (RawPeer writer = new RawPeer(kernel, pair[0])) {
            writer.offer();
            try (SharedPoolReader reader =
                    SharedPoolReader.accept(kernel, pair[1], SharedPoolReaderConfig.DEFAULT, kernel.account())) {
                writer.put(3, 100);
                assertThat(reader.receive(0).index()).isEqualTo(3);
            }
        }
    }

    @Test
    void aReaderRefusesMessagesThatAreNoOffer() throws Exception {
        refused("another protocol", peer -> peer.tell(4711, 1, 4096, 4), "speaks something else");
        refused("a later version", peer -> peer.tell(Handshake.MAGIC, 2, 4096, 4), "version 1");
        refused("no memory", peer -> peer.tell(4096, 4), "0 descriptors");
        refused("half the memory", peer -> peer.tell(4096, 4, peer.make(RIGHT)), "1 descriptors");
        refused(
                "too many descriptors",
                peer -> {
                    Descriptor data = peer.make(RIGHT);
                    peer.tell(4096, 4, data, data, data, data, data);
                },
                "speaks something else");
        for (int bufferBytes : new int[] {0, -4096, 100, Integer.MIN_VALUE}) {
            refused(
                    "buffers of " + bufferBytes,
                    peer -> peer.tell(bufferBytes, 4, peer.make(RIGHT), peer.make(RIGHT)),
                    "multiple of 64");
        }
        for (int count : new int[] {0, -1, SharedPoolConfig.MOST_BUFFERS + 1}) {
            refused(
                    count + " buffers",
                    peer -> peer.tell(4096, count, peer.make(RIGHT), peer.make(RIGHT)),
                    "between 1 and");
        }
        refused(
                "64 TiB",
                peer -> peer.tell(1 << 30, SharedPoolConfig.MOST_BUFFERS, peer.make(RIGHT), peer.make(RIGHT)),
                "at most");
        refused("nothing at all", RawPeer::close, "closed the connection");
    }

    @FunctionalInterface
    interface Telling {
        void tell(RawPeer peer) throws Exception;
    }

    private void refused(String what, Telling telling, String complaint) throws Exception {
        Descriptor[] pair = kernel.unixSockets().seqpacketPair(true, kernel.account());
        try (RawPeer writer = new RawPeer(kernel, pair[0])) {
            telling.tell(writer);
            assertRefused(pair[1], complaint);
        } catch (AssertionError e) {
            throw new AssertionError(what, e);
        }
    }

    private void assertRefused(Descriptor socket, String complaint) {
        assertThatThrownBy(
                        () -> SharedPoolReader.accept(kernel, socket, SharedPoolReaderConfig.DEFAULT, kernel.account()))
                .isInstanceOf(PeerViolationException.class)
                .hasMessageContaining(complaint);
        assertThat(socket.isOpen()).isFalse();
    }

    @Test
    void aPeerThatSaysNothingIsNotWaitedForForEver() throws Exception {
        Descriptor[] pair = kernel.unixSockets().seqpacketPair(true, kernel.account());
        assertThatThrownBy(() -> Handshake.receive(kernel, pair[1], 2, 1))
                .isInstanceOf(PeerViolationException.class)
                .hasMessageContaining("said nothing");
        pair[0].close();
        pair[1].close();
    }

    @Test
    void aStreamSocketIsAMistakeOfTheCaller() throws Exception {
        Descriptor[] pair = kernel.sockets().pair(true, kernel.account());
        assertThatThrownBy(() ->
                        SharedPoolReader.accept(kernel, pair[0], SharedPoolReaderConfig.DEFAULT, kernel.account()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("SOCK_SEQPACKET");
        pair[1].close();
    }
}
