package dev.sluice.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sluice.io.End;
import dev.sluice.io.SluiceIo;
import dev.sluice.io.buffer.Buffer;
import dev.sluice.io.buffer.Buffers;
import dev.sluice.io.buffer.LeakDetection;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Span;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.DefaultFileRegion;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The bytes of spans and buffers through Netty's transports, and who lets go of them when.
@Timeout(180)
@SuppressWarnings("FutureReturnValueIgnored") // of writes before one that is waited for
class AdapterTest {
    private static final int LENGTH = (3 << 20) + 17;

    @TempDir
    Path folder;

    private final Kernel kernel = new Kernel();
    private final Buffers buffers = new Buffers(kernel, LeakDetection.OFF);
    private final AtomicInteger released = new AtomicInteger();
    private final byte[] content = new byte[LENGTH];
    private Descriptor file;

    @BeforeEach
    void writeTheFile() throws Exception {
        new Random(17).nextBytes(content);
        Path path = java.nio.file.Files.write(folder.resolve("file"), content);
        file = kernel.files().open(path, Files.O_RDONLY, 0, kernel.account()).orThrow();
    }

    @AfterEach
    void nothingIsLeft() throws IOException {
        file.close();
        assertThat(buffers.outstanding()).isZero();
        buffers.close();
        assertThat(openFiles()).as("descriptors left open").isZero();
    }

    /// Descriptors of this process on files of the test.
    private long openFiles() throws IOException {
        try (Stream<Path> links = java.nio.file.Files.list(Path.of("/proc/self/fd"))) {
            return links.filter(link -> {
                        try {
                            return java.nio.file.Files.readSymbolicLink(link).startsWith(folder);
                        } catch (IOException e) {
                            return false; // the listing's own
                        }
                    })
                    .count();
        }
    }

    private Span span(long position, long lengthBytes) {
        return new Span(file, position, lengthBytes, released::incrementAndGet);
    }

    private static Wire wire(Transport transport) throws Exception {
        assumeTrue(transport.missing() == null, () -> transport + ": " + transport.missing());
        return new Wire(transport);
    }

    private static void sync(Wire wire, ChannelFuture written) throws InterruptedException {
        wire.channel.flush();
        written.sync();
    }

    @ParameterizedTest
    @EnumSource
    void spansArriveAndAreReleasedOnce(Transport transport) throws Exception {
        try (Wire wire = wire(transport)) {
            CompletableFuture<byte[]> all = wire.collect();
            Outbound.write(wire.channel, span(0, 1000));
            wire.channel.write(Unpooled.wrappedBuffer(new byte[] {42})); // others' messages pass
            Outbound.write(wire.channel, span(1000, 0));
            sync(wire, Outbound.write(wire.channel.pipeline(), span(1000, LENGTH - 1000)));
            byte[] got = wire.received(all);
            ByteArrayOutputStream expected = new ByteArrayOutputStream();
            expected.write(content, 0, 1000);
            expected.write(42);
            expected.write(content, 1000, LENGTH - 1000);
            assertThat(got).isEqualTo(expected.toByteArray());
            assertThat(released).hasValue(3);
        }
    }

    @ParameterizedTest
    @EnumSource
    void manySpansOfAFileShareOneDescriptorEvenAfterItWasUnlinked(Transport transport) throws Exception {
        java.nio.file.Files.delete(folder.resolve("file"));
        try (Wire wire = wire(transport)) {
            CompletableFuture<byte[]> all = wire.collect();
            long before = openFiles();
            try (SpanFile spans = SpanFile.of(file)) {
                for (int i = 0; i < 100; i++) {
                    wire.channel.write(spans.region(i * 10_000L, 10_000, released::incrementAndGet));
                }
                assertThat(openFiles()).isEqualTo(before + 1);
            }
            wire.channel.writeAndFlush(Unpooled.EMPTY_BUFFER).sync();
            assertThat(wire.received(all)).isEqualTo(Arrays.copyOf(content, 1_000_000));
            assertThat(released).hasValue(100);
        }
    }

