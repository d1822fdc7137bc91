package dev.sluice.io.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// How the scheduler treats the calling thread: sched_getattr(2) and sched_setattr(2). Values ≥ 0 or −errno.
///
/// Both calls below need no privilege. Since Linux 6.12 a thread of the usual policy may ask for a slice of its own
/// (`sched_runtime`, 0.1 to 100 ms): a shorter one doesn't get it more time, but earlier when it wakes up. Kernels
/// before that take the call and leave the slice as it is.
public final class Scheduling {
    private static final int SCHED_OTHER = 0; // linux/sched.h
    private static final long SCHED_FLAG_RESET_ON_FORK = 0x01;
    private static final int LEAST_NICE = 19;

    /// struct sched_attr of linux/sched/types.h, SCHED_ATTR_SIZE_VER0: u32 size, u32 policy, u64 flags, s32 nice,
    /// u32 priority, u64 runtime, u64 deadline, u64 period.
    private static final int ATTRIBUTES_BYTES = 48;

    private static final int POLICY = 4;
    private static final int FLAGS = 8;
    private static final int NICE = 16;
    private static final int RUNTIME = 24;

    // glibc wraps neither before 2.41, so by syscall(2).
    private static final MethodHandle SYSCALL_GET = Native.variadic(
            "syscall",
            FunctionDescriptor.of(
                    Native.C_LONG, Native.C_LONG, Native.C_LONG, Native.C_POINTER, Native.C_LONG, Native.C_LONG),
            1);
    private static final MethodHandle SYSCALL_SET = Native.variadic(
            "syscall",
            FunctionDescriptor.of(Native.C_LONG, Native.C_LONG, Native.C_LONG, Native.C_POINTER, Native.C_LONG),
            1);

    private final Kernel kernel;

    Scheduling(Kernel kernel) {
        this.kernel = kernel;
    }

    /// How a thread is scheduled.
    ///
    /// @param policy  SCHED_… of linux/sched.h
    /// @param nice    −20 to 19
    /// @param sliceNs for how long it may run before its turn is over; 0 before Linux 6.12
    public record Attributes(int policy, int nice, long sliceNs) {}

    /// Of the calling thread.
    public Attributes ofThread() throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment attributes = arena.allocate(ATTRIBUTES_BYTES, 8);
            ErrnoException.check(get(attributes), Call.SCHED_GETATTR, "this thread");
            return new Attributes(
                    attributes.get(ValueLayout.JAVA_INT, POLICY),
                    attributes.get(ValueLayout.JAVA_INT, NICE),
                    attributes.get(ValueLayout.JAVA_LONG, RUNTIME));
        }
    }

    /// Has the calling thread run in short turns, so that it is let in sooner when it wakes up beside others.
    /// Threads that it makes have the usual slice. What an operator has given another policy is left alone.
    ///
    /// @return 0, or −errno when it stays as it is
    public long runShortly(long sliceNs) {
        return change(0, sliceNs);
    }

    /// Has the calling thread, and those that it makes, give way to others.
    ///
    /// @param by added to its nice value; each step is a tenth of its part of a processor that others want too
    /// @return 0, or −errno when it stays as it is
    public long giveWay(int by) {
        return change(by, 0);
    }

    private long change(int niceBy, long sliceNs) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment attributes = arena.allocate(ATTRIBUTES_BYTES, 8);
            long result = get(attributes);
            if (result < 0 || attributes.get(ValueLayout.JAVA_INT, POLICY) != SCHED_OTHER) {
                return Math.min(result, 0);
            }
            int nice = Math.min(LEAST_NICE, attributes.get(ValueLayout.JAVA_INT, NICE) + niceBy);
            attributes.set(ValueLayout.JAVA_INT, NICE, nice);
            if (sliceNs > 0) {
                long flags = attributes.get(ValueLayout.JAVA_LONG, FLAGS);
                attributes.set(ValueLayout.JAVA_LONG, FLAGS, flags | SCHED_FLAG_RESET_ON_FORK);
                attributes.set(ValueLayout.JAVA_LONG, RUNTIME, sliceNs);
            }
            return set(attributes);
        }
    }

    private long get(MemorySegment attributes) {
        long result = kernel.admit(Call.SCHED_GETATTR, "this thread");
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try {
                result = Native.orErrno(
                        (long) SYSCALL_GET.invokeExact(
                                captured,
                                Abi.CURRENT.schedGetattrNumber(),
                                0L,
                                attributes,
                                (long) ATTRIBUTES_BYTES,
                                0L),
                        captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(kernel.account(), Call.SCHED_GETATTR, result, false);
    }

    private long set(MemorySegment attributes) {
        long result = kernel.admit(Call.SCHED_SETATTR, "this thread");
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try {
                result = Native.orErrno(
                        (long) SYSCALL_SET.invokeExact(captured, Abi.CURRENT.schedSetattrNumber(), 0L, attributes, 0L),
                        captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(kernel.account(), Call.SCHED_SETATTR, result, false);
    }
}
