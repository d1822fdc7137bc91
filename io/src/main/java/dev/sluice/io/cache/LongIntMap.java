package dev.sluice.io.cache;

import java.util.Arrays;

/// A map from non-negative longs to ints in two arrays: open addressing with linear probing, at most half full, and
/// deletion by moving what follows back, so that no tombstones gather. A hit costs a multiplication and usually one
/// cache line; nothing is allocated after the constructor. Owned by one thread.
final class LongIntMap {
    static final int NONE = -1;

    private static final long FREE = -1;

    private final long[] keys;
    private final int[] values;
    private final int mask;
    private int size;

    /// @param most how many entries it will have to hold
    LongIntMap(int most) {
        int slots = Integer.highestOneBit(Math.max(most, 4) * 2 - 1) * 2;
        keys = new long[slots];
        values = new int[slots];
        mask = slots - 1;
        Arrays.fill(keys, FREE);
    }

    int size() {
        return size;
    }

    /// The value of a key, or [#NONE].
    int get(long key) {
        int slot = find(key);
        return keys[slot] == key ? values[slot] : NONE;
    }

    void put(long key, int value) {
        assert key >= 0;
        int slot = find(key);
        if (keys[slot] != key) {
            size++;
            assert size <= keys.length / 2 : "the map holds more than it was made for";
            keys[slot] = key;
        }
        values[slot] = value;
    }

    /// Removes a key.
    ///
    /// @return whether it was there
    boolean remove(long key) {
        int hole = find(key);
        if (keys[hole] != key) {
            return false;
        }
        size--;
        // Entries behind the hole that a search would no longer reach move into it, which leaves the next hole.
        for (int slot = hole + 1 & mask; keys[slot] != FREE; slot = slot + 1 & mask) {
            int home = home(keys[slot]);
            if ((slot - home & mask) >= (slot - hole & mask)) {
                keys[hole] = keys[slot];
                values[hole] = values[slot];
                hole = slot;
            }
        }
        keys[hole] = FREE;
        return true;
    }

    /// Where the key is, or the free slot where it would be.
    private int find(long key) {
        int slot = home(key);
        while (keys[slot] != key && keys[slot] != FREE) {
            slot = slot + 1 & mask;
        }
        return slot;
    }

    /// Neighbouring blocks have neighbouring keys; multiplying by 2^64 divided by the golden ratio spreads them.
    private int home(long key) {
        return (int) ((key * 0x9E37_79B9_7F4A_7C15L) >>> 32) & mask;
    }
}
