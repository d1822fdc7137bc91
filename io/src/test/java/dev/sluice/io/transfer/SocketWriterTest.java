package dev.sluice.io.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Gate;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Sockets;
import dev.sluice.io.transfer.SocketWriter.Progress;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Answers of memory and spans through a socket: by which calls, and the same bytes whatever those answer.
@Timeout(180)
class SocketWriterTest {
    private static final int SMALL_BYTES = 4_001;
    private static final int BORDER_BYTES = 8 << 10;
    private static final int FILE_BYTES = 3_000_000;

    @TempDir
    Path folder;

    private final ScriptedGate gate = new ScriptedGate();
    private final Kernel kernel = new Kernel(gate);
    private final byte[] content = new byte[FILE_BYTES];
    private final ByteArrayOutputStream wanted = new ByteArrayOutputStream();
    private final ByteArrayOutputStream got = new ByteArrayOutputStream();
    private Path path;
    private Descriptor file;
    private Descriptor socket;
    private SocketChannel peer;
    private SocketWriter writer;
    private int held;

    @BeforeEach
    void connect() throws IOException {
        new Random(11).nextBytes(content);
        path = Files.write(folder.resolve("file"), content);
        file = kernel.files().open(path, 0, 0, kernel.account()).orThrow();
        try (ServerSocketChannel server =
                ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            socket = kernel.sockets().stream(server.getLocalAddress(), true, kernel.account())
                    .orThrow();
            kernel.sockets().setOption(socket, Sockets.SOL_SOCKET, Sockets.SO_SNDBUF, 64 << 10);
            assertThat(kernel.sockets().connect(socket, server.getLocalAddress()))
                    .isZero();
            peer = server.accept();
        }
        kernel.files().setNonBlocking(socket, true);
        peer.configureBlocking(false);
        writer = new SocketWriter(kernel, socket, new SpanCopies(kernel, BORDER_BYTES), null);
        gate.on(Gate.OPEN);
    }

    @AfterEach
    void close() throws IOException {
        writer.abandon();
        assertThat(held).as("spans that were not let go of").isZero();
        peer.close();
        socket.close();
        file.close();
    }

    private void addMemory(int lengthBytes) {
        MemorySegment memory = Arena.ofAuto().allocate(lengthBytes);
        memory.fill((byte) lengthBytes);
        wanted.writeBytes(memory.toArray(java.lang.foreign.ValueLayout.JAVA_BYTE));
        writer.add(memory, Hold.NONE);
    }

    private void addSpan(int position, int lengthBytes) {
        held++;
        wanted.write(content, position, Math.max(0, Math.min(lengthBytes, content.length - position)));
        writer.add(new Span(file, position, lengthBytes, () -> held--));
    }

    private void answer(int position, int lengthBytes) {
        addMemory(70);
        addSpan(position, lengthBytes);
        addMemory(3);
    }

    /// Flushes and receives in turn.
    private Progress exchange() throws IOException {
        ByteBuffer into = ByteBuffer.allocate(1 << 20);
        while (true) {
            Progress progress = writer.flush(1 << 20);
            while (got.size() < wanted.size() - writer.queuedBytes()) {
                into.clear();
                int read = peer.read(into);
                assertThat(read).isNotNegative();
                got.write(into.array(), 0, read);
            }
            if (progress == Progress.DONE || progress == Progress.COLD) {
                return progress;
            }
        }
    }

    private void assertAllArrived() throws IOException {
        assertThat(exchange()).isEqualTo(Progress.DONE);
        assertThat(got.toByteArray()).isEqualTo(wanted.toByteArray());
    }

    @Test
    void smallSpansGoWithTheMemoryAroundThemByOneCall() throws Exception {
        answer(17, SMALL_BYTES);
        answer(100_000, SMALL_BYTES);

        assertAllArrived();

        assertThat(gate.counts())
                .containsEntry(Call.PREADV2, 2L)
                .containsEntry(Call.SENDMSG, 1L)
                .doesNotContainKeys(Call.SENDFILE, Call.SEND, Call.CACHESTAT);
    }

    @Test
    void longOnesGoBySendfile() throws Exception {
        answer(17, BORDER_BYTES + 1);

        assertAllArrived();

        assertThat(gate.counts()).containsKey(Call.SENDFILE).doesNotContainKeys(Call.SENDMSG);
    }

