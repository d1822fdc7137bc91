package dev.sluice.io.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// The error queue of a socket, where the kernel says which MSG_ZEROCOPY sends it is done with: recvmsg(2) with
/// MSG_ERRQUEUE.
///
/// Every send that took bytes has a number, counted from 0 for each socket (modulo 2³²), and a notification names a
/// range of them. Source: Documentation/networking/msg_zerocopy.rst, linux/errqueue.h. Results are values ≥ 0 or
/// −errno.
public final class ErrorQueue {
    private static final int MSG_ERRQUEUE = 0x2000;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int SO_EE_ORIGIN_ZEROCOPY = 5;
    private static final int SO_EE_CODE_ZEROCOPY_COPIED = 1;

    /// struct msghdr: 32 control, 40 its length; struct cmsghdr: 0 u64 length, 8 level, 12 type, 16 data, which is
    /// struct sock_extended_err: 0 u32 errno, 4 u8 origin, 5 u8 type, 6 u8 code, 8 u32 info, 12 u32 data; behind it
    /// a sockaddr.
    private static final long MSGHDR_BYTES = 56;

    private static final long CONTROL_BYTES = 128;

    private static final MethodHandle RECVMSG = Native.function(
            "recvmsg", FunctionDescriptor.of(Native.C_LONG, Native.C_INT, Native.C_POINTER, Native.C_INT));

    private final Kernel kernel;

    ErrorQueue(Kernel kernel) {
        this.kernel = kernel;
    }

    /// One message of the queue, filled by [#take]. Owned by one thread.
    public static final class Notification {
        private final MemorySegment header;
        private final MemorySegment control;

        public Notification(Arena arena) {
            header = arena.allocate(MSGHDR_BYTES, 8);
            control = arena.allocate(CONTROL_BYTES, 8);
            header.set(ValueLayout.ADDRESS, 32, control);
        }

        /// Whether it speaks of zero-copy sends; if not, it is an error that happened on the network: see
        /// [#errno].
        public boolean isZerocopy() {
            return control.get(ValueLayout.JAVA_BYTE, 16 + 4) == SO_EE_ORIGIN_ZEROCOPY;
        }

        /// The positive error number of a message that is not [#isZerocopy], 0 for none.
        public int errno() {
            return control.get(ValueLayout.JAVA_INT, 16);
        }

        /// The number of the first send that is done with.
        public int first() {
            return control.get(ValueLayout.JAVA_INT, 16 + 8);
        }

        /// The number of the last one, inclusive.
        public int last() {
            return control.get(ValueLayout.JAVA_INT, 16 + 12);
        }

        /// Whether the kernel copied the bytes after all (SO_EE_CODE_ZEROCOPY_COPIED), as it always does on
        /// loopback.
        public boolean copied() {
            return (control.get(ValueLayout.JAVA_BYTE, 16 + 6) & SO_EE_CODE_ZEROCOPY_COPIED) != 0;
        }
    }

    /// Takes the next message off the queue, without waiting whatever the socket's mode is.
    ///
    /// @return 1 when `into` was filled, −EAGAIN when the queue is empty, or another −errno
    public long take(Descriptor socket, Notification into) {
        long result = kernel.admit(Call.RECVMSG, socket);
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            into.header.set(ValueLayout.JAVA_LONG, 40, CONTROL_BYTES);
            into.control.fill((byte) 0);
            try {
                result = Native.orErrno(
                        (long) RECVMSG.invokeExact(captured, socket.number(), into.header, MSG_ERRQUEUE | MSG_DONTWAIT),
                        captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        result = kernel.record(socket.account(), Call.RECVMSG, result, false);
        return result < 0 ? result : 1;
    }
}
