package dev.sluice.log;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Mappings;
import dev.sluice.io.memory.Mapping;
import java.lang.foreign.Arena;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/// The index of the active segment: appended to through a map of its file.
///
/// The map reserves address space for the largest index, beyond the end of the file; the file grows in steps of real
/// disk blocks, each before it is first touched, for a touch of unbacked pages would end in a SIGBUS. There is no
/// map, and the file stays empty, until the first entry: a partition with a few batches has none.
///
/// Written by the thread that holds the partition's lock; read by any. A reader sees the entries below [#count],
/// which is stored with release order behind the entry itself.
final class MappedIndex {
    private static final long PAGE_BYTES = 4096;
    private static final long LARGEST_STEP_BYTES = 64 << 10;
    private static final VarHandle COUNT;

    static {
        try {
            COUNT = MethodHandles.lookup().findVarHandle(MappedIndex.class, "count", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Kernel kernel;
    private final IndexFormat format;
    private final CachedFile file;
    private final int capacity;

    private volatile @Nullable Mapping mapping;
    private long backedBytes;

    @SuppressWarnings("FieldMayBeFinal") // through COUNT
    private int count;

    /// @param file       the index's file, trimmed to its entries
    /// @param count      entries it has
    /// @param indexBytes the most it may hold
    MappedIndex(Kernel kernel, IndexFormat format, CachedFile file, int count, int indexBytes) {
        this.kernel = kernel;
        this.format = format;
        this.file = file;
        this.count = count;
        this.capacity = Math.max(format.capacity(indexBytes), count + 1);
        this.backedBytes = (long) count * format.entryBytes;
    }

    int count() {
        return (int) COUNT.getAcquire(this);
    }

    boolean isFull() {
        return count >= format.fullAt(capacity);
    }

    /// Makes sure that `entries` more can be put, as far as the capacity goes.
    ///
    /// @throws ErrnoException when the disk is full, or descriptors or maps ran out
    void room(int entries) throws ErrnoException {
        long needed = (long) Math.min(count + entries, capacity) * format.entryBytes;
        if (needed <= backedBytes && mapping != null) {
            return;
        }
        Descriptor descriptor = file.acquire();
        try {
            if (needed > backedBytes) {
                grow(descriptor, needed);
            }
            if (mapping == null) {
                long length = roundUp((long) capacity * format.entryBytes, PAGE_BYTES);
                Mapping made = Mapping.ofFile(kernel, descriptor, 0, length, true);
                made.advise(Mappings.MADV_RANDOM); // no read-ahead beyond the end, none around a look-up
                mapping = made;
            }
        } finally {
            file.release();
        }
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
        Mapping mapped = mapping;
        long at = (long) count * format.entryBytes;
        if (mapped == null || at + format.entryBytes > backedBytes) {
            throw new IllegalStateException("No room was made in " + file.path());
        }
        format.put(mapped.segment(), at, key, value);
        COUNT.setRelease(this, count + 1);
    }

    /// The last entry whose key is at most `key`, or null: there is none, or no map any more.
    @Nullable IndexEntry floor(long key) {
        int entries = count();
        Mapping mapped = mapping;
        if (entries == 0 || mapped == null || !mapped.retain()) {
            return null;
        }
        try {
            return format.floor(mapped.segment(), entries, key);
        } finally {
            mapped.release();
        }
    }

    /// The last entry, or null. For the thread that appends.
    @Nullable IndexEntry last() {
        Mapping mapped = mapping;
        return count == 0 || mapped == null ? null : format.entry(mapped.segment(), count - 1);
    }

    /// Cuts the file to its entries. The map stays, for those who read by it.
    void trim() throws ErrnoException {
        long used = (long) count * format.entryBytes;
        if (backedBytes == used) {
            return;
        }
        Descriptor descriptor = file.acquire();
        try {
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
