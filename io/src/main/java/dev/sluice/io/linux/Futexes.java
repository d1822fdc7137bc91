package dev.sluice.io.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// Sleeping until a 32-bit word of shared memory changes: futex(2), without FUTEX_PRIVATE_FLAG, so that sleeper and
/// waker may be two processes that map the same file at different addresses. Results are values ≥ 0 or −errno.
/// Thread-safe.
///
/// Both sides need no more than a read-only map. The kernel wakes whoever sleeps on the word, for whoever asks: a
/// woken thread looks at the word again, and one that waits for a peer it doesn't trust, or that may die, waits with a
/// time-out. A waiting thread is in a native call: it holds up no safepoint, but a virtual thread pins its carrier.
public final class Futexes {
    // Operations, linux/futex.h.
    private static final int FUTEX_WAIT = 0;
    private static final int FUTEX_WAKE = 1;

    private static final long FUTEX = Abi.CURRENT.futexNumber();
    private static final String SUBJECT = "word in shared memory";
    private static final long NS_PER_S = 1_000_000_000;

    private static final MethodHandle FUTEX_CALL = Native.variadic(
            "syscall",
            FunctionDescriptor.of(
                    Native.C_LONG, Native.C_LONG, Native.C_POINTER, Native.C_LONG, Native.C_LONG, Native.C_POINTER),
            1);

    private final Kernel kernel;

    Futexes(Kernel kernel) {
        this.kernel = kernel;
    }

    /// Sleeps for as long as the word has the expected value, until [#wake] or the time-out.
    ///
    /// @param word      4 bytes of a shared map at a multiple of 4
    /// @param timeoutNs at least 1
    /// @return 0 when woken, also for no reason; −EAGAIN when the word has another value by now; −ETIMEDOUT;
    ///     −EINTR; or another −errno
    public long await(MemorySegment word, int expected, long timeoutNs) {
        assert timeoutNs >= 1 : timeoutNs;
        long result = kernel.admit(Call.FUTEX, SUBJECT);
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try (Arena arena = Arena.ofConfined()) {
                // struct timespec of two longs, relative, on the monotonic clock.
                MemorySegment timespec = arena.allocate(16, 8);
                timespec.set(ValueLayout.JAVA_LONG, 0, timeoutNs / NS_PER_S);
                timespec.set(ValueLayout.JAVA_LONG, 8, timeoutNs % NS_PER_S);
                result = call(captured, word, FUTEX_WAIT, expected, timespec);
            }
        }
        return kernel.record(kernel.account(), Call.FUTEX, result, false);
    }

    /// Wakes threads that sleep on the word. Store the word's new value before, with release at least.
    ///
    /// @return how many were woken, or −errno
    public long wake(MemorySegment word, int atMost) {
        long result = kernel.admit(Call.FUTEX, SUBJECT);
        if (result >= 0) {
            result = call(Native.capture(), word, FUTEX_WAKE, atMost, MemorySegment.NULL);
        }
        return kernel.record(kernel.account(), Call.FUTEX, result, false);
    }

    private static long call(
            MemorySegment captured, MemorySegment word, int operation, int value, MemorySegment timeout) {
        if (word.byteSize() != 4 || word.address() % 4 != 0) {
            throw new IllegalArgumentException("A futex is 4 bytes at a multiple of 4, not " + word);
        }
        try {
            return Native.orErrno(
                    (long) FUTEX_CALL.invokeExact(captured, FUTEX, word, (long) operation, (long) value, timeout),
                    captured);
        } catch (Throwable t) {
            throw Native.unexpected(t);
        }
    }
}
