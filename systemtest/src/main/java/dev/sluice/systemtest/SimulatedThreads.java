package dev.sluice.systemtest;

import dev.sluice.log.Flushing;
import java.util.ArrayList;
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

/// The flushing threads and their clock in the hands of the simulator: what a log leaves to them waits until the
/// simulator has them run it, on its own thread, so that a seed does the same every time. Owned by one thread.
final class SimulatedThreads extends AbstractExecutorService implements ScheduledExecutorService {
    private record Task(long atNs, long number, Runnable run) {}

    private final PriorityQueue<Task> tasks =
            new PriorityQueue<>(Comparator.comparingLong(Task::atNs).thenComparingLong(Task::number));
    private long nowNs;
    private long made;
    private boolean ended;

    Flushing flushing() {
        return new Flushing(this, () -> nowNs);
    }

    /// Lets time pass, and runs what comes due.
    void pass(long ns) {
        long until = nowNs + ns;
        while (!tasks.isEmpty() && tasks.peek().atNs() <= until) {
            Task next = tasks.remove();
            nowNs = Math.max(nowNs, next.atNs());
            next.run().run();
        }
        nowNs = until;
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
        if (ended) {
            throw new RejectedExecutionException();
        }
        tasks.add(new Task(nowNs + unit.toNanos(delay), made++, task));
        return new NobodyLooks();
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
        List<Runnable> left = new ArrayList<>();
        tasks.forEach(task -> left.add(task.run()));
        tasks.clear();
        return left;
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

    private static final class NobodyLooks implements ScheduledFuture<Void> {
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
            throw new UnsupportedOperationException();
        }

        @Override
        public Void get(long timeout, TimeUnit unit) {
            throw new UnsupportedOperationException();
        }
    }
}
