package dev.sluice.broker;

import dev.sluice.log.LogDirectory;
import java.io.IOException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Calls [LogDirectory#checkpoint] now and then, on a thread of its own that may wait for the disk: so that a start
/// after a crash reads little, producers that are gone are forgotten, and resting partitions hold no descriptors and
/// maps.
final class Checkpointer {
    private static final Logger LOG = LoggerFactory.getLogger(Checkpointer.class);
    private static final long STOP_MS = 10_000;

    private final LogDirectory directory;
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("sluice-checkpoint").daemon().factory());

    @SuppressWarnings("FutureReturnValueIgnored") // it never ends by itself: checkpoint() throws nothing
    Checkpointer(LogDirectory directory, long intervalMs) {
        this.directory = directory;
        thread.scheduleWithFixedDelay(this::checkpoint, intervalMs, intervalMs, TimeUnit.MILLISECONDS);
    }

    private void checkpoint() {
        try {
            directory.checkpoint();
        } catch (IOException e) {
            LOG.warn("The checkpoint files could not be written; trying again later: {}", e.getMessage());
        } catch (RuntimeException | Error e) { // the schedule would end in silence
            LOG.error("Checkpointing failed", e);
        }
    }

    /// Waits for the checkpoint under way, if any; none begins afterwards.
    ///
    /// @return whether it has ended
    boolean stop() {
        thread.shutdownNow();
        boolean ended = Ending.await(thread, STOP_MS);
        if (!ended) {
            LOG.warn("A checkpoint did not end in {} ms", STOP_MS);
        }
        return ended;
    }
}
