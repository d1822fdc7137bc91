package dev.sluice.broker;

import java.io.IOException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Work that is done now and then, on a thread of its own that may wait for the disk. What it throws is logged, and it
/// is done again the next time.
final class Periodic {
    /// The work.
    @FunctionalInterface
    interface Task {
        void run() throws IOException;
    }

    private static final Logger LOG = LoggerFactory.getLogger(Periodic.class);
    private static final long STOP_MS = 10_000;

    private final String what;
    private final Task task;
    private final ScheduledExecutorService thread;

    /// @param what       the thread is named after it
    /// @param intervalMs between the end of one and the beginning of the next
    @SuppressWarnings("FutureReturnValueIgnored") // it never ends by itself: run() throws nothing
    Periodic(String what, long intervalMs, Task task) {
        this.what = what;
        this.task = task;
        this.thread = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().name("sluice-" + what).daemon().factory());
        thread.scheduleWithFixedDelay(this::run, intervalMs, intervalMs, TimeUnit.MILLISECONDS);
    }

    private void run() {
        try {
            task.run();
        } catch (IOException e) {
            LOG.warn("The {} did not come to its end; it is tried again later: {}", what, e.getMessage());
        } catch (RuntimeException | Error e) { // the schedule would end in silence
            LOG.error("The {} failed", what, e);
        }
    }

    /// Waits for what is under way, if anything; nothing begins afterwards.
    ///
    /// @return whether it has ended
    boolean stop() {
        thread.shutdownNow();
        boolean ended = Ending.await(thread, STOP_MS);
        if (!ended) {
            LOG.warn("The {} did not end in {} ms", what, STOP_MS);
        }
        return ended;
    }
}
