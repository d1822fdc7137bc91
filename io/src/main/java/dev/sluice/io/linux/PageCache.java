package dev.sluice.io.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// How much of a file lies in the page cache: cachestat(2), or mincore(2) before Linux 6.5. Values ≥ 0 or −errno.
public final class PageCache {
    private static final long SYS_CACHESTAT = 451; // the same on every architecture, asm-generic/unistd.h
    private static final long PAGE_BYTES = 4096;
    private static final long MINCORE_WINDOW_BYTES = 256L << 20;

    /// What cachestat(2) reads and fills, one a thread, so that a question on a hot path allocates nothing.
    ///
    /// @param range u64 position, u64 length
    /// @param stat  u64 cached, dirty, writeback, evicted, recently evicted
    private record Structs(MemorySegment range, MemorySegment stat) {
        static final ThreadLocal<Structs> OF_THREAD = ThreadLocal.withInitial(() -> new Structs(
                Arena.ofAuto().allocate(ValueLayout.JAVA_LONG, 2),
                Arena.ofAuto().allocate(ValueLayout.JAVA_LONG, 5)));
    }

    // glibc wraps neither before 2.41, so by syscall(2).
    private static final MethodHandle SYSCALL_CACHESTAT = Native.variadic(
            "syscall",
            FunctionDescriptor.of(
                    Native.C_LONG, Native.C_LONG, Native.C_LONG, Native.C_POINTER, Native.C_POINTER, Native.C_LONG),
            1);
    private static final MethodHandle MINCORE = Native.function(
            "mincore", FunctionDescriptor.of(Native.C_INT, Native.C_LONG, Native.C_SIZE, Native.C_POINTER));

    private final Kernel kernel;

    PageCache(Kernel kernel) {
        this.kernel = kernel;
    }

    /// Bytes of a range that are in the page cache now, in whole pages but not more than the range is long.
    ///
    /// A kernel tells it only of files that the caller owns or may write to. For others cachestat answers −EPERM,
    /// and mincore claims that all is there (since Linux 5.2, against spying).
    ///
    /// @return bytes, or −errno
    public long residentBytes(Descriptor file, long position, long lengthBytes) {
        long pages = cachestat(file, position, lengthBytes);
        if (pages == -Errno.ENOSYS) {
            pages = mincore(file, position, lengthBytes);
        }
        return pages < 0 ? pages : Math.min(pages * PAGE_BYTES, lengthBytes);
    }

    private long cachestat(Descriptor file, long position, long lengthBytes) {
        long result = kernel.admit(Call.CACHESTAT, file, position, lengthBytes);
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            Structs structs = Structs.OF_THREAD.get();
            structs.range.setAtIndex(ValueLayout.JAVA_LONG, 0, position);
            structs.range.setAtIndex(ValueLayout.JAVA_LONG, 1, lengthBytes);
            try {
                result = Native.orErrno(
                        (long) SYSCALL_CACHESTAT.invokeExact(
                                captured, SYS_CACHESTAT, (long) file.number(), structs.range, structs.stat, 0L),
                        captured);
                if (result >= 0) {
                    result = structs.stat.getAtIndex(ValueLayout.JAVA_LONG, 0);
                }
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(file.account(), Call.CACHESTAT, result, false);
    }

    /// The pages that mincore(2) says are there, through maps of a bounded size. Package-private for its test.
    long mincore(Descriptor file, long position, long lengthBytes) {
        long pages = 0;
        long end = position + lengthBytes;
        for (long at = position & -PAGE_BYTES; at < end; at += MINCORE_WINDOW_BYTES) {
            long window = Math.min(MINCORE_WINDOW_BYTES, (end - at + PAGE_BYTES - 1) & -PAGE_BYTES);
            MemorySegment mapped;
            try {
                mapped = kernel.mappings().map(file, at, window, Mappings.PROT_READ, Mappings.MAP_SHARED);
            } catch (ErrnoException e) {
                return -e.errno();
            }
            long found = mincore(file, mapped);
            kernel.mappings().unmap(mapped);
            if (found < 0) {
                return found;
            }
            pages += found;
        }
        return pages;
    }

    private long mincore(Descriptor file, MemorySegment mapped) {
        long result = kernel.admit(Call.MINCORE, file);
        long pages = 0;
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment vector = arena.allocate(mapped.byteSize() / PAGE_BYTES);
                result = Native.orErrno(
                        (int) MINCORE.invokeExact(captured, mapped.address(), mapped.byteSize(), vector), captured);
                if (result >= 0) {
                    for (long i = 0; i < vector.byteSize(); i++) {
                        pages += vector.get(ValueLayout.JAVA_BYTE, i) & 1;
                    }
                }
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        result = kernel.record(file.account(), Call.MINCORE, result, false);
        return result < 0 ? result : pages;
    }
}
