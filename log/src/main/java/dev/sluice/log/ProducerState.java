package dev.sluice.log;

/// What a log remembers of one idempotent producer: its epoch and its last five batches.
///
/// Guarded by the partition's lock.
final class ProducerState {
    /// So many requests may a producer have in flight; Kafka's NUM_BATCHES_TO_RETAIN.
    static final int BATCHES = 5;

    static final short NO_EPOCH = -1;
    static final int NO_SEQUENCE = -1;

    private final int[] lastSequence = new int[BATCHES];
    private final int[] offsetDelta = new int[BATCHES];
    private final long[] lastOffset = new long[BATCHES];
    private int oldest;
    private int size;

    private short epoch = NO_EPOCH;
    private long lastTimestamp = BatchView.NO_TIMESTAMP;
    // Of transactions, which this log does not append: carried from one snapshot to the next.
    private int coordinatorEpoch = -1;
    private long transactionFirstOffset = -1;

    short epoch() {
        return epoch;
    }

    boolean isEmpty() {
        return size == 0;
    }

    /// The last batch's last sequence number, or [#NO_SEQUENCE].
    int lastSequence() {
        return size == 0 ? NO_SEQUENCE : lastSequence[newest()];
    }

    long lastOffset() {
        return size == 0 ? -1 : lastOffset[newest()];
    }

    int lastOffsetDelta() {
        return size == 0 ? 0 : offsetDelta[newest()];
    }

    /// The largest timestamp of the last batch.
    long lastTimestamp() {
        return lastTimestamp;
    }

    int coordinatorEpoch() {
        return coordinatorEpoch;
    }

    long transactionFirstOffset() {
        return transactionFirstOffset;
    }

    private int newest() {
        return (oldest + size - 1) % BATCHES;
    }

    /// The last offset of the remembered batch with exactly these sequence numbers, or -1.
    long duplicateOf(short batchEpoch, int firstSequence, int lastSequenceOfBatch) {
        if (batchEpoch != epoch) {
            return -1;
        }
        for (int i = 0; i < size; i++) {
            int slot = (oldest + i) % BATCHES;
            if (lastSequence[slot] == lastSequenceOfBatch
                    && Sequence.minus(lastSequence[slot], offsetDelta[slot]) == firstSequence) {
                return lastOffset[slot];
            }
        }
        return -1;
    }

    /// Takes note of a batch; another epoch forgets those of the one before.
    void add(short batchEpoch, int lastSequenceOfBatch, long lastOffsetOfBatch, int delta, long timestampMs) {
        if (batchEpoch != epoch) {
            epoch(batchEpoch);
        }
        if (size == BATCHES) {
            oldest = (oldest + 1) % BATCHES;
            size--;
        }
        size++;
        lastSequence[newest()] = lastSequenceOfBatch;
        lastOffset[newest()] = lastOffsetOfBatch;
        offsetDelta[newest()] = delta;
        lastTimestamp = timestampMs;
    }

    /// Begins an epoch without a batch.
    void epoch(short newEpoch) {
        epoch = newEpoch;
        oldest = 0;
        size = 0;
    }

    void lastTimestamp(long timestampMs) {
        lastTimestamp = timestampMs;
    }

    void transaction(int newCoordinatorEpoch, long firstOffset) {
        coordinatorEpoch = newCoordinatorEpoch;
        transactionFirstOffset = firstOffset;
    }
}
