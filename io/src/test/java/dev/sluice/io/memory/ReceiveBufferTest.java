package dev.sluice.io.memory;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ReceiveBufferTest {
    private static final long FRAME = 64 << 20;

    private final ReceiveBufferPool pool = new ReceiveBufferPool(new Kernel(), FRAME);

    @Test
    void anEmptiedBufferStartsOverAtItsBeginning() throws ErrnoException {
        ReceiveBuffer buffer = pool.take();
        buffer.received(10);
        buffer.consume(4);
        assertThat(buffer.start()).isEqualTo(4);
        assertThat(buffer.lengthBytes()).isEqualTo(6);
        buffer.consume(6);
        assertThat(buffer.start()).isZero();
        assertThat(buffer.end()).isZero();
        pool.give(buffer);
    }

    @Test
    void compactingKeepsTheBytesThatAreLeft() throws ErrnoException {
        ReceiveBuffer buffer = pool.take();
        for (int i = 0; i < 8; i++) {
            buffer.room(8).set(ValueLayout.JAVA_BYTE, 0, (byte) i);
            buffer.received(1);
        }
        buffer.consume(5);
        buffer.compact();
        assertThat(buffer.segment()
                        .asSlice(buffer.start(), buffer.lengthBytes())
                        .toArray(ValueLayout.JAVA_BYTE))
                .containsExactly(5, 6, 7);
        pool.give(buffer);
    }

    @Test
    void theBufferGivenBackLastIsTakenNext() throws ErrnoException {
        ReceiveBuffer first = pool.take();
        ReceiveBuffer second = pool.take();
        pool.give(second);
        pool.give(first);
        assertThat(pool.take()).isSameAs(first);
        assertThat(pool.taken()).isEqualTo(1);
        pool.give(first);
    }

    @Test
    void memoryGrowsWithTheBytesReceivedAndGoesBackWhenALargeFrameIsDone() throws IOException {
        ReceiveBuffer buffer = pool.take();
        long before = residentKiB();
        assertThat(buffer.room(FRAME).byteSize()).isEqualTo(FRAME); // declared, not received: nothing is backed
        assertThat(residentKiB() - before).isLessThan(FRAME >> 12);
        buffer.room(FRAME).fill((byte) 1);
        buffer.received(FRAME);
        assertThat(residentKiB() - before).isGreaterThan(FRAME >> 11);
        buffer.consume(FRAME);
        pool.give(buffer);
        assertThat(residentKiB() - before).isLessThan(FRAME >> 12);
    }

    private static long residentKiB() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("RssAnon:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                .findFirst()
                .orElseThrow();
    }
}
