package dev.sluice.broker.net;

import java.util.function.LongSupplier;

/// Bounds what strangers can make the log grow by: so many lines a second, the others are counted. Owned by one thread.
final class Seldom {
    private static final int LINES_A_SECOND = 10;
    private static final long SECOND_NS = 1_000_000_000;

    private final LongSupplier clockNs;
    private long secondBeganNs;
    private int lines;
    private long leftOut;

    Seldom(LongSupplier clockNs) {
        this.clockNs = clockNs;
        this.secondBeganNs = clockNs.getAsLong();
    }

    /// Whether a line may be written now.
    boolean mayTell() {
        long nowNs = clockNs.getAsLong();
        if (nowNs - secondBeganNs >= SECOND_NS) {
            secondBeganNs = nowNs;
            lines = 0;
        }
        if (lines == LINES_A_SECOND) {
            leftOut++;
            return false;
        }
        lines++;
        return true;
    }

    /// What to add to the line that may be written: how many were left out before it.
    String leftOut() {
        long count = leftOut;
        leftOut = 0;
        return count == 0 ? "" : " (" + count + " more such lines were left out)";
    }
}
