package dev.sluice.io.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// From file to file without leaving the kernel: copy_file_range(2), and clones by ioctl (FICLONE, FICLONERANGE), which
/// share extents instead of copying them. Results are values ≥ 0 or −errno. Thread-safe.
public final class FileCopies {
    // Requests, linux/fs.h and linux/fiemap.h; _IOW and _IOWR encode alike on x86-64 and aarch64.
    private static final long FICLONE = 0x40049409L;
    private static final long FICLONERANGE = 0x4020940DL;
    private static final long FS_IOC_FIEMAP = 0xC020660BL;

    /// struct file_clone_range: i64 source descriptor, u64 source position, u64 length, u64 sink position.
    private static final long CLONE_RANGE_BYTES = 32;

    /// struct fiemap: 0 u64 start, 8 u64 length, 16 u32 flags, 20 u32 mapped extents, 24 u32 room for extents, 28
    /// reserved; then struct fiemap_extent of 56 bytes, its u32 flags at 40.
    private static final long FIEMAP_BYTES = 32;

    private static final long FIEMAP_EXTENT_BYTES = 56;
    private static final int FIEMAP_EXTENT_SHARED = 0x2000;

    private static final MethodHandle COPY_FILE_RANGE = Native.function(
            "copy_file_range",
            FunctionDescriptor.of(
                    Native.C_LONG,
                    Native.C_INT,
                    Native.C_POINTER,
                    Native.C_INT,
                    Native.C_POINTER,
                    Native.C_SIZE,
                    Native.C_INT));
    private static final MethodHandle IOCTL_INT =
            Native.variadic("ioctl", FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_LONG, Native.C_INT), 2);
    private static final MethodHandle IOCTL_POINTER = Native.variadic(
            "ioctl", FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_LONG, Native.C_POINTER), 2);

    private final Kernel kernel;

    FileCopies(Kernel kernel) {
        this.kernel = kernel;
    }

    /// copy_file_range(2): one copy inside the kernel, or none where the file system shares extents. Counted on
    /// both.
    ///
    /// @param scratch 16 bytes of native memory, borrowed for the call
    /// @return bytes copied, which may be fewer than asked; 0 at the end of the source, and for sources that have
    ///     no real length (/proc); −EXDEV across file systems; −EBADF also when the sink is open with O_APPEND; or
    ///     another −errno
    public long copyRange(
            Descriptor source,
            long sourcePosition,
            Descriptor sink,
            long sinkPosition,
            long lengthBytes,
            MemorySegment scratch) {
        long length = kernel.admit(Call.COPY_FILE_RANGE, source, sourcePosition, lengthBytes);
        if (length >= 0) {
            MemorySegment captured = Native.capture();
            scratch.set(ValueLayout.JAVA_LONG, 0, sourcePosition);
            scratch.set(ValueLayout.JAVA_LONG, Long.BYTES, sinkPosition);
            try {
                length = Native.orErrno(
                        (long) COPY_FILE_RANGE.invokeExact(
                                captured,
                                source.number(),
                                scratch.asSlice(0, Long.BYTES),
                                sink.number(),
                                scratch.asSlice(Long.BYTES, Long.BYTES),
                                length,
                                0),
                        captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(source.account(), sink.account(), Call.COPY_FILE_RANGE, length, true);
    }

    /// FICLONE: the sink becomes a clone of the whole source.
    ///
    /// @return 0; −EOPNOTSUPP or −ENOTTY where the file system has no clones; −EXDEV across file systems; or
    ///         another −errno
    public long cloneWhole(Descriptor source, Descriptor sink) {
        long result = kernel.admit(Call.IOCTL, source);
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try {
                result = Native.orErrno(
                        (int) IOCTL_INT.invokeExact(captured, sink.number(), FICLONE, source.number()), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(source.account(), sink.account(), Call.IOCTL, result, false);
    }

    /// FICLONERANGE: all of the range or nothing.
    ///
    /// Positions, and the length too unless it reaches the end of the source, must be multiples of the file
    /// system's block size, else −EINVAL.
    public long cloneRange(
            Descriptor source, long sourcePosition, Descriptor sink, long sinkPosition, long lengthBytes) {
        long result = kernel.admit(Call.IOCTL, source, sourcePosition, lengthBytes);
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment range = arena.allocate(CLONE_RANGE_BYTES, 8);
                range.setAtIndex(ValueLayout.JAVA_LONG, 0, source.number());
                range.setAtIndex(ValueLayout.JAVA_LONG, 1, sourcePosition);
                range.setAtIndex(ValueLayout.JAVA_LONG, 2, lengthBytes);
                range.setAtIndex(ValueLayout.JAVA_LONG, 3, sinkPosition);
                result = Native.orErrno(
                        (int) IOCTL_POINTER.invokeExact(captured, sink.number(), FICLONERANGE, range), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(source.account(), sink.account(), Call.IOCTL, result, false);
    }

    /// Whether the extent at a position of a file is shared with another file (FIEMAP): how to see whether a
    /// copy_file_range came out as a clone.
    ///
    /// @return 1 or 0; −EOPNOTSUPP or −ENOTTY where the file system doesn't tell; or another −errno
    public long sharesExtent(Descriptor file, long position) {
        long result = kernel.admit(Call.IOCTL, file, position, 0);
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment map = arena.allocate(FIEMAP_BYTES + FIEMAP_EXTENT_BYTES, 8);
                map.set(ValueLayout.JAVA_LONG, 0, position);
                map.set(ValueLayout.JAVA_LONG, 8, 1);
                map.set(ValueLayout.JAVA_INT, 24, 1);
                result = Native.orErrno(
                        (int) IOCTL_POINTER.invokeExact(captured, file.number(), FS_IOC_FIEMAP, map), captured);
                if (result >= 0) {
                    boolean mapped = map.get(ValueLayout.JAVA_INT, 20) > 0;
                    int flags = map.get(ValueLayout.JAVA_INT, FIEMAP_BYTES + 40);
                    result = mapped && (flags & FIEMAP_EXTENT_SHARED) != 0 ? 1 : 0;
                }
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(file.account(), Call.IOCTL, result, false);
    }
}
