package dev.sluice.log;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Mappings;
import dev.sluice.io.memory.Mapping;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The entries that are put into an index while its segment is appended to.
///
/// ```
///   made before      blocks, written by pwrite        the newest, in memory
///  ├───────────────┼──────────┬──────────┬──────────┼────────────────┤
///   IndexFile        read through a map               written when a block of them is there, and at trim
/// ```
///
/// Nothing is stored through the map: a store into a page that the kernel has written back waits for the file system,
/// on a disk that stalls for as long as that lasts, and a thread that waits so in Java code holds up every garbage
/// collection. A system call holds up its own thread alone. So entries go out by pwrite(2), a block at a time, and a
/// look-up has a block's pages brought in by a call before it touches them. A process that is killed loses the newest
/// entries; the index is made anew then.
///
/// The file grows in steps of real disk blocks before entries are taken, so that a full disk is an error number while
/// nothing was stored yet. There is no map, and no block, before there are entries for them: a partition with a few
/// batches has neither.
///
/// Written by the thread that holds the partition's lock; read by any. A reader sees the entries below [#count],
/// which is stored with release order behind the entry itself.
final class MappedIndex {
    private static final long PAGE_BYTES = 4096;
    private static final long LARGEST_STEP_BYTES = 64 << 10;
    private static final int FEWEST_ENTRIES = 16;

    /// Entries of a block, whose bytes are whole pages in either format.
    private static final int BLOCK_ENTRIES = 1024;

    private static final VarHandle COUNT;

