package dev.sluice.log;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// Small batches of several producers for one log, one behind the other in memory, so that one write takes them all to
/// the file: [PartitionLog#append(BatchGroup)].
///
/// ```
///   memory    │ batch 0 │ batch 1 │ … │ batch n−1 │ free │
///   outcomes  one for each, once they were appended
/// ```
///
/// Each is copied in, which for 1 KiB takes a tenth of what a write of its own would. Reused; owned by one thread.
public final class BatchGroup {
    /// The most that a group holds.
    public static final int MOST_BYTES = 64 << 10;

    /// And the most batches.
    public static final int MOST_BATCHES = 32;

    private final MemorySegment memory = Arena.ofAuto().allocate(MOST_BYTES, 8);
    private final ByteBuffer view = memory.asByteBuffer();
    private final BatchView[] batches = new BatchView[MOST_BATCHES];
    private final @Nullable AppendOutcome[] outcomes = new AppendOutcome[MOST_BATCHES];

    /// Where each begins, and behind the last one the end of all.
    private final int[] positions = new int[MOST_BATCHES + 1];

    private int count;
    private int settled;

    /// Takes a copy of a batch.
    ///
    /// @param batch one that [BatchView#check] has found good
    /// @return false when there is no room for it
    public boolean add(BatchView batch) {
        int position = positions[count];
        if (count == MOST_BATCHES || batch.lengthBytes() > MOST_BYTES - position) {
            return false;
        }
        MemorySegment.copy(batch.memory(), batch.position(), memory, position, batch.lengthBytes());
        if (batches[count] == null) {
            batches[count] = new BatchView();
        }
        batches[count].wrap(memory, view, position, batch.lengthBytes());
        count++;
        positions[count] = position + batch.lengthBytes();
        return true;
    }

    /// Forgets a batch that was not appended; those behind it move up.
    public void remove(int index) {
        int length = lengthBytes(index, index + 1);
        int end = positions[count];
        MemorySegment.copy(memory, positions[index + 1], memory, positions[index], end - positions[index + 1]);
        count--;
        for (int i = index; i < count; i++) {
            positions[i + 1] = positions[i + 2] - length;
            batches[i].wrap(memory, view, positions[i], lengthBytes(i, i + 1));
        }
    }

    /// Batches in the group, appended or not.
    public int count() {
        return count;
    }

    /// What became of a batch; null before it was appended.
    public @Nullable AppendOutcome outcome(int index) {
        return outcomes[index];
    }

    /// Forgets all batches.
    public void clear() {
        for (int i = 0; i < count; i++) {
            outcomes[i] = null;
        }
        count = 0;
        settled = 0;
    }

    /// A batch; once it was appended, with its offsets.
    public BatchView batch(int index) {
        return batches[index];
    }

    /// How many have their outcome; they get it in their order.
    int settled() {
        return settled;
    }

    /// The outcome of the next one that has none.
    void settle(AppendOutcome outcome) {
        outcomes[settled++] = outcome;
    }

    int lengthBytes(int from, int end) {
        return positions[end] - positions[from];
    }

    /// What all of them lie in.
    MemorySegment memory() {
        return memory;
    }

    /// Where a batch begins in it.
    int position(int index) {
        return positions[index];
    }

    /// Whether one of the batches from `from` to before `end` is of the same producer: its sequence has to be known
    /// before that of the next can be checked.
    boolean hasProducerOf(BatchView batch, int from, int end) {
        if (batch.hasProducerId()) {
            for (int i = from; i < end; i++) {
                if (batches[i].producerId() == batch.producerId()) {
                    return true;
                }
            }
        }
        return false;
    }
}