    @Test
    void whatIsOnItsWayFromTheDiskIsColdThoughItCountsAsCached() throws Exception {
        answer(17, BORDER_BYTES + 1);
        gate.on((call, subject, position, length) ->
                call == Call.PREADV2 && position == 17 + BORDER_BYTES ? -Errno.EAGAIN : length);

        assertThat(exchange()).isEqualTo(Progress.COLD);
        assertThat(gate.counts()).doesNotContainKey(Call.SENDFILE);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void countsThatFallShortChangeNothing(long seed) throws Exception {
        Random random = new Random(seed);
        for (int i = 0; i < 60; i++) {
            answer(random.nextInt(FILE_BYTES / 2), 1 + random.nextInt(i % 5 == 0 ? 60_000 : BORDER_BYTES));
        }
        Gate anyLength = ScriptedGate.shortCounts(seed);
        // A read that falls short says that the rest is not in memory.
        gate.on((call, subject, position, length) ->
                call == Call.PREADV2 ? length : anyLength.admit(call, subject, position, length));

        assertAllArrived();
    }

    @ParameterizedTest
    @ValueSource(longs = {-Errno.EAGAIN, 100})
    void whatWouldWaitForTheDiskIsCold(long answer) throws Exception {
        answer(17, SMALL_BYTES);
        gate.on((call, subject, position, length) -> call == Call.PREADV2 ? answer : length);

        // The bytes are resident, as they are while they are on their way from the disk: that must not be asked.
        assertThat(exchange()).isEqualTo(Progress.COLD);
        assertThat(got.size()).as("the memory before it").isEqualTo(70);
        assertThat(gate.counts()).doesNotContainKeys(Call.SENDFILE, Call.CACHESTAT);

        SocketWriter.Cold cold = writer.takeCold();
        assertThat(cold.position()).isEqualTo(17);
        assertThat(cold.lengthBytes()).isEqualTo(SMALL_BYTES);
        try (PipePool pipes = new PipePool(kernel.account())) {
            PipePool.Pipe pipe = pipes.take(kernel);
            MemorySegment read = Arena.ofAuto()
                    .allocate(SMALL_BYTES)
                    .copyFrom(MemorySegment.ofArray(Arrays.copyOfRange(content, 17, 17 + SMALL_BYTES)));
            assertThat(kernel.files().write(pipe.ends().writeEnd(), read)).isEqualTo(SMALL_BYTES);
            writer.filled(pipe, SMALL_BYTES, (back, _) -> pipes.give(back));
            assertAllArrived();
        }
    }

    /// On another thread it goes on: what is the first's own comes back by its owner, whenever that has time.
    @Test
    void anotherWriterGoesOnWhereOneHasComeTo() throws Exception {
        List<Runnable> sent = new ArrayList<>();
        List<String> givenBack = new ArrayList<>();
        addMemory(300_000);
        writer.add(Arena.ofAuto().allocate(1), () -> givenBack.add("before"));
        wanted.write(0);
        writer.add(Arena.ofAuto().allocate(100), () -> givenBack.add("with"));
        wanted.writeBytes(new byte[100]);
        addSpan(5, 1_000_000);
        addMemory(7);
        assertThat(writer.flush(1)).isIn(Progress.YIELDED, Progress.BLOCKED);
        long left = writer.queuedBytes();
        assertThat(left).as("in the middle of the first piece").isBetween(1_000_200L, 1_300_106L);

        SocketWriter.Unsent unsent = writer.giveAway(sent::add);
        assertThat(writer.isEmpty()).isTrue();
        writer = new SocketWriter(
                kernel,
                socket,
                new SpanCopies(kernel, 0),
                (from, position, length) -> kernel.sockets()
                        .sendfile(socket, from, position, length, Arena.ofAuto().allocate(Long.BYTES, Long.BYTES)));
        writer.takeOver(unsent);
        assertThat(writer.queuedBytes()).isEqualTo(left);
        assertAllArrived();

        assertThat(held).as("spans").isZero();
        assertThat(givenBack).as("memory, by another thread").isEmpty();
        sent.forEach(Runnable::run);
        assertThat(givenBack).containsExactly("before", "with");
    }

    @Test
    void aFileSystemThatCannotReadWithoutWaitingIsAskedOnce() throws Exception {
        gate.on((call, subject, position, length) -> call == Call.PREADV2 ? -Errno.EOPNOTSUPP : length);
        answer(17, SMALL_BYTES);
        answer(40_000, SMALL_BYTES);

        assertAllArrived();

        assertThat(gate.counts()).containsEntry(Call.PREADV2, 1L).containsEntry(Call.SENDFILE, 2L);
    }

    @Test
    void aFileThatHasEndedBeforeItsSpanIsAnError() throws Exception {
        try (var channel = java.nio.channels.FileChannel.open(path, StandardOpenOption.WRITE)) {
            channel.truncate(1_000);
        }
        answer(2_000, SMALL_BYTES);

        assertThatThrownBy(() -> writer.flush(1 << 20))
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining("ended before byte");
    }
}
