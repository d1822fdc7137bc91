package dev.sluice.io.memory;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Mappings;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;

/// A memory map with a reference count, unmapped when the last reference goes.
///
/// We count references instead of closing a shared arena, because that stops and deoptimises every other thread. In
/// return the segment is protected by nothing else: touch it only between a [#retain] that answered true and its
/// [#release], or while you are the owner who has not closed it yet. Access after that would end the process.
///
/// Thread-safe.
public final class Mapping implements AutoCloseable {
    private final Kernel kernel;
    private final MemorySegment segment;
    private final AtomicInteger references = new AtomicInteger(1);
    private final AtomicInteger ownerClosed = new AtomicInteger();

    private Mapping(Kernel kernel, MemorySegment segment) {
        this.kernel = kernel;
        this.segment = segment;
    }

    /// Maps a range of a file, shared with the page cache.
    ///
    /// The range may reach past the end of the file; what lies there may be touched once the file has grown over
    /// it.
    ///
    /// @param position   multiple of the page size
    /// @param writable   whether stores are allowed; they reach the file
    /// @throws ErrnoException when the kernel refuses, ENOMEM also when the process has too many maps
    public static Mapping ofFile(Kernel kernel, Descriptor file, long position, long lengthBytes, boolean writable)
            throws ErrnoException {
        int protection = Mappings.PROT_READ | (writable ? Mappings.PROT_WRITE : 0);
        return new Mapping(kernel, kernel.mappings().map(file, position, lengthBytes, protection, Mappings.MAP_SHARED));
    }

    /// Maps a range of a file privately: what is stored goes to copies of its pages that this map alone has, each
    /// made at the first store into the page.
    ///
    /// @param position multiple of the page size
    /// @throws ErrnoException when the kernel refuses, ENOMEM also when the process has too many maps
    public static Mapping privateOfFile(Kernel kernel, Descriptor file, long position, long lengthBytes)
            throws ErrnoException {
        return new Mapping(
                kernel,
                kernel.mappings()
                        .map(
                                file,
                                position,
                                lengthBytes,
                                Mappings.PROT_READ | Mappings.PROT_WRITE,
                                Mappings.MAP_PRIVATE));
    }

    /// Reserves zeroed memory: address space now, pages when they are first touched.
    public static Mapping reserve(Kernel kernel, long lengthBytes) throws ErrnoException {
        return new Mapping(kernel, kernel.mappings().anonymous(lengthBytes, Mappings.MAP_NORESERVE));
    }

    /// The mapped memory. Borrowed: see the class comment for how long.
    public MemorySegment segment() {
        return segment;
    }

    /// madvise(2) on the whole map; advice is advice, so its failure is no news.
    public void advise(int advice) {
        kernel.mappings().advise(segment, advice);
    }

    /// Brings in the pages of a range for reading, by a call: on a disk that is slow or stalls, a touch by Java
    /// code would hold up every garbage collection meanwhile.
    ///
    /// @return 0, or −errno: −EFAULT where a touch would raise SIGBUS
    public long populate(long position, long lengthBytes) {
        return populate(position, lengthBytes, Mappings.MADV_POPULATE_READ);
    }

    /// The same for stores: each page is in memory, dirty, and may be stored to. What the kernel writes back later
    /// it protects again, so ask right before the store.
    ///
    /// @return 0, or −errno: −EFAULT where a store would raise SIGBUS
    public long populateForStores(long position, long lengthBytes) {
        return populate(position, lengthBytes, Mappings.MADV_POPULATE_WRITE);
    }

    private long populate(long position, long lengthBytes, int advice) {
        long first = position / Mappings.PAGE_BYTES * Mappings.PAGE_BYTES;
        return kernel.mappings().advise(segment.asSlice(first, position + lengthBytes - first), advice);
    }

    /// Gives the pages of a range back to the kernel; of an anonymous map they read as zeros afterwards.
    ///
    /// @param position multiple of the page size
    public void discard(long position, long lengthBytes) {
        kernel.mappings().advise(segment.asSlice(position, lengthBytes), Mappings.MADV_DONTNEED);
    }

    /// Takes a reference.
    ///
    /// @return false when the map is gone already; then don't touch it
    public boolean retain() {
        int count = references.get();
        while (count > 0) {
            int witness = references.compareAndExchange(count, count + 1);
            if (witness == count) {
                return true;
            }
            count = witness;
        }
        return false;
    }

    /// Gives back a reference taken by [#retain].
    ///
    /// @return whether it was the last, so that the map is gone now
    public boolean release() {
        int left = references.decrementAndGet();
        assert left >= 0 : "released more often than retained";
        if (left == 0) {
            kernel.mappings().unmap(segment);
        }
        return left == 0;
    }

    /// Gives up the owner's reference. Closing twice changes nothing.
    @Override
    public void close() {
        abandon();
    }

    /// The same, and says what came of it.
    ///
    /// @return whether the map is gone now by this call; false while others hold references, and the second time
    public boolean abandon() {
        return ownerClosed.compareAndSet(0, 1) && release();
    }
}
