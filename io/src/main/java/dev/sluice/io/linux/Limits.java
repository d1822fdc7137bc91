package dev.sluice.io.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// Resource limits of this process: prlimit(2).
public final class Limits {
    /// asm-generic/resource.h.
    public static final int RLIMIT_NOFILE = 7;
    /// Bytes that may be pinned; what io_uring registers counts.
    public static final int RLIMIT_MEMLOCK = 8;

    private static final MethodHandle PRLIMIT = Native.function(
            "prlimit",
            FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_INT, Native.C_POINTER, Native.C_POINTER));

    private final Kernel kernel;

    Limits(Kernel kernel) {
        this.kernel = kernel;
    }

    /// The limit in force (the soft one).
    ///
    /// @return the limit in its own unit, Long.MAX_VALUE for none, or −errno
    public long current(int resource) {
        long result = kernel.admit(Call.PRLIMIT, "limits of this process");
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment softAndHard = arena.allocate(16, 8);
                result = Native.orErrno(
                        (int) PRLIMIT.invokeExact(captured, 0, resource, MemorySegment.NULL, softAndHard), captured);
                if (result >= 0) {
                    // RLIM_INFINITY is ~0; what does not fit into a long is no limit either.
                    long soft = softAndHard.get(ValueLayout.JAVA_LONG, 0);
                    result = soft < 0 ? Long.MAX_VALUE : soft;
                }
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.account().record(Call.PRLIMIT, result, false);
    }
}
