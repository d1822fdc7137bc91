package dev.sluice.broker.net;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/// Whether the data folder's disk holds up those who write to it: a thread of an event loop has been in a write for so
/// long that another went on with the loop, and is not back.
///
/// ```
///              the first thread is given up on               the last of them is done
///   GOES ON ─────────────────────────────────────▶ STALLED ───────────────────────────▶ GOES ON
/// ```
///
/// While it is stalled nobody else begins a write on a loop, or every loop would lose one thread after the other: what
/// is produced waits in its connection. There is one for a data folder, which is one disk.
///
/// Thread-safe.
public final class DiskStall {
    /// What waits until it is over.
    public interface Waiter {
        /// The disk goes on. Told once, on the waiter's loop, which has forgotten it by then.
        void diskGoesOn();
    }

    private final LongSupplier clockNs;

    /// Told when it is over, on the thread that came back.
    private final Runnable whenOver;

    // Written under the lock of this, read by any.
    private volatile int held;
    private volatile long sinceNs;
    private volatile long stalls;
    private volatile long longestNs;

    DiskStall(LongSupplier clockNs, Runnable whenOver) {
        this.clockNs = clockNs;
        this.whenOver = whenOver;
    }

    /// A thread is given up on.
    synchronized void holdsOne() {
        if (held == 0) {
            sinceNs = clockNs.getAsLong();
            stalls++;
        }
        held++;
    }

    /// That thread is back, and done with what it was about.
    void letsGoOfOne() {
        synchronized (this) {
            longestNs = Math.max(longestNs, clockNs.getAsLong() - sinceNs);
            held--;
            if (held > 0) {
                return;
            }
        }
        whenOver.run();
    }

    public boolean isStalled() {
        return held > 0;
    }

    /// For how long the stall that is now has lasted, 0 when there is none.
    public long stalledForMs() {
        return isStalled() ? TimeUnit.NANOSECONDS.toMillis(clockNs.getAsLong() - sinceNs) : 0;
    }

    /// Stalls so far, the one that is now included.
    public long stalls() {
        return stalls;
    }

    /// The longest that is over.
    public long longestMs() {
        return TimeUnit.NANOSECONDS.toMillis(longestNs);
    }
}
