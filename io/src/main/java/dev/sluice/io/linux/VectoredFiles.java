package dev.sluice.io.linux;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// Positioned reads and writes that take flags: preadv2(2), pwritev2(2). Results are values ≥ 0 or −errno. Thread-safe.
public final class VectoredFiles {
    // Flags, linux/fs.h. io_uring takes the same ones.
    /// Poll the device for the completion; an error where the device or the file is not made for it.
    public static final int RWF_HIPRI = 0x1;
    /// This write returns when its bytes, and what is needed to find them again, are on the device.
    public static final int RWF_DSYNC = 0x2;
    /// This write returns when its bytes and all metadata are on the device.
    public static final int RWF_SYNC = 0x4;
    /// This read takes what is in the page cache: fewer bytes or −EAGAIN where it would have to wait for the
    /// device, −EOPNOTSUPP where the file system doesn't offer it.
    public static final int RWF_NOWAIT = 0x8;

    private static final FunctionDescriptor SIGNATURE = FunctionDescriptor.of(
            Native.C_LONG, Native.C_INT, Native.C_POINTER, Native.C_INT, Native.C_LONG, Native.C_INT);
    private static final MethodHandle PREADV2 = Native.function("preadv2", SIGNATURE);
    private static final MethodHandle PWRITEV2 = Native.function("pwritev2", SIGNATURE);

    private final Kernel kernel;

    VectoredFiles(Kernel kernel) {
        this.kernel = kernel;
    }

    /// preadv2(2).
    ///
    /// @param position −1 for the descriptor's own position, which is how a pipe is read
    /// @param flags    RWF_ flags
    /// @param granularity what a count that a fault plan shortened is rounded down to: the alignment of an O_DIRECT
    ///     descriptor, 1 otherwise
    /// @return bytes read, 0 at the end of the file, or −errno
    public long preadv2(Descriptor file, IoVectors vectors, long position, int flags, int granularity) {
        return transfer(Call.PREADV2, PREADV2, file, vectors, position, flags, granularity);
    }

    /// pwritev2(2).
    ///
    /// @return bytes written, which may be fewer than asked, or −errno
    public long pwritev2(Descriptor file, IoVectors vectors, long position, int flags, int granularity) {
        return transfer(Call.PWRITEV2, PWRITEV2, file, vectors, position, flags, granularity);
    }

    private long transfer(
            Call call,
            MethodHandle handle,
            Descriptor file,
            IoVectors vectors,
            long position,
            int flags,
            int granularity) {
        long length = kernel.admit(call, file, position, vectors.lengthBytes(), granularity);
        if (length >= 0) {
            MemorySegment captured = Native.capture();
            try {
                IoVectors admitted = vectors.shortenedTo(length);
                length = Native.orErrno(
                        (long) handle.invokeExact(
                                captured, file.number(), admitted.array(), admitted.count(), position, flags),
                        captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(file.account(), call, length, true);
    }
}
