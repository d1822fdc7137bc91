package dev.sluice.io.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// What UNIX sockets alone can do, unix(7): keep the borders of messages, pass descriptors, tell who the peer is.
/// Bytes, addresses, bind, listen, accept and connect are those of [Sockets]. Results are values ≥ 0 or −errno.
/// Thread-safe, though a socket has one reader and one writer at a time.
///
/// Who can't write to a socket's path can't connect. Nobody can before the socket listens: between bind and listen
/// [Files#changeMode(java.nio.file.Path, int)] gives the path its mode, whatever the umask. Sockets without a path
/// (abstract ones) have no mode and are left out.
public final class UnixSockets {
    /// The most descriptors that a message carries, SCM_MAX_FD of net/scm.h.
    public static final int MAX_DESCRIPTORS = 253;

    /// Option whose value is the type of a socket, asm-generic/socket.h.
    public static final int SO_TYPE = 3;

    /// linux/net.h; the same on x86-64 and aarch64.
    public static final int SOCK_SEQPACKET = 5;

    // Types and flags, linux/net.h, linux/socket.h; options, asm-generic/socket.h.
    private static final int MSG_CTRUNC = 0x8;
    private static final int MSG_TRUNC = 0x20;
    private static final int MSG_CMSG_CLOEXEC = 0x40000000;
    private static final int SCM_RIGHTS = 1;
    private static final int SO_PEERCRED = 17;
    private static final int SO_PEERGROUPS = 59;
    private static final int SO_PEERPIDFD = 77;

    /// As many groups as a process may have, NGROUPS_MAX of linux/limits.h.
    private static final int MAX_GROUPS = 65_536;

    /// struct msghdr: 16 iov, 24 iov count, 32 control, 40 its length, 48 i32 flags. struct cmsghdr: 0 u64 length,
    /// 8 level, 12 type, 16 data, and the next one at the next multiple of 8.
    private static final long MSGHDR_BYTES = 56;

    private static final long IOVEC_BYTES = 16;
    private static final long CMSGHDR_BYTES = 16;

    private static final MethodHandle SENDMSG = Native.function(
            "sendmsg", FunctionDescriptor.of(Native.C_LONG, Native.C_INT, Native.C_POINTER, Native.C_INT));
    private static final MethodHandle RECVMSG = Native.function(
            "recvmsg", FunctionDescriptor.of(Native.C_LONG, Native.C_INT, Native.C_POINTER, Native.C_INT));

    private final Kernel kernel;

    UnixSockets(Kernel kernel) {
        this.kernel = kernel;
    }

    /// What came with one message.
    ///
    /// @param result      bytes received; 0 when the peer has closed its side; or −errno
    /// @param descriptors what was passed, close-on-exec; the caller closes them
    /// @param isTruncated whether the peer sent more bytes or descriptors than there was room for; those are gone
    public record Received(long result, List<Descriptor> descriptors, boolean isTruncated) {
        /// Closes the descriptors: for who refuses the message.
        public void closeDescriptors() {
            descriptors.forEach(Descriptor::close);
        }
    }

    /// A new socket whose messages arrive whole or not at all, in order (SOCK_SEQPACKET), close-on-exec.
    /// [Sockets#stream] makes one for bytes.
    public Opened seqpacket(boolean blocking, Account owner) {
        return kernel.sockets().create(SocketAddresses.AF_UNIX, SOCK_SEQPACKET, blocking, "UNIX socket", owner);
    }

    /// A connected pair of them.
    public Descriptor[] seqpacketPair(boolean blocking, Account owner) throws ErrnoException {
        return kernel.sockets().pair(SOCK_SEQPACKET, blocking, owner);
    }

