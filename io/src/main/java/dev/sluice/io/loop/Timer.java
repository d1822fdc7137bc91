package dev.sluice.io.loop;

/// A deadline on an [EventLoop], to be set, moved and cancelled many times without allocating.
///
/// Owned by the loop's thread.
public final class Timer {
    /// Deadlines are compared by difference, so they must not lie further apart than half of what a long holds.
    private static final long LONGEST_NS = Long.MAX_VALUE / 2;

    final Runnable action;
    long deadlineNs;
    /// The heap's round of running in which the timer was set.
    long setInRound;
    /// Place in the heap, or -1 while not set.
    int index = -1;

    private final TimerHeap heap;

    Timer(TimerHeap heap, Runnable action) {
        this.heap = heap;
        this.action = action;
    }

    /// Runs the action once, `delayNs` from now at the earliest (at most 146 years); an earlier setting is
    /// forgotten.
    public void set(long delayNs) {
        heap.set(this, heap.nowNs() + Math.clamp(delayNs, 0, LONGEST_NS));
    }

    /// Forgets the setting; does nothing without one.
    public void cancel() {
        heap.cancel(this);
    }

    /// Whether the action is still to come.
    public boolean isSet() {
        return index >= 0;
    }
}
