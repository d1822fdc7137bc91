package dev.sluice.io.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Memory maps: mmap(2), munmap(2), madvise(2), msync(2), mincore(2).
///
/// This class deals in bare segments of the global scope, which nothing protects after [#unmap]; `io.memory.Mapping`
/// counts the references and is what everybody else uses. Results are values ≥ 0 or −errno.
public final class Mappings {
    // Protection, flags and advice: asm-generic/mman-common.h and mman.h.
    public static final int PROT_NONE = 0;
    public static final int PROT_READ = 1;
    public static final int PROT_WRITE = 2;
    public static final int MAP_SHARED = 0x01;
    public static final int MAP_PRIVATE = 0x02;
    public static final int MAP_ANONYMOUS = 0x20;
    public static final int MAP_NORESERVE = 0x4000;
    public static final int MAP_POPULATE = 0x8000;
    public static final int MADV_NORMAL = 0;
    public static final int MADV_RANDOM = 1;
    public static final int MADV_SEQUENTIAL = 2;
    public static final int MADV_WILLNEED = 3;
    public static final int MADV_DONTNEED = 4;
    public static final int MADV_HUGEPAGE = 14;
    public static final int MADV_NOHUGEPAGE = 15;
    public static final int MADV_COLD = 20;
    /// Fault pages in for reading or writing; answers −EFAULT where plain access would raise SIGBUS (Linux 5.14).
    public static final int MADV_POPULATE_READ = 22;
    public static final int MADV_POPULATE_WRITE = 23;
    public static final int MS_SYNC = 4;

    /// The unit of mapping, protection and copy on write. Sluice runs on kernels with pages of 4 KiB.
    public static final long PAGE_BYTES = 4096;

    private static final Path PAGEMAP = Path.of("/proc/self/pagemap");

    private static final MethodHandle MMAP = Native.function(
            "mmap",
            FunctionDescriptor.of(
                    Native.C_LONG,
                    Native.C_LONG,
                    Native.C_SIZE,
                    Native.C_INT,
                    Native.C_INT,
                    Native.C_INT,
                    Native.C_LONG));
    private static final MethodHandle MUNMAP =
            Native.function("munmap", FunctionDescriptor.of(Native.C_INT, Native.C_LONG, Native.C_SIZE));
    private static final MethodHandle MADVISE =
            Native.function("madvise", FunctionDescriptor.of(Native.C_INT, Native.C_LONG, Native.C_SIZE, Native.C_INT));
    private static final MethodHandle MSYNC =
            Native.function("msync", FunctionDescriptor.of(Native.C_INT, Native.C_LONG, Native.C_SIZE, Native.C_INT));

    private final Kernel kernel;

    Mappings(Kernel kernel) {
        this.kernel = kernel;
    }

    /// mmap(2) of a file.
    ///
    /// @param position multiple of the page size
    public MemorySegment map(Descriptor file, long position, long lengthBytes, int protection, int flags)
            throws ErrnoException {
        return map(file, file.name(), file.account(), position, lengthBytes, protection, flags);
    }

    /// mmap(2) of zeroed memory that belongs to no file.
    ///
    /// @param flags MAP_NORESERVE for address space that is paid for when it is touched
    public MemorySegment anonymous(long lengthBytes, int flags) throws ErrnoException {
        return map(
                null,
                "anonymous memory",
                kernel.account(),
                0,
                lengthBytes,
                PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | flags);
    }

