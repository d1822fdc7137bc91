package dev.sluice.io.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// Pipes, and moving pages through them: pipe2(2), splice(2). Results are values ≥ 0 or −errno. Thread-safe.
public final class Pipes {
    // Flags of splice(2), linux/splice.h. SPLICE_F_MOVE has had no effect since Linux 2.6.21 and is left out.
    /// Don't wait for the pipe. An end that is a socket may wait all the same: its own O_NONBLOCK decides.
    public static final int SPLICE_F_NONBLOCK = 2;
    /// More follows at once: a socket may hold back a segment that is not full.
    public static final int SPLICE_F_MORE = 4;

    /// The end has no position of its own: a pipe or a socket.
    public static final long NO_POSITION = -1;

    private static final int O_CLOEXEC = 0x80000;

    // Commands of fcntl(2), linux/fcntl.h.
    private static final int F_SETPIPE_SZ = 1031;
    private static final int F_GETPIPE_SZ = 1032;

    private static final MethodHandle PIPE2 =
            Native.function("pipe2", FunctionDescriptor.of(Native.C_INT, Native.C_POINTER, Native.C_INT));

    private static final MethodHandle SPLICE = Native.function(
            "splice",
            FunctionDescriptor.of(
                    Native.C_LONG,
                    Native.C_INT,
                    Native.C_POINTER,
                    Native.C_INT,
                    Native.C_POINTER,
                    Native.C_SIZE,
                    Native.C_INT));
    private static final MethodHandle FCNTL_INT =
            Native.variadic("fcntl", FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_INT, Native.C_INT), 2);

    private final Kernel kernel;

    Pipes(Kernel kernel) {
        this.kernel = kernel;
    }

    /// The two ends of a pipe; the caller closes both.
    public record Ends(Descriptor readEnd, Descriptor writeEnd) {}

    /// pipe2(2), of the usual size of 64 KiB.
    ///
    /// @param blocking whether reads of an empty and writes to a full pipe wait; else they answer −EAGAIN
    /// @throws ErrnoException EMFILE or ENFILE when descriptors have run out
    public Ends open(boolean blocking, Account owner) throws ErrnoException {
        long result = kernel.admit(Call.PIPE, "pipe");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment numbers = arena.allocate(Native.C_INT, 2);
            if (result >= 0) {
                MemorySegment captured = Native.capture();
                int flags = O_CLOEXEC | (blocking ? 0 : Files.O_NONBLOCK);
                result = Native.orErrno((int) PIPE2.invokeExact(captured, numbers, flags), captured);
            }
            ErrnoException.check(kernel.record(owner, Call.PIPE, result, false), Call.PIPE, "pipe");
            return new Ends(
                    new Descriptor(kernel, numbers.getAtIndex(Native.C_INT, 0), "pipe, read end", owner),
                    new Descriptor(kernel, numbers.getAtIndex(Native.C_INT, 1), "pipe, write end", owner));
        } catch (ErrnoException e) {
            throw e;
        } catch (Throwable t) {
            throw Native.unexpected(t);
        }
    }

    /// splice(2): hands page references from one end to the other, one of which must be a pipe. Into a file the
    /// bytes are copied, to its page cache. Counted on both descriptors.
    ///
    /// @param sourcePosition byte of a file to take from; [#NO_POSITION] for a pipe or a socket
    /// @param sinkPosition   byte of a file to write to, likewise
    /// @param scratch        16 bytes of native memory, borrowed for the call
    /// @return bytes moved, which may be fewer than asked; 0 when the source has ended; or −errno. −EAGAIN doesn't
    ///     say which end would have waited
    public long splice(
            Descriptor source,
            long sourcePosition,
            Descriptor sink,
            long sinkPosition,
            long lengthBytes,
            int flags,
            MemorySegment scratch) {
        long position = Math.max(sourcePosition, sinkPosition);
        long length = kernel.admit(Call.SPLICE, sourcePosition < 0 ? sink : source, position, lengthBytes);
        if (length >= 0) {
            MemorySegment captured = Native.capture();
            try {
                length = Native.orErrno(
                        (long) SPLICE.invokeExact(
                                captured,
                                source.number(),
                                pointer(scratch, 0, sourcePosition),
                                sink.number(),
                                pointer(scratch, Long.BYTES, sinkPosition),
                                length,
                                flags),
                        captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(source.account(), sink.account(), Call.SPLICE, length, true);
    }

    private static MemorySegment pointer(MemorySegment scratch, long at, long position) {
        if (position == NO_POSITION) {
            return MemorySegment.NULL;
        }
        scratch.set(ValueLayout.JAVA_LONG, at, position);
        return scratch.asSlice(at, Long.BYTES);
    }

    /// Asks for a capacity (F_SETPIPE_SZ): the kernel rounds it up to a power of two of pages.
    ///
    /// @return the capacity in bytes now; −EPERM above /proc/sys/fs/pipe-max-size or the user's share of pipe
    ///     pages; −EBUSY when more than that lies in the pipe
    public long setCapacity(Descriptor end, int bytes) {
        return control(end, F_SETPIPE_SZ, bytes);
    }

    /// The capacity of a pipe in bytes, or −errno.
    public long capacity(Descriptor end) {
        return control(end, F_GETPIPE_SZ, 0);
    }

    private long control(Descriptor end, int command, int argument) {
        long result = kernel.admit(Call.FCNTL, end);
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try {
                result = Native.orErrno(
                        (int) FCNTL_INT.invokeExact(captured, end.number(), command, argument), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(end.account(), Call.FCNTL, result, false);
    }
}
