package dev.sluice.io.loop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Epolls;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(180)
class EventLoopTest {
    private final Kernel kernel = new Kernel();
    private final LinkedBlockingQueue<Throwable> stray = new LinkedBlockingQueue<>();
    /// What the clock shows while it stands still, or 0 while it goes.
    private final AtomicLong heldNs = new AtomicLong();

    private EventLoop loop;
    private Thread thread;

    private long nowNs() {
        long held = heldNs.get();
        return held == 0 ? System.nanoTime() : held;
    }

    @BeforeEach
    void start() throws ErrnoException {
        loop = new EventLoop(kernel, Account.root("loop"), this::nowNs, stray::add);
        thread = Thread.ofPlatform().start(() -> {
            try {
                loop.run();
            } catch (ErrnoException e) {
                stray.add(e);
            }
        });
    }

    @AfterEach
    void stop() throws InterruptedException {
        loop.stop();
        thread.join();
        loop.close();
    }

    private void onLoop(Runnable task) throws InterruptedException {
        CountDownLatch done = new CountDownLatch(1);
        loop.execute(() -> {
            task.run();
            done.countDown();
        });
        done.await();
    }

    @Test
    void tasksOfManySendersAllRunAndThoseOfOneKeepTheirOrder() throws InterruptedException {
        int senders = 4;
        int each = 20_000;
        List<List<Integer>> seen = new ArrayList<>();
        CountDownLatch all = new CountDownLatch(senders * each);
        for (int s = 0; s < senders; s++) {
            List<Integer> own = new ArrayList<>();
            seen.add(own);
            Thread.ofPlatform().start(() -> {
                for (int i = 0; i < each; i++) {
                    int number = i;
                    loop.execute(() -> {
                        own.add(number);
                        all.countDown();
                    });
                    if (i % 64 == 0) {
                        LockSupport.parkNanos(20_000); // lets the loop fall asleep, so that wake-ups are raced for
                    }
                }
            });
        }
        assertThat(all.await(150, TimeUnit.SECONDS))
                .as("a lost wake-up would leave tasks")
                .isTrue();
        onLoop(() ->
                assertThat(seen).allSatisfy(own -> assertThat(own).hasSize(each).isSorted()));
    }

    @Test
    void aThrowingTaskIsToldAndTheNextRuns() throws InterruptedException {
        loop.execute(() -> {
            throw new IllegalStateException("on purpose");
        });
        onLoop(() -> {});
        assertThat(stray.take()).hasMessage("on purpose");
    }

    @Test
    void timersFireInOrderOfTheirDeadlinesAndCancelledOnesDoNot() throws InterruptedException {
        LinkedBlockingQueue<String> fired = new LinkedBlockingQueue<>();
        heldNs.set(System.nanoTime() | 1); // each is set by a look at the clock: it must not go on between them
        onLoop(() -> {
            loop.timer(() -> fired.add("second")).set(20_000_000);
            loop.timer(() -> fired.add("first")).set(10_000_000);
            Timer never = loop.timer(() -> fired.add("never"));
            never.set(5_000_000);
            never.cancel();
            Timer moved = loop.timer(() -> fired.add("third"));
            moved.set(1_000_000);
            moved.set(30_000_000);
        });
        heldNs.set(0);
        assertThat(List.of(fired.take(), fired.take(), fired.take())).containsExactly("first", "second", "third");
        assertThat(fired).isEmpty();
    }

    @Test
    void readinessReachesTheListenerAndAThrowingOneIsToldOfIt() throws Exception {
        Descriptor[] pair = kernel.sockets().pair(false, Account.root("pair"));
        LinkedBlockingQueue<Object> events = new LinkedBlockingQueue<>();
        AtomicInteger calls = new AtomicInteger();
        onLoop(() -> register(pair[0], new ReadyListener() {
            @Override
            public void ready(int bits) {
                events.add(bits);
                if (calls.incrementAndGet() == 2) {
                    throw new IllegalStateException("second");
                }
            }

            @Override
            public void failed(Throwable thrown) {
                events.add(thrown);
            }
        }));
        try (Arena arena = Arena.ofConfined()) {
            kernel.sockets().send(pair[1], arena.allocate(1), 0);
            assertThat((int) events.take() & Epolls.EPOLLIN).isNotZero();
            kernel.sockets().send(pair[1], arena.allocate(1), 0);
            assertThat(events.take()).isInstanceOf(Integer.class);
            assertThat((Throwable) events.take()).hasMessage("second");
        }
        onLoop(() -> {
            pair[0].close();
            pair[1].close();
        });
    }

    private void register(Descriptor descriptor, ReadyListener listener) {
        try {
            loop.register(descriptor, Epolls.EPOLLIN | Epolls.EPOLLET, listener);
        } catch (ErrnoException e) {
            stray.add(e);
        }
    }
}