    /// sendmsg(2) of bytes with descriptors (SCM_RIGHTS); MSG_NOSIGNAL is added. The peer gets descriptors of its
    /// own on the same open files; ours stay ours.
    ///
    /// @param source at least 1 byte of native memory, borrowed: descriptors don't travel alone
    /// @param passed at most [#MAX_DESCRIPTORS]
    /// @return bytes taken, and with the first byte all descriptors; or −errno
    public long send(Descriptor socket, MemorySegment source, List<Descriptor> passed, int flags) {
        if (source.byteSize() == 0 || passed.size() > MAX_DESCRIPTORS) {
            throw new IllegalArgumentException(
                    source.byteSize() + " bytes can't carry " + passed.size() + " descriptors");
        }
        long length = kernel.admit(Call.SENDMSG, socket, -1, source.byteSize());
        if (length >= 0) {
            MemorySegment captured = Native.capture();
            try (Arena arena = Arena.ofConfined()) {
                long dataBytes = (long) passed.size() * Integer.BYTES;
                MemorySegment control = arena.allocate(padded(CMSGHDR_BYTES + dataBytes), 8);
                control.set(ValueLayout.JAVA_LONG, 0, CMSGHDR_BYTES + dataBytes);
                control.set(ValueLayout.JAVA_INT, 8, Sockets.SOL_SOCKET);
                control.set(ValueLayout.JAVA_INT, 12, SCM_RIGHTS);
                for (int i = 0; i < passed.size(); i++) {
                    control.set(
                            ValueLayout.JAVA_INT,
                            CMSGHDR_BYTES + (long) i * Integer.BYTES,
                            passed.get(i).number());
                }
                MemorySegment header =
                        header(source, length, control, passed.isEmpty() ? 0 : control.byteSize(), arena);
                length = Native.orErrno(
                        (long) SENDMSG.invokeExact(captured, socket.number(), header, flags | Sockets.MSG_NOSIGNAL),
                        captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(socket.account(), Call.SENDMSG, length, true);
    }

    /// recvmsg(2) of bytes and of the descriptors that came with them, which are close-on-exec before anybody can
    /// see them. What they are open on is the sender's choice: look before use.
    ///
    /// @param target          native memory, borrowed
    /// @param mostDescriptors how many to take; if more come, those are closed and [Received#isTruncated] is true
    /// @param owner           the account of the descriptors
    public Received receive(Descriptor socket, MemorySegment target, int mostDescriptors, int flags, Account owner) {
        long length = kernel.admit(Call.RECVMSG, socket, -1, target.byteSize());
        List<Descriptor> descriptors = new ArrayList<>();
        boolean isTruncated = false;
        if (length >= 0) {
            MemorySegment captured = Native.capture();
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment control =
                        arena.allocate(padded(CMSGHDR_BYTES + (long) mostDescriptors * Integer.BYTES), 8);
                MemorySegment header = header(target, length, control, control.byteSize(), arena);
                length = Native.orErrno(
                        (long) RECVMSG.invokeExact(captured, socket.number(), header, flags | MSG_CMSG_CLOEXEC),
                        captured);
                if (length >= 0) {
                    take(header, control, socket.name(), owner, descriptors);
                    isTruncated = (header.get(ValueLayout.JAVA_INT, 48) & (MSG_CTRUNC | MSG_TRUNC)) != 0;
                }
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        // The padding of the control message has room for one more.
        while (descriptors.size() > mostDescriptors) {
            descriptors.removeLast().close();
            isTruncated = true;
        }
        kernel.record(socket.account(), Call.RECVMSG, length, true);
        return new Received(length, List.copyOf(descriptors), isTruncated);
    }

    /// Takes over every descriptor that the kernel has put into the control messages.
    private void take(MemorySegment header, MemorySegment control, String peer, Account owner, List<Descriptor> into) {
        long end = header.get(ValueLayout.JAVA_LONG, 40);
        for (long at = 0; at + CMSGHDR_BYTES <= end; ) {
            long length = control.get(ValueLayout.JAVA_LONG, at);
            if (control.get(ValueLayout.JAVA_INT, at + 8) == Sockets.SOL_SOCKET
                    && control.get(ValueLayout.JAVA_INT, at + 12) == SCM_RIGHTS) {
                long dataEnd = Math.min(at + length, end);
                for (long data = at + CMSGHDR_BYTES; data + Integer.BYTES <= dataEnd; data += Integer.BYTES) {
                    String name = "descriptor " + into.size() + " passed by " + (peer.isEmpty() ? "the peer" : peer);
                    into.add(kernel.adopt(control.get(ValueLayout.JAVA_INT, data), name, owner));
                }
            }
            at += padded(Math.max(length, CMSGHDR_BYTES));
        }
    }

    private static MemorySegment header(
            MemorySegment bytes, long lengthBytes, MemorySegment control, long controlBytes, Arena arena) {
        MemorySegment vector = arena.allocate(IOVEC_BYTES, 8);
        vector.set(ValueLayout.ADDRESS, 0, bytes);
        vector.set(ValueLayout.JAVA_LONG, 8, lengthBytes);
        MemorySegment header = arena.allocate(MSGHDR_BYTES, 8);
        header.set(ValueLayout.ADDRESS, 16, vector);
        header.set(ValueLayout.JAVA_LONG, 24, 1);
        header.set(ValueLayout.ADDRESS, 32, controlBytes == 0 ? MemorySegment.NULL : control);
        header.set(ValueLayout.JAVA_LONG, 40, controlBytes);
        return header;
    }

    private static long padded(long lengthBytes) {
        return (lengthBytes + 7) & -8L;
    }

    /// Who is at the other end. Of a listener's accepted connection: who connected.
    public PeerCredentials peerCredentials(Descriptor socket) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment ucred = arena.allocate(PeerCredentials.BYTES, 4);
            ErrnoException.check(option(socket, SO_PEERCRED, ucred), Call.GETSOCKOPT, socket.name());
            return new PeerCredentials(
                    ucred.get(ValueLayout.JAVA_INT, 0),
                    ucred.get(ValueLayout.JAVA_INT, 4),
                    ucred.get(ValueLayout.JAVA_INT, 8));
        }
    }

    /// The supplementary groups of who is at the other end, as they were when it connected (SO_PEERGROUPS, Linux
    /// 4.13).
    public Set<Integer> peerGroups(Descriptor socket) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment groups = arena.allocate((long) MAX_GROUPS * Integer.BYTES, 4);
            MemorySegment length = arena.allocateFrom(Native.C_INT, (int) groups.byteSize());
            long result = kernel.sockets().getOption(socket, Sockets.SOL_SOCKET, SO_PEERGROUPS, groups, length);
            ErrnoException.check(result, Call.GETSOCKOPT, socket.name());
            Set<Integer> numbers = new HashSet<>();
            for (int i = 0; i < length.get(Native.C_INT, 0) / Integer.BYTES; i++) {
                numbers.add(groups.getAtIndex(ValueLayout.JAVA_INT, i));
            }
            return numbers;
        }
    }

    /// A descriptor of the peer's process as it was when it connected: see [Pidfds].
    ///
    /// @return ENOPROTOOPT before Linux 6.5; ESRCH or EINVAL when the process was reaped already
    public Opened peerPidfd(Descriptor socket, Account owner) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment number = arena.allocate(Native.C_INT);
            long result = option(socket, SO_PEERPIDFD, number);
            String name = "process behind " + socket.name();
            return result < 0
                    ? new Opened.Failed(Call.GETSOCKOPT, (int) -result, name)
                    : new Opened.Ok(kernel.adopt(number.get(Native.C_INT, 0), name, owner));
        }
    }

    private long option(Descriptor socket, int option, MemorySegment into) {
        return kernel.sockets().getOption(socket, Sockets.SOL_SOCKET, option, into);
    }
}
