package dev.sluice.broker;

import java.time.Duration;
import java.time.InstantSource;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The wall clock, as far as it can be believed when records are to be deleted by their age.
///
/// A clock that was set forward by a month makes every record a month older. Kafka then deletes what was written last
/// week; nobody can bring it back. Here a clock that went further between two looks than the monotonic one did is not
/// believed for a while, unless it is set back: somebody has that long to notice.
///
/// ```
///             set forward by more than a minute               set back, or the time is over
///   BELIEVED ───────────────────────────────────▶ IN DOUBT ─────────────────────────────────▶ BELIEVED
///       └─ set back: believed, for nothing goes too early by it; when it is set right again it is believed too
/// ```
///
/// The monotonic clock stands still while a machine sleeps, so waking up looks like being set forward: retention by age
/// then comes later, never too early. A clock that was wrong when the broker started can't be told from a right one.
/// Owned by the thread that asks.
final class SteadyClock {
    private static final Logger LOG = LoggerFactory.getLogger(SteadyClock.class);
    private static final long STEP_MS = 60_000;

    private final InstantSource wall;
    private final LongSupplier monotonicNs;
    private final long holdNs;

    private long lastWallMs;
    private long lastNs;
    /// How far the clock was set since it was believed last, forward or back.
    private long aheadMs;
    /// When it was set first since then.
    private long setAtNs;

    /// @param monotonicNs System::nanoTime, or a test's
    /// @param holdMs      how long a clock that was set forward is in doubt
    SteadyClock(InstantSource wall, LongSupplier monotonicNs, long holdMs) {
        this.wall = wall;
        this.monotonicNs = monotonicNs;
        this.holdNs = TimeUnit.MILLISECONDS.toNanos(holdMs);
        this.lastWallMs = wall.millis();
        this.lastNs = monotonicNs.getAsLong();
    }

    /// What counts as now, or empty while the clock is in doubt.
    OptionalLong nowMs() {
        long wallMs = wall.millis();
        long ns = monotonicNs.getAsLong();
        long setMs = wallMs - lastWallMs - TimeUnit.NANOSECONDS.toMillis(ns - lastNs);
        lastWallMs = wallMs;
        lastNs = ns;
        if (Math.abs(setMs) > STEP_MS) { // what is less is the clock being kept right
            step(setMs, ns);
        }
        if (aheadMs != 0 && ns - setAtNs >= holdNs) {
            aheadMs = 0; // nobody set it back: it is right, or nobody looks
        }
        return aheadMs > STEP_MS ? OptionalLong.empty() : OptionalLong.of(wallMs);
    }

    private void step(long setMs, long ns) {
        if (aheadMs == 0) {
            setAtNs = ns;
        }
        aheadMs += setMs;
        if (Math.abs(aheadMs) <= STEP_MS) {
            aheadMs = 0;
        }
        if (aheadMs > 0 && holdNs > 0) {
            LOG.warn(
                    "The machine's clock was set forward by {}. No record is deleted by its age for {}"
                            + " (sluice.retention.clock.hold.ms), or until it is set back: see that it is right",
                    Duration.ofMillis(setMs),
                    Duration.ofNanos(holdNs));
        }
    }
}
