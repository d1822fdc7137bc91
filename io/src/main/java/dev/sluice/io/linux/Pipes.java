package dev.sluice.io.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// Pipes: pipe2(2). Results are values ≥ 0 or −errno.
public final class Pipes {
    private static final int O_CLOEXEC = 0x80000;

    private static final MethodHandle PIPE2 =
            Native.function("pipe2", FunctionDescriptor.of(Native.C_INT, Native.C_POINTER, Native.C_INT));

    private final Kernel kernel;

    Pipes(Kernel kernel) {
        this.kernel = kernel;
    }

    /// The two ends of a pipe; the caller closes both.
    public record Ends(Descriptor readEnd, Descriptor writeEnd) {}

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
}
