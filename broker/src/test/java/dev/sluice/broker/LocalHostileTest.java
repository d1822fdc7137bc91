package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Sockets;
import dev.sluice.io.linux.UnixSockets;
import dev.sluice.io.memory.Mapping;
import dev.sluice.log.local.EndPage;
import dev.sluice.log.local.LocalLog;
import dev.sluice.log.local.LocalLogException;
import dev.sluice.log.local.LocalLogException.Reason;
import dev.sluice.log.local.LocalReader;
import dev.sluice.log.local.LocalReply;
import dev.sluice.log.local.LocalRequest;
import dev.sluice.testbase.RequiresProgram;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.LeakCounter;
import dev.sluice.testkit.Seeds;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A local peer that means no good gets nothing but what it may read, and harms nobody else.
@Timeout(180)
@ExtendWith(LeakCounter.class)
class LocalHostileTest {
    private static final String NOBODY = "65534";
    /// What the smallest send buffer has room for (SOCK_MIN_SNDBUF; each message takes some 800 bytes of it).
    private static final int MOST_UNDER_WAY = 8;

    /// As many as come well within the five seconds that who says nothing is given.
    private static final int DROVE = 200;

    // Of the page of ends: the word that is slept on, and where the first slot's log begins.
    private static final long CHANGES_AT = 8;
    private static final long LOG_START_AT = 64 + 16;

    @TempDir
    Path folder;

    private final Kernel kernel = new Kernel();

    // ---- On the socket

    @Test
    void nonsenseEndsItsConnectionAndNoOther() throws Exception {
        try (TestBroker broker = TestBroker.start(folder);
                TestClient client = broker.client()) {
            TopicRef topic = client.create("t", 1);
            Seeds.run(random -> sayNonsense(broker, random));
            expectService(broker, client, topic);
        }
    }

    private void sayNonsense(TestBroker broker, Random random) throws IOException {
        for (int i = 0; i < 100; i++) {
            try (RawPeer peer = new RawPeer(broker)) {
                if (random.nextBoolean()) {
                    peer.hello();
                }
                byte[] nonsense = new byte[1 + random.nextInt(random.nextInt(10) == 0 ? 4000 : 40)];
                random.nextBytes(nonsense);
                nonsense[0] = (byte) (5 + random.nextInt(100)); // no type that there is
                peer.send(nonsense);
                assertThat(peer.receive())
                        .isInstanceOfSatisfying(
                                LocalReply.Refused.class,
                                refused -> assertThat(refused.reason()).isEqualTo(Reason.MALFORMED));
                assertThat(peer.receive()).isNull();
            }
        }
    }

    @Test
    void askingOutOfTurnOrForNothingEndsTheConnection() throws IOException {
        try (TestBroker broker = TestBroker.start(folder);
                TestClient client = broker.client()) {
            TopicRef topic = client.create("t", 1);
            List<LocalRequest> wrong = List.of(
                    new LocalRequest.Hello(LocalRequest.MAGIC, LocalRequest.VERSION),
                    new LocalRequest.Next(0, 0),
                    new LocalRequest.Next(60_000, Long.MIN_VALUE));
            for (LocalRequest request : wrong) {
                try (RawPeer peer = new RawPeer(broker)) {
                    peer.hello();
                    peer.send(request);
                    assertThat(peer.receive()).isInstanceOf(LocalReply.Refused.class);
                    assertThat(peer.receive()).isNull();
                }
            }
            try (RawPeer peer = new RawPeer(broker)) {
                peer.send(new LocalRequest.Open("t", 0, 0));
                assertThat(peer.receive()).isInstanceOf(LocalReply.Refused.class);
            }
            try (RawPeer peer = new RawPeer(broker)) {
                peer.send(new LocalRequest.Hello(LocalRequest.MAGIC, 2));
                assertThat(peer.receive()).isInstanceOf(LocalReply.Refused.class);
            }
            expectService(broker, client, topic);
        }
    }

