package dev.sluice.broker;

import dev.sluice.log.LogDirectory;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Lets go of segments by age and size, as the topics' configurations say, on a thread of its own: now and then, and at
/// once when the disk is full, which it watches and tells.
final class Retention {
    private static final Logger LOG = LoggerFactory.getLogger(Retention.class);
    private static final long MOST_BETWEEN_LOOKS_MS = 1_000;

    private final LogDirectory directory;
    private final SteadyClock clock;
    private final LongSupplier monotonicNs;
    private final long intervalNs;
    private final Periodic thread;

    // Of the thread's own, but for `full`, which the status reads.
    private long lastNs;
    private volatile boolean full;

    /// @param intervalMs between two looks for segments that are due
    Retention(LogDirectory directory, SteadyClock clock, LongSupplier monotonicNs, long intervalMs) {
        this.directory = directory;
        this.clock = clock;
        this.monotonicNs = monotonicNs;
        this.intervalNs = TimeUnit.MILLISECONDS.toNanos(intervalMs);
        this.lastNs = monotonicNs.getAsLong();
        this.thread = new Periodic("retention", Math.min(intervalMs, MOST_BETWEEN_LOOKS_MS), this::look);
    }

    /// Whether the disk was full at the last look.
    boolean isDiskFull() {
        return full;
    }

    private void look() throws IOException {
        tellSpace(directory.isFull());
        long nowNs = monotonicNs.getAsLong();
        if (full || nowNs - lastNs >= intervalNs) {
            lastNs = nowNs;
            retain();
        }
    }

    private void tellSpace(boolean nowFull) {
        if (nowFull && !full) {
            LOG.error(
                    "The disk of {} is full. Produce requests answer KAFKA_STORAGE_ERROR, which clients try again; reading"
                            + " goes on. Make room, or lower retention.bytes or retention.ms: writing goes on by itself",
                    directory.folder());
        } else if (!nowFull && full) {
            LOG.info("The disk of {} has room again", directory.folder());
        }
        full = nowFull;
    }

    private void retain() throws IOException {
        directory.retain(
                clock.nowMs(),
                gone -> LOG.info(
                        "{}-{}: {} segments with {} bytes were deleted; it begins at offset {} now",
                        gone.topic(),
                        gone.partition(),
                        gone.segments(),
                        gone.bytes(),
                        gone.logStartOffset()));
    }

    /// @return whether it has ended
    boolean stop() {
        return thread.stop();
    }
}
