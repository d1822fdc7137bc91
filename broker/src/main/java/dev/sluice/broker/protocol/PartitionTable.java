package dev.sluice.broker.protocol;

import java.util.Arrays;

/// Finds a plan's partition by its topic's id and its index: a hash table of numbers, with linear probing. The hash
/// depends on a secret, so that nobody can choose ids that fall onto one slot.
///
/// Owned by one thread.
final class PartitionTable {
    private static final int LEAST_SLOTS = 32;
    private static final int EMPTY = -1;

    private final FetchPlan plan;
    private final long highFactor;
    private final long lowFactor;
    private final long indexFactor;

    private int[] slots = empty(LEAST_SLOTS);
    private int count;

    // By partition: its topic's id.
    private long[] highs = new long[LEAST_SLOTS / 2];
    private long[] lows = new long[LEAST_SLOTS / 2];

    PartitionTable(FetchPlan plan, long secret) {
        this.plan = plan;
        this.highFactor = mix(secret + 1) | 1;
        this.lowFactor = mix(secret + 2) | 1;
        this.indexFactor = mix(secret + 3) | 1;
    }

    /// As in MurmurHash3's finalizer.
    private static long mix(long value) {
        long mixed = (value ^ value >>> 33) * 0xFF51AFD7ED558CCDL;
        mixed = (mixed ^ mixed >>> 33) * 0xC4CEB9FE1A85EC53L;
        return mixed ^ mixed >>> 33;
    }

    private static int[] empty(int length) {
        int[] slots = new int[length];
        Arrays.fill(slots, EMPTY);
        return slots;
    }

    private int slot(long high, long low, int index) {
        long hash = mix((high ^ indexFactor) * highFactor) ^ mix((low + index * indexFactor) * lowFactor);
        return (int) (hash >>> 32) & slots.length - 1;
    }

    /// @return the partition's number in the plan, or −1
    int find(long high, long low, int index) {
        for (int slot = slot(high, low, index); ; slot = slot + 1 & slots.length - 1) {
            int partition = slots[slot];
            if (partition == EMPTY
                    || (highs[partition] == high
                            && lows[partition] == low
                            && plan.partitionIndex(partition) == index)) {
                return partition;
            }
        }
    }

    /// Adds the plan's last partition.
    void add(long high, long low, int partition) {
        if (partition == highs.length) {
            highs = Arrays.copyOf(highs, partition * 2);
            lows = Arrays.copyOf(lows, partition * 2);
        }
        highs[partition] = high;
        lows[partition] = low;
        count = partition + 1;
        if (count * 2 > slots.length) {
            slots = empty(slots.length * 2);
            for (int each = 0; each < count; each++) {
                put(each);
            }
        } else {
            put(partition);
        }
    }

    private void put(int partition) {
        int slot = slot(highs[partition], lows[partition], plan.partitionIndex(partition));
        while (slots[slot] != EMPTY) {
            slot = slot + 1 & slots.length - 1;
        }
        slots[slot] = partition;
    }

    /// Reads the plan anew, which has fewer partitions now.
    void rebuild() {
        count = 0;
        Arrays.fill(slots, EMPTY);
        for (int t = 0; t < plan.topicCount(); t++) {
            for (int p = plan.firstPartition(t); p < plan.endPartition(t); p++) {
                add(plan.topicIdHigh(t), plan.topicIdLow(t), p);
            }
        }
    }
}
