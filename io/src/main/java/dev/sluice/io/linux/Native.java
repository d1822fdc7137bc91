package dev.sluice.io.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Objects;

/// How the classes of this package reach libc: method handles that capture errno, and its translation into −errno.
///
/// A downcall costs about 12 ns with errno captured, beside 200–400 ns for the system call, so nothing here is
/// `critical`: a critical call would also hold up safepoints while it blocks.
final class Native {
    static final ValueLayout.OfInt C_INT = ValueLayout.JAVA_INT;
    static final ValueLayout.OfLong C_LONG = ValueLayout.JAVA_LONG;
    static final ValueLayout.OfLong C_SIZE = ValueLayout.JAVA_LONG;
    static final MemoryLayout C_POINTER = ValueLayout.ADDRESS;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final SymbolLookup LIBC = LINKER.defaultLookup();
    private static final StructLayout CAPTURED = Linker.Option.captureStateLayout();
    private static final long ERRNO_AT = CAPTURED.byteOffset(MemoryLayout.PathElement.groupElement("errno"));

    /// One segment a thread to catch errno in. A virtual thread has its own, so that being moved to another
    /// carrier between the call and the look at errno does no harm.
    private static final ThreadLocal<MemorySegment> CAPTURE =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(CAPTURED));

    private Native() {}

    /// A handle on a libc function whose errno is captured: its first parameter is [#capture].
    static MethodHandle function(String name, FunctionDescriptor signature) {
        return LINKER.downcallHandle(LIBC.findOrThrow(name), signature, Linker.Option.captureCallState("errno"));
    }

    /// The same for a variadic function, whose arguments from `firstVariadic` on are passed as the ABI wants it.
    static MethodHandle variadic(String name, FunctionDescriptor signature, int firstVariadic) {
        return LINKER.downcallHandle(
                LIBC.findOrThrow(name),
                signature,
                Linker.Option.captureCallState("errno"),
                Linker.Option.firstVariadicArg(firstVariadic));
    }

    static MemorySegment capture() {
        return CAPTURE.get();
    }

    /// Where a part of native memory lies, for a struct that holds its address. Whoever passes the struct on keeps
    /// the memory.
    static long address(MemorySegment memory, long from, long lengthBytes) {
        Objects.checkFromIndexSize(from, lengthBytes, memory.byteSize());
        if (!memory.isNative()) {
            throw new IllegalArgumentException("on the heap, where the kernel can't be pointed to: " + memory);
        }
        return memory.address() + from;
    }

    /// `result` itself, or −errno when it says that the call failed.
    static long orErrno(long result, MemorySegment captured) {
        return result >= 0 ? result : -captured.get(C_INT, ERRNO_AT);
    }

    /// What a downcall throws is a mistake of ours (a wrong type, a closed arena), never the kernel's answer.
    static RuntimeException unexpected(Throwable thrown) {
        if (thrown instanceof RuntimeException e) {
            return e;
        }
        if (thrown instanceof Error e) {
            throw e;
        }
        return new IllegalStateException("A native call threw", thrown);
    }
}
