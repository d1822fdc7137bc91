package dev.sluice.io.linux;

import java.lang.foreign.FunctionDescriptor;
import java.lang.invoke.MethodHandle;

/// Descriptors that stand for a process: pidfd_open(2), Linux 5.3. Such a descriptor becomes readable, for [Polls] and
/// [Epolls], when the process has ended (and hung up once its parent knows), and never comes to mean another process as
/// a number does. Thread-safe.
public final class Pidfds {
    /// The same number on all architectures: asm-generic/unistd.h.
    private static final long PIDFD_OPEN = 434;

    private static final MethodHandle PIDFD_OPEN_CALL = Native.variadic(
            "syscall", FunctionDescriptor.of(Native.C_LONG, Native.C_LONG, Native.C_LONG, Native.C_LONG), 1);

    private final Kernel kernel;

    Pidfds(Kernel kernel) {
        this.kernel = kernel;
    }

    /// A descriptor of the process that has this number now, close-on-exec. For the peer of a UNIX socket
    /// [UnixSockets#peerPidfd] is surer: by the time its number was looked up, another process may have it.
    ///
    /// @return ESRCH when there is no such process
    public Opened open(long pid, Account owner) {
        String name = "process " + pid;
        long result = kernel.admit(Call.PIDFD_OPEN, name);
        if (result >= 0) {
            var captured = Native.capture();
            try {
                result = Native.orErrno((long) PIDFD_OPEN_CALL.invokeExact(captured, PIDFD_OPEN, pid, 0L), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.opened(Call.PIDFD_OPEN, result, name, owner);
    }
}
