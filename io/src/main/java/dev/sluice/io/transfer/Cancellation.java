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

    public void cancel() {
        cancelled = true;
    }

    public boolean isCancelled() {
        return cancelled;
    }
}
