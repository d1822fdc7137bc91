package dev.sluice.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.io.linux.Kernel;
import dev.sluice.io.support.Leaks;
import dev.sluice.io.transfer.Method;
import dev.sluice.io.transfer.TransferAccount;
import dev.sluice.io.transfer.TransferException;
import dev.sluice.io.transfer.TransferOptions;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The front door: the JDK's types in and out, their positions as the JDK would leave them, nothing left open.
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class SluiceIoTest {
    private static final int LENGTH = 300_000;

    @TempDir
    Path folder;

    private final Kernel kernel = new Kernel();
    private final byte[] content = new byte[LENGTH];
    private Path file;
    private Leaks leaks;
    private SluiceIo io;

    /// What the JVM opens to close its first socket is not ours.
    @BeforeAll
    static void warmUp() throws IOException {
        SocketChannel.open().close();
    }

    @BeforeEach
    void open() throws IOException {
        new Random(5).nextBytes(content);
        file = Files.write(folder.resolve("file"), content);
        leaks = new Leaks(kernel);
        io = new SluiceIo(kernel);
    }

    @AfterEach
    void nothingLeft() {
        io.close();
        leaks.assertNone();
        leaks.assertNoMaps();
    }

    @FunctionalInterface
    private interface OverTcp {
        void run(SocketChannel client, SocketChannel server) throws Exception;
    }

    private static void overTcp(OverTcp test) throws Exception {
        try (ServerSocketChannel listener =
                        ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                SocketChannel client = SocketChannel.open(listener.getLocalAddress());
                SocketChannel server = listener.accept()) {
            test.run(client, server);
        }
    }

    @Test
    void aFileGoesThroughASocketChannelIntoAFileChannel() throws Exception {
        overTcp((client, server) -> {
            Path target = folder.resolve("target");
            try (FileChannel to = FileChannel.open(target, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                to.position(10);
                TransferAccount sent = io.move(End.file(file), End.of(client));
                assertThat(sent.bytesByMethod()).containsOnlyKeys(Method.SENDFILE);
                client.shutdownOutput();
                io.move(End.of(server), End.of(to));
                assertThat(to.position()).isEqualTo(10 + LENGTH);
            }
            byte[] got = Files.readAllBytes(target);
            assertThat(java.util.Arrays.mismatch(got, 10, got.length, content, 0, LENGTH))
                    .isEqualTo(-1);
        });
    }

    @Test
    void buffersAndSegmentsAreFilledFromTheirPositionOn() throws Exception {
        ByteBuffer buffer = ByteBuffer.allocateDirect(1000).position(100).limit(600);
        try (FileChannel from = FileChannel.open(file);
                Arena arena = Arena.ofConfined()) {
            from.position(50);
            io.move(End.of(from), End.of(buffer));
            assertThat(buffer.position()).isEqualTo(600);
            assertThat(from.position()).isEqualTo(550);
            byte[] got = new byte[500];
            buffer.get(100, got);
            assertThat(java.util.Arrays.mismatch(got, 0, 500, content, 50, 550)).isEqualTo(-1);
            MemorySegment memory = arena.allocate(700);
            io.move(End.file(file), End.of(memory));
            assertThat(memory.get(ValueLayout.JAVA_BYTE, 699)).isEqualTo(content[699]);
        }
    }

    @Test
    void memoryIsWrittenToChannels() throws Exception {
        overTcp((client, server) -> {
            ByteBuffer out =
                    ByteBuffer.allocateDirect(5).put(new byte[] {1, 2, 3, 4, 5}).flip();
            io.move(End.of(out), End.of(client));
            assertThat(out.hasRemaining()).isFalse();
            ByteBuffer in = ByteBuffer.allocate(5);
            while (in.hasRemaining()) {
                assertThat(server.read(in)).isPositive();
            }
            assertThat(in.array()).containsExactly(1, 2, 3, 4, 5);
        });
    }

    @Test
    void theRightOneOfManyChannelsIsFound() throws Exception {
        FileChannel[] channels = new FileChannel[20];
        for (int i = 0; i < channels.length; i++) {
            channels[i] = FileChannel.open(file);
            channels[i].position(i * 1000L);
        }
        try {
            for (int i = 0; i < channels.length; i++) {
                ByteBuffer one = ByteBuffer.allocateDirect(1);
                io.move(End.of(channels[i]), End.of(one));
                assertThat(one.get(0)).isEqualTo(content[i * 1000]);
            }
            for (int i = 0; i < channels.length; i++) {
                assertThat(channels[i].position()).isEqualTo(i * 1000L + 1);
            }
        } finally {
            for (FileChannel channel : channels) {
                channel.close();
            }
        }
    }

    @Test
    void aFailedMoveAdvancesByWhatWasDelivered() throws Exception {
        try (FileChannel from = FileChannel.open(file)) {
            ByteBuffer buffer = ByteBuffer.allocateDirect(LENGTH + 100);
            TransferException thrown = catchThrowableOfType(
                    TransferException.class,
                    () -> io.move(End.of(from), End.of(buffer), LENGTH + 50, TransferOptions.DEFAULT));
            assertThat(thrown.failure()).isEqualTo(TransferException.Failure.SOURCE_SHRANK);
            assertThat(thrown.deliveredBytes()).isEqualTo(LENGTH);
            assertThat(from.position()).isEqualTo(LENGTH);
            assertThat(buffer.position()).isEqualTo(LENGTH);
        }
    }

    @Test
    void whatCannotBeTakenSaysWhy() throws Exception {
        assertThat(catchThrowableOfType(
                        IllegalArgumentException.class,
                        () -> io.move(
                                End.file(file), End.of(ByteBuffer.allocate(5).asReadOnlyBuffer()))))
                .hasMessageContaining("read-only");
        try (SocketChannel unconnected = SocketChannel.open()) {
            assertThat(catchThrowableOfType(IOException.class, () -> io.move(End.file(file), End.of(unconnected))))
                    .hasMessageContaining("not connected");
        }
        assertThat(catchThrowableOfType(
                        IOException.class,
                        () -> io.move(End.file(folder.resolve("missing")), End.file(folder.resolve("x")))))
                .hasMessageContaining("ENOENT");
    }
}
