package dev.sluice.io.linux;

import java.lang.foreign.FunctionDescriptor;
import java.lang.invoke.MethodHandle;

/// Namespaces of the kernel: unshare(2).
public final class Namespaces {
    private static final int CLONE_NEWNET = 0x40000000; // linux/sched.h

    private static final MethodHandle UNSHARE =
            Native.function("unshare", FunctionDescriptor.of(Native.C_INT, Native.C_INT));

    private final Kernel kernel;

    Namespaces(Kernel kernel) {
        this.kernel = kernel;
    }

    /// Gives the calling thread, and no other of the process, a network of its own: no interfaces but a loopback
    /// that is down, no routes. Sockets that the thread makes from now on are in it, and so are the threads and
    /// processes that it starts. There is no way back; the network goes with the last thread, process and socket in
    /// it.
    ///
    /// Use it on a platform thread made for the purpose: a virtual thread would change its carrier.
    ///
    /// @return 0; −EPERM without CAP_SYS_ADMIN; −EINVAL or −ENOSYS where the kernel has no network namespaces
    public long unshareNetwork() {
        long result = kernel.admit(Call.UNSHARE, "the network of this thread");
        if (result >= 0) {
            try {
                var captured = Native.capture();
                result = Native.orErrno((int) UNSHARE.invokeExact(captured, CLONE_NEWNET), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(kernel.account(), Call.UNSHARE, result, false);
    }
}
