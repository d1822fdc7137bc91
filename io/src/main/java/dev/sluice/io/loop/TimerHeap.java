package dev.sluice.io.loop;

import java.util.Arrays;
import java.util.function.LongSupplier;

/// Timers in order of their deadlines: a binary heap whose elements know their place, so that setting and cancelling
/// cost O(log n) and leave no garbage. Deadlines are compared by difference, for System.nanoTime may wrap.
final class TimerHeap {
    private final LongSupplier clockNs;
    private Timer[] heap = new Timer[64];
    private int size;

    /// Counts calls of [#runDue]; see there.
    private long round;

    TimerHeap(LongSupplier clockNs) {
        this.clockNs = clockNs;
    }

    long nowNs() {
        return clockNs.getAsLong();
    }

    void set(Timer timer, long deadlineNs) {
        cancel(timer);
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, size * 2);
        }
        timer.deadlineNs = deadlineNs;
        timer.setInRound = round;
        siftUp(size++, timer);
    }

    void cancel(Timer timer) {
        int at = timer.index;
        if (at < 0) {
            return;
        }
        timer.index = -1;
        Timer last = heap[--size];
        if (last != timer) {
            if (at > 0 && isBefore(last, heap[(at - 1) / 2])) {
                siftUp(at, last);
            } else {
                siftDown(at, last);
            }
        }
    }

    /// Nanoseconds until the next deadline: 0 when one has passed, Long.MAX_VALUE when none is set.
    long untilNextNs() {
        return size == 0 ? Long.MAX_VALUE : Math.max(0, heap[0].deadlineNs - nowNs());
    }

    /// Runs what is due. A timer that an action sets meanwhile waits for the next round, even if its deadline is
    /// now already: with that deadline it stands behind all others that are due.
    void runDue() {
        if (size == 0) {
            return;
        }
        long nowNs = nowNs();
        round++;
        while (size > 0 && heap[0].deadlineNs - nowNs <= 0 && heap[0].setInRound != round) {
            Timer due = heap[0];
            cancel(due);
            due.action.run();
        }
    }

    private void siftUp(int from, Timer timer) {
        int at = from;
        while (at > 0 && isBefore(timer, heap[(at - 1) / 2])) {
            place(at, heap[(at - 1) / 2]);
            at = (at - 1) / 2;
        }
        place(at, timer);
    }

    private void siftDown(int from, Timer timer) {
        int at = from;
        while (2 * at + 1 < size) {
            int child = 2 * at + 1;
            if (child + 1 < size && isBefore(heap[child + 1], heap[child])) {
                child++;
            }
            if (!isBefore(heap[child], timer)) {
                break;
            }
            place(at, heap[child]);
            at = child;
        }
        place(at, timer);
    }

    private void place(int at, Timer timer) {
        heap[at] = timer;
        timer.index = at;
    }

    private static boolean isBefore(Timer one, Timer other) {
        long differenceNs = one.deadlineNs - other.deadlineNs;
        return differenceNs < 0 || (differenceNs == 0 && one.setInRound < other.setInRound);
    }
}