    private MemorySegment map(
            @Nullable Descriptor file,
            String name,
            Account account,
            long position,
            long lengthBytes,
            int protection,
            int flags)
            throws ErrnoException {
        long result = kernel.admit(Call.MMAP, name, position, lengthBytes);
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            int number = file == null ? -1 : file.number();
            try {
                // MAP_FAILED is (void *) -1; no valid address is negative.
                result = Native.orErrno(
                        (long) MMAP.invokeExact(captured, 0L, lengthBytes, protection, flags, number, position),
                        captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        kernel.record(account, Call.MMAP, result, false);
        if (result < 0) {
            throw new ErrnoException(Call.MMAP, (int) -result, name, position);
        }
        MemorySegment mapped = MemorySegment.ofAddress(result).reinterpret(lengthBytes);
        return (protection & PROT_WRITE) != 0 ? mapped : mapped.asReadOnly();
    }

    /// A part of mapped memory that can be touched until `arena` is closed, by the arena's thread alone if it is
    /// confined: what to lend to somebody who might keep it.
    public static MemorySegment lend(MemorySegment mapped, long position, long lengthBytes, Arena arena) {
        MemorySegment part = mapped.asSlice(position, lengthBytes).reinterpret(arena, null);
        return mapped.isReadOnly() ? part.asReadOnly() : part;
    }

    /// Whether memory begins at a multiple of `alignBytes`, as direct I/O wants it.
    public static boolean isAligned(MemorySegment memory, long alignBytes) {
        return memory.address() % alignBytes == 0;
    }

    /// How many pages of a private map hold a copy of their own: those that were written to, also when they were
    /// swapped out since. Read from /proc/self/pagemap, 8 bytes a page, whose top bits everybody may read of
    /// themselves (admin-guide/mm/pagemap.rst of the kernel: 63 present, 62 swapped, 61 file page).
    ///
    /// @param scratch native memory that entries are read into, borrowed; the longer, the fewer calls
    /// @return pages, or −errno
    public long privatePages(MemorySegment mapped, MemorySegment scratch) {
        Opened opened = kernel.files().open(PAGEMAP, Files.O_RDONLY, 0, kernel.account());
        if (!(opened instanceof Opened.Ok(Descriptor pagemap))) {
            return -opened.errno();
        }
        try (pagemap) {
            long pages = (mapped.byteSize() + PAGE_BYTES - 1) / PAGE_BYTES;
            long firstEntry = mapped.address() / PAGE_BYTES;
            long own = 0;
            for (long page = 0; page < pages; ) {
                long wanted = Math.min((pages - page) * Long.BYTES, scratch.byteSize() & -Long.BYTES);
                long n = kernel.files()
                        .preadFully(pagemap, scratch.asSlice(0, wanted), (firstEntry + page) * Long.BYTES);
                if (n < Long.BYTES) {
                    return n < 0 ? n : -Errno.EIO;
                }
                for (long at = 0; at + Long.BYTES <= n; at += Long.BYTES, page++) {
                    long entry = scratch.get(ValueLayout.JAVA_LONG, at);
                    boolean present = entry < 0;
                    boolean swapped = (entry >>> 62 & 1) == 1;
                    boolean isFiles = (entry >>> 61 & 1) == 1;
                    own += (present || swapped) && !isFiles ? 1 : 0;
                }
            }
            return own;
        }
    }

    /// munmap(2). No access to the segment, or to a slice of it, may be under way or follow: it would end the
    /// process.
    public long unmap(MemorySegment mapped) {
        return memoryCall(Call.MUNMAP, mapped, 0);
    }

    /// madvise(2) on a page-aligned range of a mapping.
    public long advise(MemorySegment range, int advice) {
        return memoryCall(Call.MADVISE, range, advice);
    }

    /// msync(2), waiting for the device.
    public long sync(MemorySegment range) {
        return memoryCall(Call.MSYNC, range, MS_SYNC);
    }

    /// Counts bytes of a file that were stored through a map of it: no call of the kernel's, but a way that bytes
    /// take.
    public void countStore(Descriptor file, long lengthBytes) {
        kernel.record(file.account(), Call.MAPPED_STORE, lengthBytes, true);
    }

    private long memoryCall(Call call, MemorySegment range, int argument) {
        long result = kernel.admit(call, "mapped memory", -1, range.byteSize());
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            long address = range.address();
            long length = range.byteSize();
            try {
                int answer = switch (call) {
                    case MUNMAP -> (int) MUNMAP.invokeExact(captured, address, length);
                    case MADVISE -> (int) MADVISE.invokeExact(captured, address, length, argument);
                    case MSYNC -> (int) MSYNC.invokeExact(captured, address, length, argument);
                    default -> throw new AssertionError(call);
                };
                result = Native.orErrno(answer, captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(kernel.account(), call, result, false);
    }
}
