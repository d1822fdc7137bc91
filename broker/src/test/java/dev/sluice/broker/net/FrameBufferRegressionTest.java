package dev.sluice.broker.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.broker.protocol.MalformedRequestException;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.memory.ReceiveBuffer;
import dev.sluice.io.memory.ReceiveBufferPool;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(180)
class FrameBufferRegressionTest {
    private static final int LARGEST = 1 << 20;
    private static final short SMALL_API = 7;

    private final ReceiveBufferPool pool = new ReceiveBufferPool(new Kernel(), LARGEST);
    private final FrameBuffer frames = new FrameBuffer(pool, LARGEST, new RequestHandler() {
        @Override
        public void handle(Request request) {}

        @Override
        public int largestFrameBytes(short apiKey) {
            return apiKey == SMALL_API ? 100 : Integer.MAX_VALUE;
        }
    });

    @AfterEach
    void giveBack() {
        frames.release();
        assertThat(pool.taken()).isZero();
        pool.close();
    }

    @Test
    void aFrameEndsTheSameHoweverItsBytesComeInPieces() throws Exception {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        List<Integer> sizes = new ArrayList<>();
        ByteBuffer stream = ByteBuffer.allocate(16 << 20);
        while (stream.remaining() > 300_000) {
            int size = random.nextInt(10) == 0 ? random.nextInt(260_000) : random.nextInt(2_000);
            sizes.add(size);
            stream.putInt(size);
            for (int i = 0; i < size; i++) {
                stream.put((byte) sizes.size());
            }
        }
        stream.flip();

        List<Integer> found = new ArrayList<>();
        while (stream.hasRemaining()) {
            receive(stream, 1 + random.nextInt(random.nextBoolean() ? 8 : 200_000));
            while (frames.isComplete()) {
                found.add(frames.frameLengthBytes());
                if (frames.frameLengthBytes() > 0) {
                    assertThat(frames.held().segment().get(ValueLayout.JAVA_BYTE, frames.framePosition()))
                            .as("seed %d, frame %d", seed, found.size())
                            .isEqualTo((byte) found.size());
                }
                frames.consumeFrame();
            }
            frames.releaseIfEmpty();
        }
        assertThat(found).as("seed %d", seed).isEqualTo(sizes);
    }

    @Test
    void theBufferIsNeverFullWhenEachReceiveLeavesAFewBytesOfTheNextFrame() throws Exception {
        // As many frames as would move the rest to the end of the buffer, were it not moved back.
        byte[] frame =
                ByteBuffer.allocate(Integer.BYTES + 60_000).putInt(60_000).array();
        int total = 4 * (LARGEST + (2 << 20)) / frame.length;
        ByteBuffer stream = ByteBuffer.allocate(total * frame.length);
        for (int i = 0; i < total; i++) {
            stream.put(frame);
        }
        stream.flip();
        receive(stream, 2);

        int found = 0;
        while (stream.hasRemaining()) {
            receive(stream, frame.length); // two bytes stay behind each time
            if (frames.isComplete()) {
                found++;
                frames.consumeFrame();
            }
            assertThat(frames.held().end()).isLessThan(2L * (frame.length + 8));
        }
        assertThat(found).isEqualTo(total);
    }

    @Test
    void fourBytesMoreThanTheFrameAreAskedFor() throws Exception {
        receive(ByteBuffer.allocate(8).putInt(200_000).flip(), 4);
        assertThat(frames.isComplete()).isFalse();
        assertThat(frames.room(Long.MAX_VALUE).byteSize()).isEqualTo(200_000 + 4);
        receive(ByteBuffer.allocate(200_000), 200_000);
        assertThat(frames.isComplete()).isTrue();
        frames.consumeFrame();
        // The next one is taken to be as long.
        assertThat(frames.room(Long.MAX_VALUE).byteSize()).isEqualTo(4 + 200_000 + 4);
    }

    @Test
    void aSizeThatNoFrameMayHaveIsRefused() throws Exception {
        receive(ByteBuffer.allocate(8).putInt(LARGEST + 1).flip(), 4);
        assertThatThrownBy(frames::isComplete).isInstanceOf(MalformedRequestException.class);
    }

    @Test
    void aFrameThatIsTooLargeForItsApiIsRefusedWithItsSixthByte() throws Exception {
        ByteBuffer frame =
                ByteBuffer.allocate(200).putInt(101).putShort(SMALL_API).rewind();
        receive(frame, 5);
        assertThat(frames.isComplete()).isFalse();
        receive(frame, 1);
        assertThatThrownBy(frames::isComplete).isInstanceOf(MalformedRequestException.class);
    }

    @Test
    void whatGoesToAnotherThreadGoesInItsBufferWithoutACopy() throws Exception {
        ByteBuffer frame =
                ByteBuffer.allocate(300_004).putInt(300_000).put((byte) 1).rewind();
        receive(frame, 4);
        assertThat(frames.isComplete()).isFalse();
        receive(frame, 199_996);
        ReceiveBuffer held = frames.held();
        try (ReceiveBufferPool others = new ReceiveBufferPool(new Kernel(), LARGEST)) {
            FrameBuffer other = new FrameBuffer(others, LARGEST, _ -> {});
            other.put(Objects.requireNonNull(frames.take()));
            assertThat(frames.heldBytes()).isZero();
            assertThat(pool.taken()).isZero();

            assertThat(other.held()).isSameAs(held);
            assertThat(other.heldBytes()).isEqualTo(200_000);
            other.received(100_004);
            assertThat(other.isComplete()).isTrue();
            assertThat(other.held().segment().get(ValueLayout.JAVA_BYTE, other.framePosition()))
                    .isEqualTo((byte) 1);
            other.release();
            assertThat(others.taken()).isZero();
        }
    }

    @Test
    void whereNothingWasReceivedThereIsNothingToTakeAlong() throws Exception {
        frames.room(Long.MAX_VALUE);
        assertThat(frames.take()).isNull();
        assertThat(pool.taken()).isZero();
    }

    private void receive(ByteBuffer stream, int mostBytes) throws ErrnoException {
        MemorySegment room = frames.room(Long.MAX_VALUE);
        assertThat(room.byteSize()).isPositive();
        int length = (int) Math.min(Math.min(room.byteSize(), mostBytes), stream.remaining());
        MemorySegment.copy(MemorySegment.ofBuffer(stream), 0, room, 0, length);
        stream.position(stream.position() + length);
        frames.received(length);
    }
}
