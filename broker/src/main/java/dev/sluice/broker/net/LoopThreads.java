package dev.sluice.broker.net;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;

/// The threads of one event loop: its own, and those that have not come back from the disk. All have the loop's name.
///
/// Made by one thread at a time, which starts each before it makes the next; waited for by any.
final class LoopThreads implements ThreadFactory {
    private final String name;
    private final List<Thread> threads = new CopyOnWriteArrayList<>();

    LoopThreads(String name) {
        this.name = name;
    }

    /// Forgets those that have ended, and those that could not be started: where threads have run out, it is tried
    /// again many times.
    @Override
    public Thread newThread(Runnable body) {
        threads.removeIf(thread -> !thread.isAlive());
        Thread made = new Thread(body, name);
        threads.add(made);
        return made;
    }

    /// How many are known.
    int count() {
        return threads.size();
    }

    /// Waits until all have ended.
    ///
    /// @return false when they have not by then
    boolean join(long timeoutNs) throws InterruptedException {
        long startNs = System.nanoTime();
        while (true) {
            Optional<Thread> alive = threads.stream().filter(Thread::isAlive).findFirst(); // more may come meanwhile
            if (alive.isEmpty()) {
                return true;
            }
            TimeUnit.NANOSECONDS.timedJoin(alive.get(), Math.max(1, timeoutNs - (System.nanoTime() - startNs)));
            if (alive.get().isAlive()) {
                return false;
            }
        }
    }
}
