package dev.sluice.io.linux;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// The three calls of io_uring(7): io_uring_setup(2), io_uring_enter(2), io_uring_register(2). Results are values ≥ 0
/// or −errno. What lies between the calls, the rings in shared memory, is [Ring]'s.
///
/// libc has no functions for them, so they go through syscall(2); the numbers are the same on x86-64 and aarch64
/// (asm-generic/unistd.h).
public final class IoUrings {
    private static final long SETUP_NUMBER = 425;
    private static final long ENTER_NUMBER = 426;
    private static final long REGISTER_NUMBER = 427;

    // long syscall(long number, ...)
    private static final MethodHandle SETUP = Native.variadic(
            "syscall", FunctionDescriptor.of(Native.C_LONG, Native.C_LONG, Native.C_INT, Native.C_POINTER), 1);
    private static final MethodHandle ENTER = Native.variadic(
            "syscall",
            FunctionDescriptor.of(
                    Native.C_LONG,
                    Native.C_LONG,
                    Native.C_INT,
                    Native.C_INT,
                    Native.C_INT,
                    Native.C_INT,
                    Native.C_POINTER,
                    Native.C_SIZE),
            1);
    private static final MethodHandle REGISTER = Native.variadic(
            "syscall",
            FunctionDescriptor.of(
                    Native.C_LONG, Native.C_LONG, Native.C_INT, Native.C_INT, Native.C_POINTER, Native.C_INT),
            1);

    private final Kernel kernel;

    IoUrings(Kernel kernel) {
        this.kernel = kernel;
    }

    /// Makes a ring and maps its memory.
    ///
    /// @param entries how many operations may be staged at once; rounded up to a power of two. Twice as many
    ///     completions fit, so a user with at most that many operations in flight never overflows them
    /// @param traits  what the ring is wanted to be
    /// @throws ErrnoException ENOSYS where the kernel was built without io_uring, EPERM where a sandbox or
    ///     kernel.io_uring_disabled forbids it, EINVAL or EOPNOTSUPP where the kernel is older than Linux 5.11
    public Ring open(int entries, Ring.Traits traits, Account owner) throws ErrnoException {
        return Ring.open(kernel, this, entries, traits, owner);
    }

    Opened setup(int entries, MemorySegment parameters, Account owner) {
        long result = kernel.admit(Call.IO_URING_SETUP, "io_uring", -1, entries);
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try {
                result =
                        Native.orErrno((long) SETUP.invokeExact(captured, SETUP_NUMBER, entries, parameters), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.opened(Call.IO_URING_SETUP, result, "io_uring", owner);
    }

    /// Submits `toSubmit` entries (a gate may let fewer through, like a kernel short of memory) and waits for
    /// completions.
    ///
    /// @return entries consumed, or −errno
    long enter(Descriptor ring, int toSubmit, int minComplete, int flags, MemorySegment argument, long argumentBytes) {
        long result = kernel.admit(Call.IO_URING_ENTER, ring, -1, toSubmit);
        if (result >= 0) {
            int admitted = (int) Math.min(result, toSubmit);
            // A kernel that consumed fewer entries than asked doesn't wait; so neither does one whose gate did.
            int wanted = admitted < toSubmit ? 0 : minComplete;
            MemorySegment captured = Native.capture();
            try {
                result = Native.orErrno(
                        (long) ENTER.invokeExact(
                                captured,
                                ENTER_NUMBER,
                                ring.number(),
                                admitted,
                                wanted,
                                flags,
                                argument,
                                argumentBytes),
                        captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return ring.account().record(Call.IO_URING_ENTER, result, false);
    }

    long register(Descriptor ring, int operation, MemorySegment argument, int count) {
        long result = kernel.admit(Call.IO_URING_REGISTER, ring, operation, count);
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try {
                result = Native.orErrno(
                        (long) REGISTER.invokeExact(
                                captured, REGISTER_NUMBER, ring.number(), operation, argument, count),
                        captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return ring.account().record(Call.IO_URING_REGISTER, result, false);
    }
}
