package dev.sluice.log;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The idempotent producers of a partition: which batch is new, which came before, which can't be.
///
/// The rules are those of Kafka 4.3.1's `ProducerAppendInfo` and `ProducerStateEntry` for clients' batches. Guarded
/// by the partition's lock.
final class ProducerStates {
    /// So many are remembered. One more, and the one that has been silent longest is forgotten, as if it had
    /// expired: a client can name another producer with each batch, and a day of that is more than any memory. Some
    /// 300 bytes each.
    static final int MOST = 10_000;

    /// Those that have been silent longest first.
    private final Map<Long, ProducerState> states = new LinkedHashMap<>(16, 0.75f, true);

    // The producer asked for last: most partitions have one, and finding it again then boxes no number.
    private long lastId = BatchView.NO_PRODUCER_ID;
    private @Nullable ProducerState last;

    /// Judges a client's batch before it is appended.
    ///
    /// @return null when it may be appended; else a [AppendOutcome.Duplicate] or [AppendOutcome.Rejected]
    @Nullable AppendOutcome check(BatchView batch, PartitionName partition, long logStartOffset) {
        if (!batch.hasProducerId()) {
            return null;
        }
        ProducerState state = find(batch.producerId());
        if (state == null) {
            return null; // nothing is known of it, perhaps not any more: any sequence may begin
        }
        short epoch = batch.producerEpoch();
        int first = batch.baseSequence();
        int delta = batch.lastOffsetDelta();
        long duplicateLastOffset = state.duplicateOf(epoch, first, Sequence.last(first, delta));
        if (duplicateLastOffset >= 0) {
            return new AppendOutcome.Duplicate(
                    duplicateLastOffset - delta, duplicateLastOffset, BatchView.NO_TIMESTAMP, logStartOffset);
        }
        if (epoch < state.epoch()) {
            return new AppendOutcome.Rejected(
                    AppendOutcome.Reason.INVALID_PRODUCER_EPOCH,
                    "Producer " + batch.producerId() + " sent epoch " + epoch + " to " + partition
                            + ", whose latest is " + state.epoch());
        }
        if (epoch != state.epoch()) {
            return first == 0 || state.epoch() == ProducerState.NO_EPOCH
                    ? null
                    : outOfOrder(batch, partition, "0, for epoch " + epoch + " is new");
        }
        return Sequence.follows(state.lastSequence(), first)
                ? null
                : outOfOrder(batch, partition, "the one behind " + state.lastSequence());
    }

    private static AppendOutcome outOfOrder(BatchView batch, PartitionName partition, String expected) {
        return new AppendOutcome.Rejected(
                AppendOutcome.Reason.OUT_OF_ORDER_SEQUENCE,
                "Producer " + batch.producerId() + " sent sequence " + batch.baseSequence() + " to " + partition
                        + ", where it is to send " + expected);
    }

    /// Takes note of a batch that is in the log. Of a control batch only the epoch counts.
    void appended(BatchView batch) {
        if (!batch.hasProducerId()) {
            return;
        }
        ProducerState state = find(batch.producerId());
        if (state == null) {
            state = new ProducerState();
            put(batch.producerId(), state);
        }
        if (batch.isControl()) {
            if (batch.producerEpoch() != state.epoch()) {
                state.epoch(batch.producerEpoch());
            }
            state.lastTimestamp(batch.maxTimestamp());
        } else {
            int delta = batch.lastOffsetDelta();
            state.add(
                    batch.producerEpoch(),
                    Sequence.last(batch.baseSequence(), delta),
                    batch.lastOffset(),
                    delta,
                    batch.maxTimestamp());
        }
    }

    private @Nullable ProducerState find(long id) {
        if (id != lastId) {
            ProducerState found = states.get(id);
            if (found == null) {
                return null;
            }
            lastId = id;
            last = found;
        }
        return last;
    }

    void put(long id, ProducerState state) {
        states.put(id, state);
        lastId = id;
        last = state;
        if (states.size() > MOST) {
            forgetSilentest();
        }
    }

    /// Never the last one, nor one that a transaction waits for, which Kafka does not forget either.
    private void forgetSilentest() {
        for (Iterator<ProducerState> each = states.values().iterator(); each.hasNext(); ) {
            ProducerState state = each.next();
            if (state != last && state.transactionFirstOffset() < 0) {
                each.remove();
                return;
            }
        }
    }

    /// Forgets those whose last batch has a timestamp of that long ago.
    void expire(long nowMs, long expirationMs) {
        if (states.values().removeIf(state -> isExpired(state, nowMs, expirationMs))) {
            lastId = BatchView.NO_PRODUCER_ID;
            last = null;
        }
    }

    private static boolean isExpired(ProducerState state, long nowMs, long expirationMs) {
        return state.transactionFirstOffset() < 0 && nowMs - state.lastTimestamp() >= expirationMs;
    }

    Map<Long, ProducerState> all() {
        return states;
    }

    int size() {
        return states.size();
    }
}
