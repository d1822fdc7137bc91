package dev.sluice.broker.net;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The few threads that may wait for the disk, so that no event loop does. They end when there is nothing to do.
///
/// Thread-safe.
final class ColdThreads implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ColdThreads.class);

    /// Disks answer several requests at once; more than a few only wait in another queue.
    private static final int THREADS = 4;
    private static final long IDLE_SECONDS = 30;
    private static final long CLOSE_SECONDS = 5;

    private final ThreadPoolExecutor threads;

    ColdThreads() {
        this(Thread.ofPlatform().name("sluice-read-", 1).daemon().factory());
    }

    ColdThreads(ThreadFactory factory) {
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                THREADS, THREADS, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), factory);
        pool.allowCoreThreadTimeOut(true);
        this.threads = pool;
    }

    /// Runs work that may wait for the disk.
    ///
    /// @throws RejectedExecutionException when the broker stops
    /// @throws OutOfMemoryError           when the kernel has no thread for us
    void execute(Runnable work) {
        threads.execute(work);
    }

    /// Runs work when all that waits for a thread has had one.
    ///
    /// @return false when they are closed, or the kernel has no thread for it: the caller goes on itself
    boolean runLater(Runnable work) {
        try {
            threads.execute(work);
            return true;
        } catch (RejectedExecutionException | OutOfMemoryError e) {
            return false;
        }
    }

    /// Waits for work that has begun, and for what waits for a thread.
    @Override
    public void close() {
        threads.shutdown();
        try {
            if (!threads.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
                LOG.error("A read from the disk did not end in {} s", CLOSE_SECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
