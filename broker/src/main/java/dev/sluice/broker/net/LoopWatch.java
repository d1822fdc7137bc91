package dev.sluice.broker.net;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Watches the loops, and has another thread go on with one whose own does not come back from the disk.
///
/// Looks so many times a second at a number that each loop changes when it begins a write and when it ends; a loop that
/// is met in the same write for [#PATIENCE_LOOKS] looks after the first has waited long enough. So a write costs its
/// loop no look at a clock. Writes nothing to any disk before the loops go on: the log may lie on the one that stalls.
///
/// Owned by its own thread, but for [#start] and [#close].
final class LoopWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LoopWatch.class);
    private static final int PATIENCE_LOOKS = 2;

    private final List<NetworkLoop> loops;
    private final DiskStall disk;
    private final long lookMs;
    private final Seldom seldom = new Seldom(System::nanoTime);
    private long[] stays = {};
    private int[] looks = {};
    private boolean told;
    private @Nullable Thread thread;

    /// @param loops      those there will be when it starts
    /// @param patienceMs how long a loop waits for the disk, at most half as long again; 0 to watch nothing
    LoopWatch(List<NetworkLoop> loops, DiskStall disk, long patienceMs) {
        this.loops = loops;
        this.disk = disk;
        this.lookMs = patienceMs == 0 ? 0 : Math.max(1, patienceMs / PATIENCE_LOOKS);
    }

    void start() {
        if (lookMs > 0) {
            stays = new long[loops.size()];
            looks = new int[loops.size()];
            thread = Thread.ofPlatform().name("sluice-watch").daemon().start(this::run);
        }
    }

    private void run() {
        try {
            while (true) {
                TimeUnit.MILLISECONDS.sleep(lookMs);
                look();
            }
        } catch (InterruptedException e) {
            // The broker has stopped.
        }
    }

    private void look() {
        for (int i = 0; i < loops.size(); i++) {
            NetworkLoop loop = loops.get(i);
            long stay = loop.loop().stay();
            boolean isAway = (stay & 1) == 1;
            looks[i] = isAway && stay == stays[i] ? looks[i] + 1 : 0;
            stays[i] = stay;
            if (looks[i] >= PATIENCE_LOOKS) {
                takeOver(loop, stay);
            }
        }
        tell();
    }

    private void takeOver(NetworkLoop loop, long stay) {
        try {
            loop.takeOver(stay);
        } catch (RuntimeException | Error e) {
            if (seldom.mayTell()) {
                LOG.error("The disk holds up an event loop, and no other thread can go on with it", e);
            }
        }
    }

    private void tell() {
        boolean stalled = disk.isStalled();
        if (stalled == told) {
            return;
        }
        told = stalled;
        if (!seldom.mayTell()) {
            return;
        }
        if (stalled) {
            LOG.warn(
                    "The disk of the data folder has stalled: what is produced waits for it or is answered with"
                            + " REQUEST_TIMED_OUT, all else goes on. Look for its errors in dmesg{}",
                    seldom.leftOut());
        } else {
            LOG.warn(
                    "The disk of the data folder goes on; {} stalls so far, the longest {} ms{}",
                    disk.stalls(),
                    disk.longestMs(),
                    seldom.leftOut());
        }
    }

    /// Ends the watch. The loops have ended by then.
    @Override
    public void close() {
        Thread watching = thread;
        if (watching == null) {
            return;
        }
        thread = null;
        watching.interrupt();
        boolean interrupted = false;
        while (watching.isAlive()) {
            try {
                watching.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