    @ParameterizedTest
    @EnumSource
    void buffersOfThousandsOfPiecesArriveAndAreReleasedOnce(Transport transport) throws Exception {
        List<Buffer> parts = new ArrayList<>();
        ByteArrayOutputStream expected = new ByteArrayOutputStream();
        Buffer pooled = buffers.allocate(300_000);
        pooled.copyFrom(0, MemorySegment.ofArray(content).asSlice(0, 300_000));
        for (int i = 0; i < 3000; i++) {
            boolean onHeap = i > 1500 && i % 10 == 0;
            parts.add(
                    onHeap
                            ? buffers.wrap(ByteBuffer.wrap(content, i * 100, 100))
                            : pooled.slice(i * 100L, i % 7 == 0 ? 0 : 100));
            expected.write(content, i * 100, onHeap || i % 7 != 0 ? 100 : 0);
        }
        parts.add(buffers.wrap(MemorySegment.ofArray(new byte[] {7}), released::incrementAndGet));
        expected.write(7);
        try (Wire wire = wire(transport)) {
            CompletableFuture<byte[]> all = wire.collect();
            sync(wire, Outbound.write(wire.channel, buffers.compose(parts)));
            assertThat(wire.received(all)).isEqualTo(expected.toByteArray());
            assertThat(released).hasValue(1);
        } finally {
            pooled.release();
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatIsWrittenToAClosedChannelIsReleased(Transport transport) throws Exception {
        try (Wire wire = wire(transport)) {
            wire.channel.close().sync();
            Buffer buffer = buffers.wrap(MemorySegment.ofArray(new byte[10]), released::incrementAndGet);
            assertThat(Outbound.write(wire.channel, buffer).await().isSuccess()).isFalse();
            assertThat(Outbound.write(wire.channel, span(0, 10)).await().isSuccess())
                    .isFalse();
            Descriptor gone = kernel.files()
                    .open(folder.resolve("file"), Files.O_RDONLY, 0, kernel.account())
                    .orThrow();
            gone.close();
            assertThat(Outbound.write(wire.channel, new Span(gone, 0, 10, released::incrementAndGet))
                            .await()
                            .cause())
                    .isInstanceOf(IOException.class);
            assertThat(released).hasValue(3);
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatAPeerThatResetsDidNotTakeIsReleased(Transport transport) throws Exception {
        Path path = folder.resolve("sparse");
        try (RandomAccessFile sparse = new RandomAccessFile(path.toFile(), "rw")) {
            sparse.setLength(100 << 20); // more than the socket holds
        }
        try (Descriptor large = kernel.files()
                        .open(path, Files.O_RDONLY, 0, kernel.account())
                        .orThrow();
                Wire wire = wire(transport)) {
            ChannelFuture sent = Outbound.write(wire.channel, new Span(large, 0, 100 << 20, released::incrementAndGet));
            ChannelFuture behind = Outbound.write(
                    wire.channel, buffers.wrap(MemorySegment.ofArray(new byte[10]), released::incrementAndGet));
            wire.channel.flush();
            wire.peer.getInputStream().readNBytes(1 << 20);
            wire.peer.setSoLinger(true, 0);
            wire.peer.close();
            assertThat(sent.await().isSuccess()).isFalse();
            assertThat(behind.await().isSuccess()).isFalse();
            wire.channel.close().sync();
            assertThat(released).hasValue(2);
        }
    }

    @ParameterizedTest
    @EnumSource
    void bytesBeyondTwoGiBOfAFileAreThoseThatWereAskedFor(Transport transport) throws Exception {
        long position = (5L << 30) + 7; // cut to 32 bits it is 1 GiB + 7
        Path path = folder.resolve("large");
        try (RandomAccessFile sparse = new RandomAccessFile(path.toFile(), "rw")) {
            sparse.seek(position);
            sparse.write(content, 0, 200_000);
            sparse.seek((1L << 30) + 7);
            sparse.write(new byte[] {1, 2, 3});
        }
        try (Descriptor large = kernel.files()
                        .open(path, Files.O_RDONLY, 0, kernel.account())
                        .orThrow();
                Wire wire = wire(transport)) {
            CompletableFuture<byte[]> all = wire.collect();
            sync(wire, Outbound.write(wire.channel, new Span(large, position, 200_000, released::incrementAndGet)));
            byte[] expected = Arrays.copyOf(content, 200_000);
            if (transport == Transport.IO_URING) {
                // By itself: said, not sent. Control: Netty's own region, of which it sends other bytes.
                SpanRegion region = SpanRegion.of(new Span(large, position, 3, released::incrementAndGet));
                assertThat(wire.channel.writeAndFlush(region).await().cause())
                        .isInstanceOf(IOException.class)
                        .hasMessageContaining("write the span by Outbound.write");
            }
            assertThat(wire.received(all)).isEqualTo(expected);
        }
        if (transport == Transport.IO_URING) {
            try (Wire wire = wire(transport)) {
                CompletableFuture<byte[]> all = wire.collect();
                FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
                wire.channel
                        .writeAndFlush(new DefaultFileRegion(channel, position, 3))
                        .await();
                assertThat(wire.received(all)).isNotEqualTo(Arrays.copyOf(content, 3));
            }
        }
        assertThat(released).hasValue(transport == Transport.IO_URING ? 2 : 1);
    }

    @ParameterizedTest
    @EnumSource
    void whatNettyReceivesIsMovedFromItsOwnMemory(Transport transport) throws Exception {
        assumeTrue(transport.missing() == null);
        BlockingQueue<ByteBuf> inbox = new LinkedBlockingQueue<>();
        try (SluiceIo io = new SluiceIo(kernel);
                Wire wire = new Wire(transport, new ChannelInboundHandlerAdapter() {
                    @Override
                    public void channelRead(ChannelHandlerContext ctx, Object message) {
                        inbox.add((ByteBuf) message);
                    }
                })) {
            wire.peer.getOutputStream().write(content, 0, 100_000);
            List<Buffer> parts = new ArrayList<>();
            List<ByteBuf> theirs = new ArrayList<>();
            for (int got = 0; got < 100_000; ) {
                ByteBuf bytes = inbox.take();
                got += bytes.readableBytes();
                theirs.add(bytes);
                parts.add(ByteBufs.toBuffer(buffers, bytes));
            }
            Path sink = folder.resolve("sink");
            try (Buffer composite = buffers.compose(parts)) {
                assertThat(composite.pieces().heapBytes()).isZero();
                io.move(End.of(composite), End.file(sink));
                assertThat(theirs).allMatch(bytes -> bytes.refCnt() == 1);
            }
            assertThat(theirs).allMatch(bytes -> bytes.refCnt() == 0);
            assertThat(java.nio.file.Files.readAllBytes(sink)).isEqualTo(Arrays.copyOf(content, 100_000));
        }
    }

    @Test
    void aByteBufShowsTheBuffersOwnMemoryAndABufferTheByteBufs() {
        byte[] array = {1, 2, 3, 4};
        Buffer whole = buffers.wrap(array);
        Buffer part = whole.slice(0, 2);
        ByteBuf bytes = ByteBufs.of(buffers.compose(part, buffers.wrap(ByteBuffer.allocateDirect(2)), whole));
        bytes.setByte(1, 9);
        assertThat(array[1]).isEqualTo((byte) 9);
        assertThat(bytes.readableBytes()).isEqualTo(8);
        bytes.readByte();
        Buffer back = ByteBufs.toBuffer(buffers, bytes.retainedSlice());
        bytes.release();
        back.copyFrom(1, MemorySegment.ofArray(new byte[] {5, 6}));
        assertThat(back.toArray()).containsExactly(9, 5, 6, 1, 9, 3, 4); // all but the byte that was read
        assertThat(bytes.refCnt()).isEqualTo(1);
        back.release();
        assertThat(bytes.refCnt()).isZero();
    }

    @Test
    void aByteBufOfNettysComesBackWithItsPiecesUncopied() {
        ByteBuf one = ByteBufAllocator.DEFAULT.directBuffer().writeInt(0xCAFEBABE);
        ByteBuf two = ByteBufAllocator.DEFAULT.heapBuffer().writeInt(0x12345678);
        ByteBuf both = Unpooled.wrappedBuffer(one, two);
        try (Buffer buffer = ByteBufs.toBuffer(buffers, both)) {
            assertThat(buffer.longAt(0)).isEqualTo(0xCAFEBABE12345678L);
            buffer.copyFrom(0, MemorySegment.ofArray(new byte[] {1}));
            assertThat(one.getByte(0)).isEqualTo((byte) 1);
            assertThat(buffer.pieces().heapBytes()).isEqualTo(4);
        }
        assertThat(one.refCnt()).isZero();
        assertThat(two.refCnt()).isZero();
    }

    @Test
    void aReleasedBufferMakesNoByteBuf() {
        Buffer gone = buffers.wrap(new byte[3]);
        gone.release();
        assertThatThrownBy(() -> ByteBufs.of(gone)).isInstanceOf(IllegalStateException.class);
    }
}
