package dev.sluice.broker.api;

import dev.sluice.broker.net.Request;
import dev.sluice.broker.partition.Partition;
import dev.sluice.broker.protocol.ProduceResponseWriter;
import dev.sluice.io.loop.Timer;
import dev.sluice.log.PartitionLog;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/// An answer to a Produce request that is written, and waits until its batches are acknowledged.
///
/// ```
///   begin ──▶ every batch is settled, or the request's time is over ──▶ answered
///     └─────── connection closed ──▶ forgotten
/// ```
///
/// The frame says that all went well; what did not is made an error in it, in place. It belongs to this object until it
/// is handed to the request or, if the connection goes, back to the loop's pool. Owned by the loop; flushing threads
/// come in through [Partition.Unacknowledged#settled] alone. Nothing is pooled: a flush costs a thousand times as much.
final class PendingProduce implements Request.Pending {
    /// One partition's batch.
    private final class Batch implements Partition.Unacknowledged {
        private final Partition partition;
        private final long endOffset;
        private final long place;

        private Batch(Partition partition, long endOffset, long place) {
            this.partition = partition;
            this.endOffset = endOffset;
            this.place = place;
        }

        @Override
        public long endOffset() {
            return endOffset;
        }

        @Override
        public void settled() {
            if (unsettled.decrementAndGet() == 0) {
                request.loop().execute(() -> request.resume(ticket, PendingProduce.this::answer));
            }
        }

        private Errors outcome() {
            PartitionLog log = partition.log();
            if (log.highWatermark() >= endOffset) {
                return Errors.NONE;
            }
            if (log.failure().isPresent()) {
                return ProduceRun.storageError(version);
            }
            return log.hasStopped() ? Errors.NOT_LEADER_OR_FOLLOWER : Errors.REQUEST_TIMED_OUT;
        }
    }

    private final Request request;
    private final short version;
    private final long ticket;
    private final List<Batch> batches = new ArrayList<>(1);

    /// Lowered by flushing threads.
    private final AtomicInteger unsettled = new AtomicInteger();

    private final Timer timer;
    private @Nullable MemorySegment frame;
    private long frameBytes;

    /// @param version of the request
    PendingProduce(Request request, short version) {
        this.request = request;
        this.version = version;
        this.ticket = request.ticket();
        this.timer = request.loop().loop().timer(() -> request.resume(ticket, this::answer));
    }

    /// Notes a batch whose acknowledgement is to be waited for.
    ///
    /// @param endOffset the offset behind its last record
    /// @param place     where its partition stands in the answer
    void add(Partition partition, long endOffset, long place) {
        batches.add(new Batch(partition, endOffset, place));
    }

    /// Begins to wait.
    ///
    /// @param answer    the frame; handed over
    /// @param timeoutMs how long the producer wants to wait at most
    void begin(MemorySegment answer, long lengthBytes, int timeoutMs) {
        frame = answer;
        frameBytes = lengthBytes;
        unsettled.set(batches.size());
        request.setPending(this);
        timer.set(TimeUnit.MILLISECONDS.toNanos(Math.max(0, timeoutMs)));
        batches.forEach(batch -> batch.partition.await(batch));
    }

    private void answer() {
        timer.cancel();
        MemorySegment answered = Objects.requireNonNull(frame, "answered twice");
        frame = null;
        for (Batch batch : batches) {
            Errors outcome = batch.outcome();
            if (outcome != Errors.NONE) {
                ProduceResponseWriter.fail(answered, batch.place, outcome.code());
            }
            batch.partition.forget(batch);
        }
        request.send(answered, frameBytes);
        request.done();
    }

    /// The flush is under way, and what it comes to is the only answer there is.
    @Override
    public void hurry() {}

    @Override
    public void abandoned() {
        timer.cancel();
        batches.forEach(batch -> batch.partition.forget(batch));
        MemorySegment unsent = frame;
        frame = null;
        if (unsent != null) {
            request.loop().slabs().give(unsent);
        }
    }
}
