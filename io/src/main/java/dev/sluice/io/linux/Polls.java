package dev.sluice.io.linux;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// Waiting for one or two descriptors: poll(2). Who waits for many uses [Epolls]. Results are values ≥ 0 or −errno.
public final class Polls {
    // Events, asm-generic/poll.h.
    public static final int POLLIN = 0x001;
    public static final int POLLOUT = 0x004;
    /// Reported whether asked for or not: an error, a pipe that nobody reads, or a message in the error queue.
    public static final int POLLERR = 0x008;
    /// Reported whether asked for or not.
    public static final int POLLHUP = 0x010;
    public static final int POLLNVAL = 0x020;

    /// Native memory that a [#await] needs: two `struct pollfd { int fd; short events; short revents; }`.
    public static final long SCRATCH_BYTES = 16;

    private static final MethodHandle POLL =
            Native.function("poll", FunctionDescriptor.of(Native.C_INT, Native.C_POINTER, Native.C_LONG, Native.C_INT));

    private final Kernel kernel;

    Polls(Kernel kernel) {
        this.kernel = kernel;
    }

    /// Waits for one descriptor.
    ///
    /// @param timeoutMs −1 to wait for ever, 0 not to wait
    /// @param scratch   [#SCRATCH_BYTES] of native memory, borrowed for the call
    /// @return the events that came, 0 when the time ran out, or −errno
    public long await(Descriptor descriptor, int events, int timeoutMs, MemorySegment scratch) {
        put(scratch, 0, descriptor, events);
        long result = poll(descriptor, scratch, 1, timeoutMs);
        return result > 0 ? events(scratch, 0) : result;
    }

    /// Waits for either of two descriptors.
    ///
    /// @return the events of the first, and those of the second in the bits from 16 on; 0 when the time ran out; or
    ///         −errno
    public long await(
            Descriptor first,
            int firstEvents,
            Descriptor second,
            int secondEvents,
            int timeoutMs,
            MemorySegment scratch) {
        put(scratch, 0, first, firstEvents);
        put(scratch, 8, second, secondEvents);
        long result = poll(first, scratch, 2, timeoutMs);
        return result > 0 ? events(scratch, 0) | events(scratch, 8) << 16 : result;
    }

    private static void put(MemorySegment scratch, long at, Descriptor descriptor, int events) {
        scratch.set(ValueLayout.JAVA_INT, at, descriptor.number());
        scratch.set(ValueLayout.JAVA_INT, at + 4, events); // the two shorts at once: events, and revents = 0
    }

    private static long events(MemorySegment scratch, long at) {
        return Short.toUnsignedLong(scratch.get(ValueLayout.JAVA_SHORT, at + 6));
    }

    private long poll(Descriptor owner, MemorySegment array, long count, int timeoutMs) {
        long result = kernel.admit(Call.POLL, owner);
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try {
                result = Native.orErrno((int) POLL.invokeExact(captured, array, count, timeoutMs), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(owner.account(), Call.POLL, result, false);
    }
}
