package dev.sluice.io.transfer;

/// Says that transfers shall stop: one for each transfer, or one for many. Any thread may cancel.
///
/// A transfer looks at it between calls and at least every [#LATENCY_NS] while it waits, then fails with
/// [TransferException.Failure#CANCELLED]. What was delivered stays delivered.
public final class Cancellation {
    /// How soon a waiting transfer notices.
    public static final long LATENCY_NS = 100_000_000;

    // Written by whoever cancels, read by the transfer's thread; volatile, so that it sees what happened before.
    private volatile boolean cancelled;

    /// For good, and for all transfers that were given it; again does nothing.
    public void cancel() {
        cancelled = true;
    }

    /// Whether it was.
    public boolean isCancelled() {
        return cancelled;
    }
}
