package dev.sluice.io.loop;

/// A deadline on an [EventLoop], to be set, moved and cancelled many times without allocating.
///
/// Owned by the loop's thread.
public final class Timer {
    final Runnable action;
    long deadlineNs;
    /// Place in the heap, or -1 while not set.
    int index = -1;

    private final TimerHeap heap;

    Timer(TimerHeap heap, Runnable action) {
        this.heap = heap;
        this.action = action;
    }

    /// Runs the action once, `delayNs` from now at the earliest; an earlier setting is forgotten.
    public void set(long delayNs) {
        heap.set(this, heap.nowNs() + Math.max(delayNs, 0));
    }

    public void cancel() {
        heap.cancel(this);
    }

    public boolean isSet() {
        return index >= 0;
    }
}
