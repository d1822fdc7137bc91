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

    private static final long CONTROL_BYTES = 256;
    private static final long CMSGHDR_BYTES = 16;
    private static final long ERROR_BYTES = 16;

    // Levels and types of linux/in.h and linux/in6.h.
    private static final int SOL_IP = 0;
    private static final int IP_RECVERR = 11;
    private static final int SOL_IPV6 = 41;
    private static final int IPV6_RECVERR = 25;

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
        private final MemorySegment nothing;
        private MemorySegment error;

        /// @param arena what its memory, less than 200 bytes, is taken from and freed with
        public Notification(Arena arena) {
            header = arena.allocate(MSGHDR_BYTES, 8);
            control = arena.allocate(CONTROL_BYTES, 8);
            nothing = arena.allocate(ERROR_BYTES, 8);
            error = nothing;
            header.set(ValueLayout.ADDRESS, 32, control);
        }

        /// Whether it speaks of zero-copy sends; if not, it is an error that happened on the network: see
        /// [#errno].
        public boolean isZerocopy() {
            return error.get(ValueLayout.JAVA_BYTE, 4) == SO_EE_ORIGIN_ZEROCOPY;
        }

        /// The positive error number of a message that is not [#isZerocopy], 0 for none.
        public int errno() {
            return error.get(ValueLayout.JAVA_INT, 0);
        }

        /// The number of the first send that is done with.
        public int first() {
            return error.get(ValueLayout.JAVA_INT, 8);
        }

        /// The number of the last one, inclusive.
        public int last() {
            return error.get(ValueLayout.JAVA_INT, 12);
        }

        /// Whether the kernel copied the bytes after all (SO_EE_CODE_ZEROCOPY_COPIED), as it always does on
        /// loopback.
        public boolean copied() {
            return (error.get(ValueLayout.JAVA_BYTE, 6) & SO_EE_CODE_ZEROCOPY_COPIED) != 0;
        }

        /// Finds the sock_extended_err; timestamps and others may stand before it.
        private void parse() {
            long end = header.get(ValueLayout.JAVA_LONG, 40);
            for (long at = 0; at + CMSGHDR_BYTES + ERROR_BYTES <= end; ) {
                long length = control.get(ValueLayout.JAVA_LONG, at);
                int level = control.get(ValueLayout.JAVA_INT, at + 8);
                int type = control.get(ValueLayout.JAVA_INT, at + 12);
                if ((level == SOL_IP && type == IP_RECVERR) || (level == SOL_IPV6 && type == IPV6_RECVERR)) {
                    error = control.asSlice(at + CMSGHDR_BYTES, ERROR_BYTES);
                    return;
                }
                at += (Math.max(length, CMSGHDR_BYTES) + 7) & -8L; // CMSG_NXTHDR
            }
            error = nothing;
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
            try {
                result = Native.orErrno(
                        (long) RECVMSG.invokeExact(captured, socket.number(), into.header, MSG_ERRQUEUE | MSG_DONTWAIT),
                        captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        kernel.record(socket.account(), Call.RECVMSG, result, false);
        if (result < 0) {
            return result;
        }
        into.parse();
        return 1;
    }
}