    static {
        try {
            COUNT = MethodHandles.lookup().findVarHandle(MappedIndex.class, "count", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /// Where entries are. Replaced, never changed, but for places of `newest` that no reader looks at yet.
    ///
    /// @param firstKeys the first key of each block that was written
    /// @param from      the first entry in memory
    /// @param newest    entries from there on; in the heap
    private record Places(long[] firstKeys, int from, MemorySegment newest) {}

    private final Kernel kernel;
    private final IndexFormat format;
    private final CachedFile file;
    private final int capacity;

    /// Entries that the file had before; they are the [IndexFile]'s.
    private final int before;

    private volatile Places places;

    /// Made before the first block is among the places.
    private volatile @Nullable Mapping mapping;

    private long backedBytes;
    private int writtenEntries;

    @SuppressWarnings("FieldMayBeFinal") // through COUNT
    private int count;

    /// @param file       the index's file, trimmed to its entries
    /// @param count      entries it has
    /// @param indexBytes the most it may hold
    MappedIndex(Kernel kernel, IndexFormat format, CachedFile file, int count, int indexBytes) {
        this.kernel = kernel;
        this.format = format;
        this.file = file;
        this.before = count;
        this.count = count;
        this.writtenEntries = count;
        this.capacity = Math.max(format.capacity(indexBytes), count + 1);
        this.backedBytes = (long) count * format.entryBytes;
        this.places = new Places(new long[0], count, MemorySegment.ofArray(new byte[0]));
    }

    int count() {
        return (int) COUNT.getAcquire(this);
    }

    boolean isFull() {
        return isFull(0);
    }

    /// @param ahead entries that are put before
    boolean isFull(int ahead) {
        return count + ahead >= format.fullAt(capacity);
    }

    /// Makes sure that `entries` more can be put, as far as the capacity goes.
    ///
    /// @param entries a few
    /// @throws ErrnoException when the disk is full or fails, or descriptors or maps ran out
    void room(int entries) throws ErrnoException {
        long needed = (long) Math.min(count + entries, capacity) * format.entryBytes;
        if (needed > backedBytes) {
            Descriptor descriptor = file.acquire();
            try {
                grow(descriptor, needed);
            } finally {
                file.release();
            }
        }
        Places now = places;
        if (count - now.from() >= BLOCK_ENTRIES) {
            now = writeBlock(now);
        }
        long neededBytes = (long) (count + entries - now.from()) * format.entryBytes;
        if (neededBytes > now.newest().byteSize()) {
            long most = (long) (BLOCK_ENTRIES + entries) * format.entryBytes;
            long least = (long) FEWEST_ENTRIES * format.entryBytes;
            long bytes = Math.max(neededBytes, Math.clamp(2 * now.newest().byteSize(), least, most));
            places = new Places(now.firstKeys(), now.from(), copy(now.newest(), 0, bytes));
        }
    }

    private static MemorySegment copy(MemorySegment entries, long from, long lengthBytes) {
        byte[] copied = new byte[Math.toIntExact(lengthBytes)];
        MemorySegment target = MemorySegment.ofArray(copied);
        long bytes = Math.min(lengthBytes, entries.byteSize() - from);
        MemorySegment.copy(entries, from, target, 0, bytes);
        return target;
    }

    /// Writes the oldest block that is in memory, and finds its entries through the map from then on.
    private Places writeBlock(Places now) throws ErrnoException {
        long blockBytes = (long) BLOCK_ENTRIES * format.entryBytes;
        Descriptor descriptor = file.acquire();
        try {
            write(descriptor, now, BLOCK_ENTRIES);
            if (mapping == null) {
                long length = roundUp((long) capacity * format.entryBytes, PAGE_BYTES);
                Mapping made = Mapping.ofFile(kernel, descriptor, 0, length, false);
                made.advise(Mappings.MADV_RANDOM); // no read-ahead beyond the end, none around a look-up
                mapping = made;
            }
        } finally {
            file.release();
        }
        long[] keys = Arrays.copyOf(now.firstKeys(), now.firstKeys().length + 1);
        keys[keys.length - 1] = format.key(now.newest(), 0);
        Places next = new Places(
                keys,
                now.from() + BLOCK_ENTRIES,
                copy(now.newest(), blockBytes, now.newest().byteSize() - blockBytes));
        places = next;
        return next;
    }

    /// Writes the first `entries` of those in memory.
    private void write(Descriptor descriptor, Places now, int entries) throws ErrnoException {
        long position = (long) now.from() * format.entryBytes;
        long lengthBytes = (long) entries * format.entryBytes;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes =
                    arena.allocate(lengthBytes).copyFrom(now.newest().asSlice(0, lengthBytes));
            long result = kernel.files().pwriteFully(descriptor, bytes, position);
            ErrnoException.check(result, Call.PWRITE, descriptor.name());
        }
        writtenEntries = Math.max(writtenEntries, now.from() + entries);
    }

    private void grow(Descriptor descriptor, long needed) throws ErrnoException {
        long step = Math.clamp(backedBytes, PAGE_BYTES, LARGEST_STEP_BYTES);
        long target = Math.max(
                needed,
                Math.min(
                        roundUp(backedBytes + step, PAGE_BYTES),
                        roundUp((long) capacity * format.entryBytes, PAGE_BYTES)));
        long result;
        do {
            result = kernel.files().fallocate(descriptor, 0, backedBytes, target - backedBytes);
        } while (result == -Errno.EINTR);
        if (result == -Errno.EOPNOTSUPP) {
            result = writeZeros(descriptor, target); // a file system without fallocate: take the blocks by writing
        }
        ErrnoException.check(result, Call.FALLOCATE, descriptor.name());
        backedBytes = target;
    }

    private long writeZeros(Descriptor descriptor, long target) {
        try (Arena arena = Arena.ofConfined()) {
            return kernel.files().pwriteFully(descriptor, arena.allocate(target - backedBytes), backedBytes);
        }
    }

    private static long roundUp(long bytes, long multiple) {
        return (bytes + multiple - 1) / multiple * multiple;
    }

    /// Appends an entry, for which [#room] was made.
    void append(long key, int value) {
        Places now = places;
        long at = (long) (count - now.from()) * format.entryBytes;
        if (at + format.entryBytes > now.newest().byteSize() || (count + 1L) * format.entryBytes > backedBytes) {
            throw new IllegalStateException("No room was made in " + file.path());
        }
        format.put(now.newest(), at, key, value);
        COUNT.setRelease(this, count + 1);
    }

    /// The last entry whose key is at most `key` of those that were put here, or null: then it is one of those
    /// before, if there is any.
    @Nullable IndexEntry floor(long key) {
        int entries = count();
        Places now = places; // after the count: what was counted is there
        int inMemory = entries - now.from();
        IndexEntry newest = inMemory <= 0 ? null : format.floor(now.newest(), inMemory, key);
        return newest != null ? newest : floorInBlocks(now, key);
    }

    private @Nullable IndexEntry floorInBlocks(Places now, long key) {
        int found = Arrays.binarySearch(now.firstKeys(), key);
        int block = found >= 0 ? found : -found - 2;
        Mapping mapped = mapping;
        if (block < 0 || mapped == null || !mapped.retain()) {
            return null;
        }
        try {
            long blockBytes = (long) BLOCK_ENTRIES * format.entryBytes;
            long position = (long) before * format.entryBytes + block * blockBytes;
            return mapped.populate(position, blockBytes) == -Errno.EFAULT
                    ? null
                    : format.floor(mapped.segment().asSlice(position, blockBytes), BLOCK_ENTRIES, key);
        } finally {
            mapped.release();
        }
    }

    /// Writes the entries that are in memory, and cuts the file to what it has. Look-ups and appends may go on.
    void trim() throws ErrnoException {
        long used = (long) count * format.entryBytes;
        if (backedBytes == used && writtenEntries == count) {
            return;
        }
        Descriptor descriptor = file.acquire();
        try {
            if (writtenEntries < count) {
                write(descriptor, places, count - places.from());
            }
            long result;
            do {
                result = kernel.files().ftruncate(descriptor, used);
            } while (result == -Errno.EINTR);
            ErrnoException.check(result, Call.FTRUNCATE, descriptor.name());
            backedBytes = used;
        } finally {
            file.release();
        }
    }

    /// Gives up the map; it goes when its last reader is done.
    void close() {
        Mapping mapped = mapping;
        if (mapped != null) {
            mapped.close();
        }
    }
}
