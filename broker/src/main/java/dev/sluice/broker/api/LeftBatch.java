package dev.sluice.broker.api;

import dev.sluice.broker.net.Request;
import dev.sluice.broker.partition.Partition;
import dev.sluice.io.loop.Timer;
import dev.sluice.log.AppendOutcome;
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
    /// @param thrown  by the append, or null
    void settled(@Nullable AppendOutcome outcome, @Nullable Throwable thrown) {
        Request of = Objects.requireNonNull(request, "nothing was left");
        Partition to = Objects.requireNonNull(partition);
        try {
            of.resume(ticket, () -> run.answer(of, version, to, outcome, thrown));
        } finally {
            request = null;
            partition = null;
            run.handBack();
        }
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
