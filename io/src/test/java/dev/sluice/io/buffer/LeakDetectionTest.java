package dev.sluice.io.buffer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.io.linux.Kernel;
import java.lang.ref.Cleaner;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(180)
class LeakDetectionTest {
    private static final Cleaner CLEANER = Cleaner.create();

    private final BlockingQueue<Leak> leaks = new LinkedBlockingQueue<>();
    private final Kernel kernel = new Kernel();

    @Test
    void aLostBufferIsReportedWithTheStackThatAcquiredItAndOthersAreNot() throws Exception {
        try (Buffers buffers = new Buffers(kernel, LeakDetection.always(CLEANER, leaks::add))) {
            // Controls: let go in each way that is right.
            buffers.allocate(1).release();
            buffers.allocate(2).close();
            buffers.compose(buffers.allocate(3), buffers.allocate(4).inOnePiece())
                    .endpoint();
            lose(buffers);
            // The composite, its endpoint and what inOnePiece was asked of are lost as well, each once.
            List<Leak> found = found(4);
            assertThat(found).extracting(Leak::lengthBytes).containsExactlyInAnyOrder(77L, 4L, 7L, 7L);
            Leak leak = found.stream()
                    .filter(one -> one.lengthBytes() == 77)
                    .findFirst()
                    .orElseThrow();
            assertThat(leak.acquired().getStackTrace()[0].getMethodName()).isEqualTo("lose");
            assertThat(leak)
                    .asString()
                    .startsWith("A buffer of 77 bytes was never released; acquired by thread ")
                    .contains("LeakDetectionTest.lose(LeakDetectionTest.java:");
            assertThat(buffers.outstanding()).isEqualTo(4);
        }
    }

    /// So many reports, which come when the collector has run.
    private List<Leak> found(int count) throws InterruptedException {
        List<Leak> found = new ArrayList<>();
        while (found.size() < count) {
            System.gc();
            Leak leak = leaks.poll(20, TimeUnit.MILLISECONDS);
            if (leak != null) {
                found.add(leak);
            }
        }
        return found;
    }

    private static void lose(Buffers buffers) throws Exception {
        buffers.allocate(77).lengthBytes();
    }

    @Test
    void oneOfAHundredIsWatchedWhereThatIsAskedFor() throws Exception {
        try (Buffers buffers = new Buffers(kernel, LeakDetection.sampled(100, CLEANER, leaks::add))) {
            for (int i = 0; i < 300; i++) {
                buffers.wrap(new byte[i]);
            }
            List<Leak> found = found(3);
            assertThat(found).extracting(Leak::lengthBytes).containsExactlyInAnyOrder(0L, 100L, 200L);
            assertThat(buffers.outstanding()).isEqualTo(300);
        }
    }

    @Test
    void aWatchedBufferThatIsUsedAfterItsReleaseTellsWhereItWasAcquired() {
        try (Buffers buffers = new Buffers(kernel, LeakDetection.always(CLEANER, leaks::add))) {
            Buffer buffer = buffers.wrap(new byte[3]);
            buffer.release();
            IllegalStateException thrown = catchThrowableOfType(IllegalStateException.class, buffer::toArray);
            assertThat(thrown.getCause().getStackTrace()[0].getMethodName())
                    .isEqualTo("aWatchedBufferThatIsUsedAfterItsReleaseTellsWhereItWasAcquired");
        }
    }
}
