package dev.sluice.log;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// The index of a segment that is not appended to: read from its file by pread(2), a few blocks a look-up.
///
/// Not through a map: a cold page touched by Java code holds up every thread of the JVM until the disk has answered;
/// inside a system call it holds up its own. Thread-safe.
final class IndexFile {
    /// Entries read at a time: 2 or 3 KiB.
    private static final int BLOCK_ENTRIES = 256;
    /// So many guesses by proportion, then halves: records of like size are found at the first or second.
    private static final int GUESSES = 3;

    private final Kernel kernel;
    private final IndexFormat format;
    private final CachedFile file;

    /// Written by the thread that holds the partition's lock, before readers are sent here.
    private volatile int count;

    IndexFile(Kernel kernel, IndexFormat format, CachedFile file, int count) {
        this.kernel = kernel;
        this.format = format;
        this.file = file;
        this.count = count;
    }

    CachedFile file() {
        return file;
    }

    int count() {
        return count;
    }

    void count(int entries) {
        count = entries;
    }

    /// The last entry whose key is at most `key`, or null when there is none.
    ///
    /// @throws ErrnoException when the file can't be opened or read
    @Nullable IndexEntry floor(long key) throws ErrnoException {
        int entries = count;
        if (entries == 0) {
            return null;
        }
        Descriptor descriptor = file.acquire();
        try (Arena arena = Arena.ofConfined()) {
            return search(descriptor, arena.allocate((long) BLOCK_ENTRIES * format.entryBytes, 8), entries, key);
        } finally {
            file.release();
        }
    }

    /// Narrows the range of entries [low, high] that may hold the answer, a block at a time. `best` is the last
    /// entry below the range.
    private @Nullable IndexEntry search(Descriptor descriptor, MemorySegment block, int entries, long key)
            throws ErrnoException {
        int low = 0;
        int high = entries - 1;
        IndexEntry best = null;
        IndexEntry above = null;
        for (int round = 0; low <= high; round++) {
            int from = Math.clamp(guess(round, low, high, best, above, key) - BLOCK_ENTRIES / 2, low, high);
            int length = Math.min(BLOCK_ENTRIES, high - from + 1);
            read(descriptor, block, from, length);
            IndexEntry first = format.entry(block, 0);
            IndexEntry last = format.entry(block, length - 1);
            if (first.key() > key) {
                high = from - 1;
                above = first;
            } else if (last.key() <= key) {
                low = from + length;
                best = last;
            } else {
                return format.floor(block, length, key);
            }
        }
        return best;
    }

    private static int guess(
            int round, int low, int high, @Nullable IndexEntry below, @Nullable IndexEntry above, long key) {
        if (round == 0) {
            return high; // readers ask for what is near the end more than for anything else, and it bounds the guesses
        }
        if (round > GUESSES || above == null) {
            return (low + high) >>> 1;
        }
        long lowest = below == null ? 0 : below.key();
        double share = (double) (key - lowest) / Math.max(1, above.key() - lowest);
        return low + (int) Math.clamp(share * (high - low), 0, high - low);
    }

    private void read(Descriptor descriptor, MemorySegment block, int from, int length) throws ErrnoException {
        MemorySegment target = block.asSlice(0, (long) length * format.entryBytes);
        long position = (long) from * format.entryBytes;
        long result = kernel.files().preadFully(descriptor, target, position);
        ErrnoException.check(result, Call.PREAD, descriptor.name());
        if (result < target.byteSize()) {
            throw new ErrnoException(Call.PREAD, Errno.EIO, descriptor.name() + ", which was cut", position + result);
        }
    }

    /// The entry at `index`.
    IndexEntry entry(int index) throws ErrnoException {
        Descriptor descriptor = file.acquire();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment block = arena.allocate(format.entryBytes, 8);
            read(descriptor, block, index, 1);
            return format.entry(block, 0);
        } finally {
            file.release();
        }
    }
}
