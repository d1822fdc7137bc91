package dev.sluice.broker.api;

import dev.sluice.broker.net.Request;
import dev.sluice.broker.partition.Partition;
import dev.sluice.io.loop.Timer;
import dev.sluice.log.AppendOutcome;
import dev.sluice.log.BatchView;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The only batch of a Produce request while it is in a group: whose it is, where it goes, and how long it may wait for
/// the disk.
///
/// ```
///   NONE ──leave──▶ LEFT ──────────────settled──────────────▶ NONE
///                   │  ▲                                       ▲
///         awaitDisk │  │ diskGoesOn       its time is over, or │
///                   ▼  │                   the broker stops    │
///              WAITS FOR DISK ─────▶ the group takes it out ───┘
/// ```
///
/// Owned by its loop, and used for one request of its [ProduceRun] after the other.
final class LeftBatch implements Request.Pending {
    private final ProduceRun run;
    private @Nullable Request request;
    private @Nullable Partition partition;
    private long ticket;
    private short version;
    private int timeoutMs;

    // What has become of it, while it is answered.
    private final Runnable answer = this::answer; // once, for a request shall cost no object
    private @Nullable AppendOutcome outcome;
    private @Nullable BatchView stored;
    private @Nullable Throwable thrown;

    /// Told when it can't wait for the disk any longer; null while its group does not wait for it.
    private @Nullable Consumer<LeftBatch> givesUp;

    /// Until then; made when it is needed first.
    private @Nullable Timer diskPatience;

    LeftBatch(ProduceRun run) {
        this.run = run;
    }

    /// Whether there is one.
    boolean isLeft() {
        return request != null;
    }

    /// It is in a group from now on.
    ///
    /// @param itsVersion   of the request
    /// @param itsTimeoutMs how long the producer wants to wait at most
    void leave(Request itsRequest, Partition itsPartition, short itsVersion, int itsTimeoutMs) {
        request = itsRequest;
        partition = itsPartition;
        ticket = itsRequest.ticket();
        version = itsVersion;
        timeoutMs = itsTimeoutMs;
        itsRequest.setPending(this);
    }

    /// The disk has stalled before the group was written, which waits for it now.
    ///
    /// @param whenOver told when this one's time is over, unless [#diskGoesOn] is called before
    void awaitDisk(Consumer<LeftBatch> whenOver) {
        givesUp = whenOver;
        if (diskPatience == null) {
            diskPatience = Objects.requireNonNull(request, "nothing was left")
                    .loop()
                    .loop()
                    .timer(this::giveUp);
        }
        diskPatience.set(TimeUnit.MILLISECONDS.toNanos(Math.max(0, timeoutMs)));
    }

    void diskGoesOn() {
        givesUp = null;
        if (diskPatience != null) {
            diskPatience.cancel();
        }
    }

    private void giveUp() {
        Consumer<LeftBatch> told = givesUp;
        diskGoesOn();
        if (told != null) {
            told.accept(this);
        }
    }

    /// What has become of it.
    ///
    /// @param outcome null when nothing has been tried, for the disk was stalled for too long
    /// @param stored  the group's copy, with its offsets if it was appended; borrowed, and null with no outcome
    /// @param thrown  by the append, or null
    void settled(@Nullable AppendOutcome outcome, @Nullable BatchView stored, @Nullable Throwable thrown) {
        this.outcome = outcome;
        this.stored = stored;
        this.thrown = thrown;
        try {
            Objects.requireNonNull(request, "nothing was left").resume(ticket, answer);
        } finally {
            request = null;
            partition = null;
            this.outcome = null;
            this.stored = null;
            this.thrown = null;
            run.handBack();
        }
    }

    private void answer() {
        run.answer(
                Objects.requireNonNull(request), version, Objects.requireNonNull(partition), outcome, stored, thrown);
    }

    /// The end of the turn is near, but for one that waits for the disk. A peer that closes its side may wait with
    /// it.
    @Override
    public void hurry() {
        if (request != null && request.loop().isDraining()) {
            giveUp();
        }
    }

    /// The batch is appended all the same, unless its time is over before the disk goes on.
    @Override
    public void abandoned() {
        run.abandonAnswer();
    }
}
