package dev.sluice.testkit;

import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.Delayed;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/// Threads and a clock in the hands of a test: nothing runs and no time passes but when the test says so. Tasks run on
/// the test's thread. Those that are due at once may also be run at once, on the thread that asks. Owned by one thread.
public final class ManualTime extends AbstractExecutorService implements ScheduledExecutorService {
    private record Due(long atNs, long number, Runnable task) {}

    private final boolean atOnce;
    private final PriorityQueue<Due> due =
            new PriorityQueue<>(Comparator.comparingLong(Due::atNs).thenComparingLong(Due::number));
    private long nowNs;
    private long made;
    private boolean ended;

    /// @param atOnce whether what is due at once runs at once
    public ManualTime(boolean atOnce) {
        this.atOnce = atOnce;
    }

    /// The time that has passed.
    public long nanoTime() {
        return nowNs;
    }

    /// Time passes within a task: what the device takes.
    public void take(long ns) {
        nowNs += ns;
    }

    /// Runs what is due now.
    public void run() {
        pass(0);
    }

    /// Lets time pass, and runs what comes due, in its order.
    public void pass(long ns) {
        long until = nowNs + ns;
        while (!due.isEmpty() && due.peek().atNs() <= Math.max(until, nowNs)) {
            Due next = due.remove();
            nowNs = Math.max(nowNs, next.atNs());
            next.task().run();
        }
        nowNs = Math.max(nowNs, until);
    }

    public boolean isIdle() {
        return due.isEmpty();
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
        if (ended) {
            throw new RejectedExecutionException();
        }
        if (atOnce && delay == 0) {
            task.run();
            return new Ignored();
        }
        due.add(new Due(nowNs + unit.toNanos(delay), made++, task));
        return new Ignored();
    }

    @Override
    @SuppressWarnings("FutureReturnValueIgnored") // nobody looks at it
    public void execute(Runnable task) {
        schedule(task, 0, TimeUnit.NANOSECONDS);
    }

    @Override
    public <V> ScheduledFuture<V> schedule(Callable<V> task, long delay, TimeUnit unit) {
        throw new UnsupportedOperationException();
    }

    @Override
    public ScheduledFuture<?> scheduleAtFixedRate(Runnable task, long first, long period, TimeUnit unit) {
        throw new UnsupportedOperationException();
    }

    @Override
    public ScheduledFuture<?> scheduleWithFixedDelay(Runnable task, long first, long delay, TimeUnit unit) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void shutdown() {
        ended = true;
    }

    @Override
    public List<Runnable> shutdownNow() {
        ended = true;
        due.clear();
        return List.of();
    }

    @Override
    public boolean isShutdown() {
        return ended;
    }

    @Override
    public boolean isTerminated() {
        return ended;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
        return true;
    }

    /// Nobody looks at it.
    private static final class Ignored implements ScheduledFuture<Void> {
        @Override
        public long getDelay(TimeUnit unit) {
            return 0;
        }

        @Override
        public int compareTo(Delayed other) {
            return 0;
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            return false;
        }

        @Override
        public boolean isCancelled() {
            return false;
        }

        @Override
        public boolean isDone() {
            return false;
        }

        @Override
        public Void get() {
            return null;
        }

        @Override
        public Void get(long timeout, TimeUnit unit) {
            return null;
        }
    }
}
