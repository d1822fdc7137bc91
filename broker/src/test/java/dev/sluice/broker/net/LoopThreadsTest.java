package dev.sluice.broker.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(180)
class LoopThreadsTest {
    private static final long LONG_NS = 60_000_000_000L;

    private final LoopThreads threads = new LoopThreads("loop");

    /// While threads have run out, one is made at each look of the watcher, and can't be started.
    @Test
    void whatCouldNotBeStartedIsForgottenAndNotWaitedFor() throws InterruptedException {
        for (int i = 0; i < 100; i++) {
            var _ = threads.newThread(() -> {});
        }

        assertThat(threads.count()).isEqualTo(1);
        assertThat(threads.join(LONG_NS)).isTrue();
    }

    @Test
    void thoseThatRunAreWaitedFor() throws InterruptedException {
        CountDownLatch end = new CountDownLatch(1);
        for (int i = 0; i < 2; i++) {
            threads.newThread(() -> {
                        try {
                            end.await();
                        } catch (InterruptedException e) {
                            Thread.currentThread().interrupt();
                        }
                    })
                    .start();
        }

        assertThat(threads.join(1)).isFalse();
        end.countDown();
        assertThat(threads.join(LONG_NS)).isTrue();
        var _ = threads.newThread(() -> {});
        assertThat(threads.count()).isEqualTo(1);
    }
}
