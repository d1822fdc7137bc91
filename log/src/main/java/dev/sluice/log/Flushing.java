package dev.sluice.log;

import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/// What the logs of a data folder are flushed with: threads that may wait for the device, and a clock that measures
/// how long that takes. Owned by the folder, which ends the threads when it is closed.
///
/// @param threads  flushes are done here, each partition's one at a time
/// @param nanoTime as [System#nanoTime]
public record Flushing(ScheduledExecutorService threads, LongSupplier nanoTime) {
    private static final long IDLE_S = 10;

    /// Flushes on up to `count` platform threads, which end when there is nothing to do: a broker that leaves
    /// flushing to the kernel has none.
    public static Flushing on(int count) {
        ScheduledThreadPoolExecutor threads = new ScheduledThreadPoolExecutor(
                count, Thread.ofPlatform().name("sluice-flush-", 0).daemon().factory());
        threads.setKeepAliveTime(IDLE_S, TimeUnit.SECONDS);
        threads.allowCoreThreadTimeOut(true);
        threads.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        return new Flushing(threads, System::nanoTime);
    }

    /// Ends the threads; a flush that is under way is waited for.
    ///
    /// @return false when it has not ended by then
    boolean end(long timeoutMs) {
        threads.shutdownNow();
        try {
            return threads.awaitTermination(timeoutMs, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
