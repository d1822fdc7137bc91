package dev.sluice.io.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Kernel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A call on a loop that does not come back: another thread goes on with the loop, one at a time, and nothing is done
/// twice or left out.
@Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TakeOverTest {
    private static final int PATIENCE_S = 120;

    private final List<Throwable> stray = Collections.synchronizedList(new ArrayList<>());
    private final List<Thread> threads = Collections.synchronizedList(new ArrayList<>());
    private final AtomicInteger drivers = new AtomicInteger();
    private final AtomicInteger guests = new AtomicInteger();
    private final AtomicInteger ends = new AtomicInteger();
    private EventLoop loop;

    @BeforeEach
    void start() throws Exception {
        loop = new EventLoop(new Kernel(), Account.root("loop"), System::nanoTime, stray::add);
        thread(this::drive).start();
    }

    @AfterEach
    void stop() throws Exception {
        loop.stop();
        for (Thread thread : List.copyOf(threads)) {
            thread.join();
        }
        loop.close();
        assertThat(stray).isEmpty();
        assertThat(drivers.get()).as("threads that turned the loop to its end").isEqualTo(1);
        assertThat(loop.lostThreads()).isZero();
    }

    private Thread thread(Runnable body) {
        Thread made = new Thread(body, "driver-" + threads.size());
        threads.add(made);
        return made;
    }

    private void drive() {
        try {
            (loop.run(ends::incrementAndGet) ? drivers : guests).incrementAndGet();
        } catch (Exception e) {
            stray.add(e);
        }
    }

    private boolean takeOver(long stay) {
        return loop.takeOver(stay, this::thread, this::drive);
    }

    /// A task that is away until it is released.
    private final class Stuck implements Runnable {
        private final CountDownLatch began = new CountDownLatch(1);
        private final CountDownLatch release = new CountDownLatch(1);
        private final CountDownLatch done = new CountDownLatch(1);
        private volatile Thread thread;

        @Override
        public void run() {
            thread = Thread.currentThread();
            long stay = loop.away();
            began.countDown();
            await(release);
            loop.back(stay);
            done.countDown();
        }

        Stuck begin() {
            loop.execute(this);
            await(began);
            return this;
        }

        void end() {
            release.countDown();
            await(done);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(PATIENCE_S, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Runs a task on the loop and answers on which thread.
    private Thread onLoop() {
        CountDownLatch ran = new CountDownLatch(1);
        Thread[] on = new Thread[1];
        loop.execute(() -> {
            on[0] = Thread.currentThread();
            ran.countDown();
        });
        await(ran);
        return on[0];
    }

    @Test
    void anotherThreadGoesOnAndTheOneThatWasAwayFinishesAndGoes() throws Exception {
        Stuck stuck = new Stuck().begin();

        assertThat(takeOver(loop.stay())).isTrue();

        Thread next = onLoop();
        assertThat(next).isNotSameAs(stuck.thread);
        assertThat(loop.lostThreads()).isEqualTo(1);
        stuck.end();
        stuck.thread.join();
        assertThat(guests.get()).isEqualTo(1);
        assertThat(loop.lostThreads()).isZero();
        assertThat(onLoop()).isSameAs(next);
    }

    @Test
    void theControlWithoutATakeOverNothingGoesOn() {
        Stuck stuck = new Stuck().begin();
        AtomicInteger ran = new AtomicInteger();
        CountDownLatch later = new CountDownLatch(1);
        loop.execute(() -> {
            ran.incrementAndGet();
            later.countDown();
        });
        assertThat(ran.get()).isZero(); // nobody is there to run it: the only thread is held by a latch
        stuck.end();
        await(later);
        assertThat(onLoop()).isSameAs(stuck.thread);
    }

    @Test
    void whoIsBackInTimeKeepsTheLoop() {
        Stuck stuck = new Stuck().begin();
        long stay = loop.stay();
        assertThat(stay & 1).isEqualTo(1);
        stuck.end();

        assertThat(takeOver(stay)).isFalse();

        assertThat(onLoop()).isSameAs(stuck.thread);
        assertThat(threads).hasSize(1);
    }

    @Test
    void theRestOfTheTurnIsDoneOnceByTheOther() {
        List<String> done = Collections.synchronizedList(new ArrayList<>());
        Stuck stuck = new Stuck();
        CountDownLatch all = new CountDownLatch(4);
        loop.execute(() -> {
            loop.defer(() -> {
                done.add("deferred");
                all.countDown();
            });
            loop.timer(() -> {
                        done.add("timer");
                        all.countDown();
                    })
                    .set(0);
            loop.execute(stuck);
            for (String name : new String[] {"one", "two"}) {
                loop.execute(() -> {
                    done.add(name);
                    all.countDown();
                });
            }
        });
        await(stuck.began);

        assertThat(takeOver(loop.stay())).isTrue();

        await(all);
        assertThat(done).containsExactlyInAnyOrder("deferred", "timer", "one", "two");
        stuck.end();
        onLoop();
        assertThat(done).hasSize(4);
    }

    @Test
    void aGuestThatIsAwayAgainIsLeftToItself() throws Exception {
        CountDownLatch again = new CountDownLatch(1);
        CountDownLatch letGo = new CountDownLatch(1);
        CountDownLatch first = new CountDownLatch(1);
        CountDownLatch began = new CountDownLatch(1);
        Thread[] guest = new Thread[1];
        loop.execute(() -> {
            guest[0] = Thread.currentThread();
            long stay = loop.away();
            began.countDown();
            await(first);
            loop.back(stay);
            stay = loop.away();
            again.countDown();
            await(letGo);
            loop.back(stay);
        });
        await(began);
        assertThat(takeOver(loop.stay())).isTrue();
        Thread next = onLoop();
        first.countDown();
        await(again);

        assertThat(takeOver(loop.stay())).isTrue();

        assertThat(onLoop()).isSameAs(next);
        assertThat(threads).as("no third thread").hasSize(2);
        letGo.countDown();
        guest[0].join();
        assertThat(loop.lostThreads()).isZero();
    }

    @Test
    void onlySoManyMayBeAwayThenTheLoopWaits() {
        List<Stuck> lost = new ArrayList<>();
        for (int i = 0; i < Baton.MOST_LOST; i++) {
            lost.add(new Stuck().begin());
            assertThat(takeOver(loop.stay())).isTrue();
        }
        Stuck oneMore = new Stuck().begin();

        assertThat(takeOver(loop.stay())).isFalse();
        assertThat(threads).hasSize(Baton.MOST_LOST + 1);

        oneMore.end();
        lost.forEach(Stuck::end);
        onLoop();
    }

    @Test
    void whoComesBackBehindTheEndOfTheLoopHasItForItself() throws Exception {
        Stuck one = new Stuck().begin();
        takeOver(loop.stay());
        Stuck two = new Stuck().begin();
        takeOver(loop.stay());
        loop.stop();
        threads.getLast().join();
        assertThat(ends.get()).isEqualTo(1);

        one.end();
        two.end();
        one.thread.join();
        two.thread.join();

        assertThat(ends.get()).isEqualTo(3);
        assertThat(drivers.get()).isEqualTo(1);
    }

    @Test
    void withoutAThreadToGoOnNothingChanges() {
        Stuck stuck = new Stuck().begin();
        assertThatThrownBy(() -> loop.takeOver(
                        loop.stay(),
                        _ -> {
                            throw new OutOfMemoryError("no more threads");
                        },
                        this::drive))
                .isInstanceOf(OutOfMemoryError.class);
        stuck.end();
        assertThat(onLoop()).isSameAs(stuck.thread);
    }

    /// Takes over as often as it can while tasks go away and come back: what belongs to the loop is touched by one
    /// thread at a time, every task is run once, and threads don't grow in number.
    @Test
    void oneThreadAtATimeWhateverTheOrder() throws Exception {
        int tasks = 3_000;
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        int[] owned = new int[2]; // plain on purpose: [0] runs, [1] whether somebody is in it
        CountDownLatch left = new CountDownLatch(tasks);
        CountDownLatch takenOnce = new CountDownLatch(1);
        loop.execute(
                () -> { // on a machine that lets this thread run first, all would be done before anybody looks
                    long stay = loop.away();
                    await(takenOnce);
                    loop.back(stay);
                });
        for (int i = 0; i < tasks; i++) {
            int stays = random.nextInt(3);
            boolean isSlow = random.nextInt(50) == 0;
            boolean defers = random.nextBoolean();
            Runnable task = () -> {
                assertThat(owned[1]++).as("seed %d", seed).isZero();
                for (int s = 0; s < stays; s++) {
                    owned[1]--;
                    long stay = loop.away();
                    if (isSlow) {
                        LockSupport.parkNanos(100_000);
                    }
                    loop.back(stay);
                    assertThat(owned[1]++).as("seed %d", seed).isZero();
                }
                owned[0]++;
                owned[1]--;
                left.countDown();
            };
            loop.execute(defers ? () -> loop.defer(task) : task);
        }
        int taken = 0;
        while (left.getCount() > 0) {
            long stay = loop.stay();
            if ((stay & 1) == 1 && takeOver(stay)) {
                taken++;
                takenOnce.countDown();
            } else {
                Thread.onSpinWait();
            }
            assertThat(loop.lostThreads()).isLessThanOrEqualTo(Baton.MOST_LOST);
        }
        int[] runs = new int[1];
        CountDownLatch read = new CountDownLatch(1);
        loop.execute(() -> {
            runs[0] = owned[0];
            read.countDown();
        });
        await(read);
        assertThat(runs[0]).as("seed %d, %d taken over", seed, taken).isEqualTo(tasks);
    }
}
