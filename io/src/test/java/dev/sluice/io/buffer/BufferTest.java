package dev.sluice.io.buffer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.async.BufferPool;
import dev.sluice.io.async.PoolBuffer;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.memory.Mapping;
import dev.sluice.io.memory.SlabPool;
import dev.sluice.io.support.Leaks;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(180)
class BufferTest {
    private final Kernel kernel = new Kernel();
    private final Leaks leaks = new Leaks(kernel);
    private final Buffers buffers = new Buffers(kernel, LeakDetection.OFF);

    @AfterEach
    void nothingIsLeft() {
        assertThat(buffers.outstanding()).isZero();
        buffers.close();
        leaks.assertNone();
        leaks.assertNoMaps();
    }

    private Buffer text(String text) {
        return buffers.wrap(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static String text(Buffer buffer) {
        return new String(buffer.toArray(), StandardCharsets.US_ASCII);
    }

    @Test
    void whatIsStoredThroughOneBufferIsSeenThroughAll() {
        byte[] array = "one two".getBytes(StandardCharsets.US_ASCII);
        try (Buffer whole = buffers.wrap(array);
                Buffer part = whole.slice(4, 3);
                Buffer composite = buffers.compose(part.duplicate(), text("-"), whole.duplicate())) {
            part.copyFrom(0, MemorySegment.ofArray("six".getBytes(StandardCharsets.US_ASCII)));
            assertThat(text(composite)).isEqualTo("six-one six");
            composite.copyFrom(2, MemorySegment.ofArray("!?O".getBytes(StandardCharsets.US_ASCII)));
            assertThat(text(whole)).isEqualTo("One si!");
            assertThat(new String(array, StandardCharsets.US_ASCII)).isEqualTo("One si!");
        }
    }

    @Test
    void numbersAreReadAcrossPieces() {
        ByteBuffer bytes = ByteBuffer.allocate(12).putInt(0xCAFEBABE).putLong(0x0123456789ABCDEFL);
        try (Buffer one = buffers.wrap(bytes.flip());
                Buffer cut = buffers.compose(one.slice(0, 3), one.slice(3, 0), one.slice(3, 4), one.slice(7, 5))) {
            assertThat(cut.pieces().count()).isEqualTo(3);
            assertThat(cut.intAt(0)).isEqualTo(0xCAFEBABE);
            assertThat(cut.longAt(4)).isEqualTo(0x0123456789ABCDEFL);
            assertThat(cut.byteAt(11)).isEqualTo((byte) 0xEF);
            assertThatThrownBy(() -> cut.longAt(5))
                    .isInstanceOf(IndexOutOfBoundsException.class)
                    .hasMessage("8 bytes from byte 5 on aren't within 12 bytes");
        }
    }

    @Test
    void onePieceOfNativeMemoryIsNotCopiedAndOthersAre() throws Exception {
        try (Buffer pooled = buffers.allocate(8);
                Buffer heap = text("abc");
                Buffer same = pooled.inOnePiece();
                Buffer copy = heap.inOnePiece()) {
            pooled.copyFrom(0, MemorySegment.ofArray(new byte[] {1, 2, 3, 4, 5, 6, 7, 8}));
            assertThat(same.byteAt(7)).isEqualTo((byte) 8);
            assertThat(copy.pieces().piece(0).isNative()).isTrue();
            assertThat(text(copy)).isEqualTo("abc");
        }
    }

    @Test
    void theOwnerIsToldWhenTheLastBufferGoes() {
        AtomicInteger released = new AtomicInteger();
        Buffer whole = buffers.wrap(MemorySegment.ofArray(new byte[10]), released::incrementAndGet);
        Buffer part = whole.slice(2, 3);
        Buffer composite = buffers.compose(whole.duplicate(), whole.duplicate());
        assertThat(part.references()).isEqualTo(4);
        whole.release();
        composite.release();
        assertThat(released).hasValue(0);
        part.release();
        assertThat(released).hasValue(1);
    }

    @Test
    void theLibrarysPoolsGetTheirMemoryBack() throws Exception {
        SlabPool slabs = new SlabPool();
        MemorySegment slab = slabs.take(100);
        try (BufferPool pool = BufferPool.open(kernel, new BufferPool.Shape(1, 4096));
                Mapping mapping = Mapping.reserve(kernel, 4096)) {
            PoolBuffer registered = pool.take();
            Buffer mapped = buffers.wrap(mapping);
            mapping.close();
            Buffer composite = buffers.compose(
                    buffers.wrap(slab.asSlice(0, 100), () -> slabs.give(slab)),
                    buffers.wrap(registered.segment(), registered::release),
                    mapped);
            composite.copyFrom(0, MemorySegment.ofArray(new byte[100 + 4096 + 4096]));
            assertThat(pool.freeCount()).isZero();
            composite.release();
            assertThat(pool.freeCount()).isEqualTo(1);
            assertThat(slabs.taken()).isZero();
            assertThatThrownBy(() -> buffers.wrap(mapping)).hasMessageContaining("The map is gone");
        }
    }

    @Test
    void pooledMemoryIsUsedAgain() throws Exception {
        Buffer first = buffers.allocate(5000);
        first.copyFrom(4999, MemorySegment.ofArray(new byte[] {42}));
        first.release();
        try (Buffer second = buffers.allocate(5000)) {
            assertThat(second.byteAt(4999)).isEqualTo((byte) 42);
        }
    }

    @Test
    void aReleasedBufferSaysSoWhateverIsDoneWithIt() {
        Buffer buffer = text("abc");
        buffer.release();
        List<Consumer<Buffer>> uses = List.of(
                Buffer::release,
                Buffer::pieces,
                Buffer::duplicate,
                Buffer::toArray,
                Buffer::endpoint,
                b -> b.slice(0, 0),
                b -> b.byteAt(0),
                b -> b.copyTo(0, MemorySegment.ofArray(new byte[1])),
                b -> b.copyFrom(0, MemorySegment.ofArray(new byte[1])),
                b -> buffers.compose(b));
        for (Consumer<Buffer> use : uses) {
            assertThatThrownBy(() -> use.accept(buffer))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("The buffer was released; use a duplicate that has a reference of its own (3 bytes)");
        }
        buffer.close(); // which never throws
    }

    @Test
    void aBufferThatWasHandedOverBelongsToTheComposite() {
        Buffer part = text("abc");
        try (Buffer composite = buffers.compose(part)) {
            assertThatThrownBy(part::release)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("handed over to a composite");
            part.close();
            assertThat(text(composite)).isEqualTo("abc");
        }
    }

    @Test
    void aCompositeThatCannotBeMadeLeavesItsPartsAsTheyWere() {
        Buffer first = text("abc");
        Buffer gone = text("def");
        gone.release();
        assertThatThrownBy(() -> buffers.compose(first, gone)).hasMessageContaining("was released");
        assertThatThrownBy(() -> buffers.compose(first, first)).hasMessageContaining("handed over");
        assertThat(text(first)).isEqualTo("abc");
        first.release();
    }

    @Test
    void readOnlyMemoryIsNotStoredTo() {
        try (Buffer buffer = buffers.wrap(ByteBuffer.wrap(new byte[3]).asReadOnlyBuffer())) {
            assertThatThrownBy(() -> buffer.copyFrom(0, MemorySegment.ofArray(new byte[1])))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void oneOfTwoThreadsThatReleaseTheSameBufferIsTold() throws Exception {
        for (int round = 0; round < 500; round++) {
            AtomicInteger released = new AtomicInteger();
            AtomicInteger told = new AtomicInteger();
            Buffer buffer = buffers.wrap(MemorySegment.ofArray(new byte[1]), released::incrementAndGet);
            CyclicBarrier start = new CyclicBarrier(2);
            Runnable release = () -> {
                try {
                    start.await();
                    buffer.release();
                } catch (IllegalStateException e) {
                    told.incrementAndGet();
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            };
            Thread other = new Thread(release);
            other.start();
            release.run();
            other.join();
            assertThat(released).hasValue(1);
            assertThat(told).hasValue(1);
        }
    }

    @Test
    void buffersOfManyThreadsShareMemoryUntilTheLastIsReleased() throws Exception {
        AtomicInteger released = new AtomicInteger();
        try (Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(64);
            Buffer whole = buffers.wrap(memory, () -> {
                memory.fill((byte) -1);
                released.incrementAndGet();
            });
            Thread[] threads = new Thread[4];
            AtomicInteger wrong = new AtomicInteger();
            for (int i = 0; i < threads.length; i++) {
                Buffer own = whole.duplicate();
                threads[i] = new Thread(() -> {
                    for (int round = 0; round < 5000; round++) {
                        try (Buffer part = own.slice(round % 60, 4)) {
                            wrong.addAndGet(part.intAt(0) == 0 ? 0 : 1);
                        }
                    }
                    own.release();
                });
            }
            for (Thread thread : threads) {
                thread.start();
            }
            whole.release();
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(wrong).hasValue(0);
            assertThat(released).hasValue(1);
            assertThat(memory.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) -1);
        }
    }
}
