package dev.sluice.log;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/// Kafka's two kinds of index of a segment: entries of one size, big-endian, sorted by key, keys rising.
///
/// ```
///                     key                                       value
/// OFFSET  .index      i32 relative offset of a batch's last     i32 position of the batch
/// TIME    .timeindex  i64 largest timestamp so far              i32 relative offset of the last record of its batch
/// ```
///
/// Relative offsets are offsets less the segment's base offset. An index is a hint: what it says is held against the
/// batch it points to, and no answer depends on its being complete.
enum IndexFormat {
    OFFSET(8) {
        @Override
        long key(MemorySegment entries, long at) {
            return entries.get(INT, at);
        }

        @Override
        int value(MemorySegment entries, long at) {
            return entries.get(INT, at + 4);
        }

        @Override
        void put(MemorySegment entries, long at, long key, int value) {
            entries.set(INT, at, (int) key);
            entries.set(INT, at + 4, value);
        }

        @Override
        int fullAt(int capacity) {
            return capacity;
        }

        @Override
        boolean plausible(IndexEntry first, IndexEntry last, long nextRelativeOffset, long logBytes) {
            // Kafka's rule never indexes the first batch, so a position of 0 is the zeros of a file that
            // was not trimmed.
            return first.key() >= 0
                    && first.key() <= last.key()
                    && last.key() < nextRelativeOffset
                    && first.value() > 0
                    && first.value() <= last.value()
                    && last.value() < logBytes;
        }
    },

    TIME(12) {
        @Override
        long key(MemorySegment entries, long at) {
            return entries.get(LONG, at);
        }

        @Override
        int value(MemorySegment entries, long at) {
            return entries.get(INT, at + 8);
        }

        @Override
        void put(MemorySegment entries, long at, long key, int value) {
            entries.set(LONG, at, key);
            entries.set(INT, at + 8, value);
        }

        @Override
        int fullAt(int capacity) {
            return capacity - 1; // the last place is kept for the entry that is made when the segment is sealed
        }

        @Override
        boolean plausible(IndexEntry first, IndexEntry last, long nextRelativeOffset, long logBytes) {
            return first.key() >= 0
                    && first.key() <= last.key()
                    && first.value() >= 0
                    && first.value() <= last.value()
                    && last.value() < nextRelativeOffset;
        }
    };

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    final int entryBytes;

    IndexFormat(int entryBytes) {
        this.entryBytes = entryBytes;
    }

    /// The most entries that an index file of `indexBytes` holds.
    int capacity(int indexBytes) {
        return indexBytes / entryBytes;
    }

    abstract long key(MemorySegment entries, long at);

    abstract int value(MemorySegment entries, long at);

    abstract void put(MemorySegment entries, long at, long key, int value);

    /// With how many entries an index counts as full, so that the segment is rolled.
    abstract int fullAt(int capacity);

    /// Whether the ends of an index can belong to a segment.
    ///
    /// @param nextRelativeOffset above every relative offset in the segment
    abstract boolean plausible(IndexEntry first, IndexEntry last, long nextRelativeOffset, long logBytes);

    IndexEntry entry(MemorySegment entries, long index) {
        return new IndexEntry(key(entries, index * entryBytes), value(entries, index * entryBytes));
    }

    /// The last of the first `count` entries whose key is at most `key`, or null when there is none.
    @Nullable IndexEntry floor(MemorySegment entries, int count, long key) {
        int low = 0;
        int high = count - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (key(entries, (long) middle * entryBytes) <= key) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return high < 0 ? null : entry(entries, high);
    }
}