    @Test
    void namesThatArePathsAreNamesOfNothing() throws IOException {
        List<String> names = List.of(
                "../t",
                "t-0/../t",
                "/etc/passwd",
                "..",
                ".",
                "",
                "t\0",
                "t-0",
                "T",
                "%74",
                "\u202et",
                "x".repeat(400),
                "meta.properties");
        try (TestBroker broker = TestBroker.start(folder);
                TestClient client = broker.client();
                LocalLog log = LocalLog.connect(broker.broker().localSocket().orElseThrow())) {
            TopicRef topic = client.create("t", 1);
            for (String name : names) {
                expectUnknown(log, name, 0);
            }
            for (int partition : new int[] {-1, 1, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
                expectUnknown(log, "t", partition);
            }
            for (long offset : new long[] {-3, 1, Long.MAX_VALUE, Long.MIN_VALUE}) {
                assertThatThrownBy(() -> log.open("t", 0, offset))
                        .isInstanceOfSatisfying(
                                LocalLogException.class,
                                e -> assertThat(e.reason()).isEqualTo(Reason.OFFSET_OUT_OF_RANGE));
            }
            expectService(broker, client, topic);
        }
    }

    private static void expectUnknown(LocalLog log, String name, int partition) {
        assertThatThrownBy(() -> log.open(name, partition, 0))
                .isInstanceOfSatisfying(
                        LocalLogException.class, e -> assertThat(e.reason()).isEqualTo(Reason.UNKNOWN_PARTITION));
    }

    @Test
    void whoReadsNoAnswersIsDropped() throws IOException {
        try (TestBroker broker = TestBroker.start(folder);
                TestClient client = broker.client()) {
            TopicRef topic = client.create("t", 1);
            client.append(topic, 0, Batches.of("v").bytes());
            try (RawPeer peer = new RawPeer(broker)) {
                peer.hello();
                peer.send(new LocalRequest.Open("t", 0, 0));
                peer.receive();
                while (peer.trySend(new LocalRequest.Next(0, 0)) != -Errno.EPIPE) {
                    Thread.onSpinWait();
                }
                int underWay = 0;
                while (peer.receive() instanceof LocalReply.Segment) {
                    underWay++;
                }
                assertThat(underWay).as("descriptors under way").isBetween(1, MOST_UNDER_WAY);
            }
            expectService(broker, client, topic);
        }
    }

    @Test
    void whoSaysNothingIsDroppedAndWhoComesInDrovesIsTurnedAway() throws IOException {
        try (TestBroker broker = TestBroker.start(folder, "sluice.local.max.connections", "8");
                TestClient client = broker.client()) {
            TopicRef topic = client.create("t", 1);
            List<RawPeer> silent = new ArrayList<>();
            try {
                for (int i = 0; i < 8; i++) {
                    silent.add(new RawPeer(broker));
                }
                for (int i = 0; i < DROVE; i++) {
                    try (RawPeer peer = new RawPeer(broker)) {
                        assertThat(peer.receive())
                                .isInstanceOfSatisfying(
                                        LocalReply.Refused.class,
                                        refused -> assertThat(refused.reason()).isEqualTo(Reason.BUSY));
                    }
                }
                assertThat(client.append(topic, 0, Batches.of("v").bytes())).isZero(); // nobody else minds
                for (RawPeer peer : silent) {
                    assertThat(peer.receive()).isNull(); // after five seconds
                }
            } finally {
                silent.forEach(RawPeer::close);
            }
            expectService(broker, client, topic);
        }
    }

    // ---- In shared memory

    @Test
    void whoScribblesOverItsPageCostsNothingButWakeUps() throws Exception {
        try (TestBroker broker = TestBroker.start(folder);
                TestClient client = broker.client();
                RawPeer peer = new RawPeer(broker)) {
            TopicRef topic = client.create("t", 1);
            UnixSockets.Received welcome = peer.helloWithPages();
            try (Mapping waiting = Mapping.ofFile(kernel, welcome.descriptors().get(1), 0, EndPage.BYTES, true)) {
                welcome.closeDescriptors();
                peer.send(new LocalRequest.Open("t", 0, 0));
                peer.receive();
                AtomicBoolean done = new AtomicBoolean();
                Thread scribbler = Thread.ofPlatform().start(() -> {
                    Random random = new Random(1);
                    while (!done.get()) {
                        waiting.segment().set(ValueLayout.JAVA_INT, 4L * random.nextInt(1024), random.nextInt());
                        waiting.segment().set(ValueLayout.JAVA_INT, 0, random.nextInt());
                        Thread.onSpinWait();
                    }
                });
                try {
                    expectService(broker, client, topic);
                } finally {
                    done.set(true);
                    scribbler.join();
                }
            }
        }
    }

    @Test
    void aReaderThatWaitsIsWokenByAnAppendAndNotByTheClock() throws Exception {
        try (TestBroker broker = TestBroker.start(folder);
                TestClient client = broker.client();
                RawPeer peer = new RawPeer(broker)) {
            TopicRef topic = client.create("t", 1);
            client.append(topic, 0, Batches.of("v").bytes());
            UnixSockets.Received welcome = peer.helloWithPages();
            try (Mapping ends = Mapping.ofFile(kernel, welcome.descriptors().get(0), 0, EndPage.BYTES, false);
                    Mapping waiting =
                            Mapping.ofFile(kernel, welcome.descriptors().get(1), 0, EndPage.BYTES, true)) {
                welcome.closeDescriptors();
                peer.send(new LocalRequest.Open("t", 0, 0));
                peer.receive();
                int changes = word(ends, CHANGES_AT);
                waiting.segment().set(ValueLayout.JAVA_INT, 0, 1);
                client.deleteRecords(topic, 0, 1);
                await().until(() -> word(ends, LOG_START_AT) == 1); // the clock's turn has come
                assertThat(word(waiting, 0)).isEqualTo(1);
                assertThat(word(ends, CHANGES_AT)).isEqualTo(changes);
                client.append(topic, 0, Batches.of("v").bytes());
                assertThat(word(waiting, 0)).isZero();
                assertThat(word(ends, CHANGES_AT)).isEqualTo(changes + 1);
            }
        }
    }

    private static int word(Mapping page, long position) {
        return (int) ValueLayout.JAVA_INT.varHandle().getVolatile(page.segment(), position);
    }

    // ---- What is passed, in a process of another user

    @Test
    @Tag("root")
    @RequiresProgram({"gcc", "setpriv"})
    void nothingThatIsPassedCanBeMadeWritableByAnotherUser() throws Exception {
        Path socket = socketForAll();
        try (TestBroker broker = TestBroker.start(
                        folder.resolve("data"),
                        "sluice.local.socket",
                        socket.toString(),
                        "sluice.local.users",
                        NOBODY);
                TestClient client = broker.client()) {
            TopicRef topic = client.create("t", 1);
            client.append(topic, 0, Batches.of("v").bytes());
            byte[] before = client.read(topic, 0, 0);

            Map<String, String> tried = asNobody(socket, "t", "0");

            assertThat(tried)
                    .containsEntry("segment mode", "read-only")
                    .containsEntry("segment read", "OK")
                    .containsEntry("segment read map", "OK")
                    .containsEntry("ends read map", "OK");
            tried.keySet()
                    .removeAll(List.of(
                            "segment mode",
                            "segment read",
                            "segment read map",
                            "ends read map",
                            "ends again read map"));
            assertThat(tried).hasSizeGreaterThan(25);
            assertThat(tried.values()).doesNotContain("OK");
            assertThat(client.read(topic, 0, 0)).isEqualTo(before);
            expectService(client, topic, socket);
        }
    }

    @Test
    @Tag("root")
    @RequiresProgram({"gcc", "setpriv"})
    void theControlAFileThatOthersMayWriteIsOpenedAgain() throws Exception {
        Path socket = socketForAll();
        try (TestBroker broker = TestBroker.start(
                        folder.resolve("data"),
                        "sluice.local.socket",
                        socket.toString(),
                        "sluice.local.users",
                        NOBODY);
                TestClient client = broker.client()) {
            client.create("t", 1);
            Path segment = folder.resolve("data/t-0/00000000000000000000.log");
            Files.setPosixFilePermissions(segment, PosixFilePermissions.fromString("rw-rw-rw-"));
            assertThat(asNobody(socket, "t", "0")).containsEntry("segment reopen rdwr", "OK");
        }
    }

    @Test
    @Tag("root")
    @RequiresProgram({"gcc", "setpriv"})
    void otherUsersAreKeptAwayByTheModeOrByTheirNumber() throws Exception {
        Path socket = socketForAll();
        try (TestBroker broker = TestBroker.start(folder.resolve("data"), "sluice.local.socket", socket.toString())) {
            assertThat(asNobody(socket, "t", "0")).isEqualTo(Map.of("connect", "EACCES"));
            broker.stop();
            broker.set("sluice.local.users", "12345");
            broker.start();
            assertThat(asNobody(socket, "t", "0")).isEqualTo(Map.of("refused", "1"));
            broker.stop();
            broker.set("sluice.local.groups", NOBODY);
            broker.start();
            assertThat(asNobody(socket, "t", "0")).isEqualTo(Map.of("refused", "4")); // let in, and there is no topic
            broker.stop();
            broker.set("sluice.local.groups", "54321");
            broker.start();
            assertThat(asNobody(socket, "t", "0")).isEqualTo(Map.of("refused", "1"));
            assertThat(asNobodyIn("--groups=12,54321", socket, "t", "0")).isEqualTo(Map.of("refused", "4"));
        }
    }

    /// There is room for one reader: it is only served anew when the one before is forgotten.
    @ParameterizedTest
    @ValueSource(strings = {"connected", "welcomed", "reading", "asking", "asleep"})
    @RequiresProgram("gcc")
    void aReaderThatIsKilledIsForgottenInEveryState(String state) throws Exception {
        try (TestBroker broker = TestBroker.start(folder, "sluice.local.max.connections", "1");
                TestClient client = broker.client()) {
            TopicRef topic = client.create("t", 1);
            client.append(topic, 0, Batches.of("v").bytes());
            Process peer = new ProcessBuilder(
                            program().toString(),
                            broker.broker().localSocket().orElseThrow().toString(),
                            "t",
                            "0",
                            state)
                    .start();
            try (BufferedReader out = peer.inputReader()) {
                assertThat(out.readLine()).isEqualTo("holding");
                client.append(topic, 0, Batches.of("v").bytes());
                boolean isOpen = !state.equals("connected") && !state.equals("welcomed");
                assertThat(Status.of(client).localReaders()).hasSize(isOpen ? 1 : 0);
            } finally {
                peer.destroyForcibly().waitFor();
                peer.getOutputStream().close();
                peer.getErrorStream().close();
            }
            await().untilAsserted(
                            () -> assertThat(Status.of(client).localReaders()).isEmpty());
            expectService(broker, client, topic);
        }
    }

    /// A socket's path that everybody can reach, though not the data.
    private Path socketForAll() throws IOException {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        return folder.resolve("s.sock");
    }

    /// What became of each try of the peer in C.
    private Map<String, String> asNobody(Path socket, String... arguments) throws Exception {
        return asNobodyIn("--clear-groups", socket, arguments);
    }

    private Map<String, String> asNobodyIn(String groups, Path socket, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                "setpriv",
                "--reuid",
                NOBODY,
                "--regid",
                NOBODY,
                groups,
                program().toString(),
                socket.toString()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        Map<String, String> tried = new LinkedHashMap<>();
        process.getOutputStream().close();
        try (BufferedReader out = process.inputReader()) {
            out.lines().map(line -> line.split(": ", 2)).forEach(parts -> tried.put(parts[0], parts[1]));
        }
        assertThat(process.waitFor()).as(tried.toString()).isZero();
        return tried;
    }

    private Path program() throws Exception {
        Path program = folder.resolve("local_peer");
        if (!Files.exists(program)) {
            Process gcc = new ProcessBuilder("gcc", "-O1", "-o", program.toString(), "src/test/c/local_peer.c")
                    .inheritIO()
                    .start();
            assertThat(gcc.waitFor()).isZero();
        }
        return program;
    }

    // ---- Everybody else

    private static void expectService(TestBroker broker, TestClient client, TopicRef topic) throws IOException {
        expectService(client, topic, broker.broker().localSocket().orElseThrow());
    }

    /// An honest reader and a producer are served as ever.
    private static void expectService(TestClient client, TopicRef topic, Path socket) throws IOException {
        try (LocalLog log = connectWhenThereIsRoom(socket);
                LocalReader reader = log.open(topic.name(), 0, LocalLog.END)) {
            for (int i = 0; i < 50; i++) {
                client.append(topic, 0, Batches.of("honest " + i).bytes());
            }
            for (int i = 0; i < 50; i++) {
                assertThat(reader.next()).isTrue();
                assertThat(reader.record().value().toArray(ValueLayout.JAVA_BYTE))
                        .isEqualTo(("honest " + i).getBytes(StandardCharsets.UTF_8));
            }
        }
    }

    private static LocalLog connectWhenThereIsRoom(Path socket) throws IOException {
        while (true) {
            try {
                return LocalLog.connect(socket);
            } catch (LocalLogException e) {
                if (e.reason() != Reason.BUSY) {
                    throw e;
                }
                Thread.onSpinWait();
            }
        }
    }

    /// A peer that says what it likes.
    private final class RawPeer implements AutoCloseable {
        private final Arena arena = Arena.ofConfined();
        private final MemorySegment memory = arena.allocate(8192, 8);
        private final Descriptor socket;

        RawPeer(TestBroker broker) throws IOException {
            socket = kernel.unixSockets().seqpacket(true, kernel.account()).orThrow();
            Path path = broker.broker().localSocket().orElseThrow();
            assertThat(kernel.sockets().connect(socket, UnixDomainSocketAddress.of(path)))
                    .isZero();
        }

        void hello() {
            helloWithPages().closeDescriptors();
        }

        UnixSockets.Received helloWithPages() {
            send(new LocalRequest.Hello(LocalRequest.MAGIC, LocalRequest.VERSION));
            UnixSockets.Received received = kernel.unixSockets().receive(socket, memory, 4, 0, kernel.account());
            assertThat(received.descriptors()).hasSize(2);
            return received;
        }

        void send(LocalRequest request) {
            ByteBuffer message = request.encode();
            byte[] bytes = new byte[message.remaining()];
            message.get(bytes);
            send(bytes);
        }

        void send(byte[] bytes) {
            MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, 0, bytes.length);
            long sent = kernel.sockets().send(socket, memory.asSlice(0, bytes.length), Sockets.MSG_NOSIGNAL);
            assertThat(sent).isEqualTo(bytes.length);
        }

        long trySend(LocalRequest request) {
            ByteBuffer message = request.encode();
            MemorySegment bytes = memory.asSlice(0, message.remaining()).copyFrom(MemorySegment.ofBuffer(message));
            return kernel.sockets().send(socket, bytes, Sockets.MSG_NOSIGNAL | Sockets.MSG_DONTWAIT);
        }

        /// @return null when the broker has closed the connection
        LocalReply receive() {
            UnixSockets.Received received;
            do {
                received = kernel.unixSockets().receive(socket, memory, 4, 0, kernel.account());
            } while (received.result() == -Errno.ECONNRESET);
            received.closeDescriptors();
            return received.result() <= 0
                    ? null
                    : LocalReply.parse(memory.asSlice(0, received.result()).asByteBuffer());
        }

        @Override
        public void close() {
            socket.close();
            arena.close();
        }
    }
}
