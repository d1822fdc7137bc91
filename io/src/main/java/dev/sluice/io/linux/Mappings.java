package dev.sluice.io.linux;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
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

    /// Whether memory begins at a multiple of `alignBytes`, as direct I/O wants it.
    public static boolean isAligned(MemorySegment memory, long alignBytes) {
        return memory.address() % alignBytes == 0;
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
