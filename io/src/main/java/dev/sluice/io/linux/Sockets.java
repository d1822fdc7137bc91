package dev.sluice.io.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.net.InetSocketAddress;
import java.net.SocketAddress;

/// Stream sockets, internet and UNIX: socket(2), recv(2), send(2), sendmsg(2), sendfile(2) and their kin.
///
/// Results are values ≥ 0 or −errno; −EAGAIN is the everyday answer of a non-blocking socket. Memory is borrowed for
/// the call. Thread-safe, though a socket has one reader and one writer at a time.
public final class Sockets {
    // Flags of send and recv, linux/socket.h.
    public static final int MSG_PEEK = 0x2;
    public static final int MSG_TRUNC = 0x20;
    public static final int MSG_DONTWAIT = 0x40;
    public static final int MSG_WAITALL = 0x100;
    public static final int MSG_NOSIGNAL = 0x4000;
    /// More follows at once: the kernel may hold back a segment that is not full.
    public static final int MSG_MORE = 0x8000;
    /// Send from the caller's pages; they must not change until [ErrorQueue] says so (SO_ZEROCOPY first).
    public static final int MSG_ZEROCOPY = 0x4000000;

    // Levels and options, asm-generic/socket.h, linux/tcp.h, linux/in6.h.
    public static final int SOL_SOCKET = 1;
    public static final int SO_REUSEADDR = 2;
    public static final int SO_ERROR = 4;
    public static final int SO_SNDBUF = 7;
    public static final int SO_RCVBUF = 8;
    public static final int SO_KEEPALIVE = 9;
    public static final int SO_LINGER = 13;
    public static final int SO_RCVLOWAT = 18;
    public static final int SO_DOMAIN = 39;
    public static final int SO_ZEROCOPY = 60;
    public static final int IPPROTO_TCP = 6;
    public static final int TCP_NODELAY = 1;
    public static final int TCP_MAXSEG = 2;
    public static final int IPPROTO_IPV6 = 41;
    public static final int IPV6_V6ONLY = 26;

    // Answers of SO_DOMAIN, linux/socket.h.
    public static final int AF_UNIX = SocketAddresses.AF_UNIX;
    public static final int AF_INET = SocketAddresses.AF_INET;
    public static final int AF_INET6 = SocketAddresses.AF_INET6;

    // How of shutdown(2).
    public static final int SHUT_RD = 0;
    public static final int SHUT_WR = 1;
    public static final int SHUT_RDWR = 2;

    private static final int SO_RCVTIMEO = 20;
    private static final int SO_SNDTIMEO = 21;
    private static final int SOCK_STREAM = 1;
    private static final int SOCK_NONBLOCK = 0x800;
    private static final int SOCK_CLOEXEC = 0x80000;

    private static final MethodHandle SOCKET =
            Native.function("socket", FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_INT, Native.C_INT));
    private static final MethodHandle SOCKETPAIR = Native.function(
            "socketpair",
            FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_INT, Native.C_INT, Native.C_POINTER));
    private static final MethodHandle BIND =
            Native.function("bind", FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_POINTER, Native.C_INT));
    private static final MethodHandle LISTEN =
            Native.function("listen", FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_INT));
    private static final MethodHandle CONNECT = Native.function(
            "connect", FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_POINTER, Native.C_INT));
    private static final MethodHandle ACCEPT4 = Native.function(
            "accept4",
            FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_POINTER, Native.C_POINTER, Native.C_INT));
    private static final MethodHandle GETSOCKNAME = Native.function(
            "getsockname", FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_POINTER, Native.C_POINTER));
    private static final MethodHandle GETPEERNAME = Native.function(
            "getpeername", FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_POINTER, Native.C_POINTER));
    private static final MethodHandle SETSOCKOPT = Native.function(
            "setsockopt",
            FunctionDescriptor.of(
                    Native.C_INT, Native.C_INT, Native.C_INT, Native.C_INT, Native.C_POINTER, Native.C_INT));
    static final MethodHandle GETSOCKOPT = Native.function(
            "getsockopt",
            FunctionDescriptor.of(
                    Native.C_INT, Native.C_INT, Native.C_INT, Native.C_INT, Native.C_POINTER, Native.C_POINTER));
    private static final MethodHandle RECV = Native.function(
            "recv", FunctionDescriptor.of(Native.C_LONG, Native.C_INT, Native.C_POINTER, Native.C_SIZE, Native.C_INT));
    private static final MethodHandle SEND = Native.function(
            "send", FunctionDescriptor.of(Native.C_LONG, Native.C_INT, Native.C_POINTER, Native.C_SIZE, Native.C_INT));
    private static final MethodHandle SENDMSG = Native.function(
            "sendmsg", FunctionDescriptor.of(Native.C_LONG, Native.C_INT, Native.C_POINTER, Native.C_INT));
    private static final MethodHandle SENDFILE = Native.function(
            "sendfile",
            FunctionDescriptor.of(Native.C_LONG, Native.C_INT, Native.C_INT, Native.C_POINTER, Native.C_SIZE));
    private static final MethodHandle SHUTDOWN =
            Native.function("shutdown", FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_INT));

    private final Kernel kernel;

    Sockets(Kernel kernel) {
        this.kernel = kernel;
    }

    /// A new stream socket of the family that `like` has, close-on-exec.
    public Opened stream(SocketAddress like, boolean blocking, Account owner) {
        return create(SocketAddresses.family(like), SOCK_STREAM, blocking, "socket for " + like, owner);
    }

    Opened create(int family, int type, boolean blocking, String name, Account owner) {
        long result = kernel.admit(Call.SOCKET, name);
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            int flags = SOCK_CLOEXEC | (blocking ? 0 : SOCK_NONBLOCK);
            try {
                result = Native.orErrno((int) SOCKET.invokeExact(captured, family, type | flags, 0), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.opened(Call.SOCKET, result, name, owner);
    }

    /// A connected pair of UNIX stream sockets.
    public Descriptor[] pair(boolean blocking, Account owner) throws ErrnoException {
        return pair(SOCK_STREAM, blocking, owner);
    }

    Descriptor[] pair(int type, boolean blocking, Account owner) throws ErrnoException {
        long result = kernel.admit(Call.SOCKETPAIR, "socket pair");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment numbers = arena.allocate(Native.C_INT, 2);
            if (result >= 0) {
                MemorySegment captured = Native.capture();
                int flags = SOCK_CLOEXEC | (blocking ? 0 : SOCK_NONBLOCK);
                result = Native.orErrno(
                        (int) SOCKETPAIR.invokeExact(captured, SocketAddresses.AF_UNIX, type | flags, 0, numbers),
                        captured);
            }
            ErrnoException.check(kernel.record(owner, Call.SOCKETPAIR, result, false), Call.SOCKETPAIR, "socket pair");
            return new Descriptor[] {
                new Descriptor(kernel, numbers.getAtIndex(Native.C_INT, 0), "socket pair, first", owner),
                new Descriptor(kernel, numbers.getAtIndex(Native.C_INT, 1), "socket pair, second", owner)
            };
        } catch (ErrnoException e) {
            throw e;
        } catch (Throwable t) {
            throw Native.unexpected(t);
        }
    }

    /// bind(2): 0, or −errno: −EADDRINUSE when somebody has the address, −EACCES for a port below 1024 without the
    /// right to it.
    public long bind(Descriptor socket, SocketAddress address) {
        return withAddress(Call.BIND, BIND, socket, address);
    }

    /// connect(2): 0, −EINPROGRESS on a non-blocking socket, or another −errno.
    public long connect(Descriptor socket, SocketAddress address) {
        return withAddress(Call.CONNECT, CONNECT, socket, address);
    }

    private long withAddress(Call call, MethodHandle handle, Descriptor socket, SocketAddress address) {
        long result = kernel.admit(call, socket);
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment sockaddr = SocketAddresses.encode(address, arena);
                result = Native.orErrno(
                        (int) handle.invokeExact(captured, socket.number(), sockaddr, (int) sockaddr.byteSize()),
                        captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(socket.account(), call, result, false);
    }

    /// listen(2): 0, or −errno.
    ///
    /// @param backlog how many connections may wait for accept(2); the kernel caps it at net.core.somaxconn
    public long listen(Descriptor socket, int backlog) {
        long result = kernel.admit(Call.LISTEN, socket);
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try {
                result = Native.orErrno((int) LISTEN.invokeExact(captured, socket.number(), backlog), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(socket.account(), Call.LISTEN, result, false);
    }

    /// accept4(2). The new socket is named by its peer and counted in a child of `owner` with that name.
    ///
    /// @return the connection; EAGAIN when none waits; EMFILE when descriptors ran out
    public Opened accept(Descriptor listener, boolean blocking, Account owner) {
        long result = kernel.admit(Call.ACCEPT, listener);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment sockaddr = arena.allocate(SocketAddresses.STORAGE_BYTES, 8);
            MemorySegment length = arena.allocate(Native.C_INT);
            length.set(Native.C_INT, 0, (int) SocketAddresses.STORAGE_BYTES);
            if (result >= 0) {
                MemorySegment captured = Native.capture();
                int flags = SOCK_CLOEXEC | (blocking ? 0 : SOCK_NONBLOCK);
                result = Native.orErrno(
                        (int) ACCEPT4.invokeExact(captured, listener.number(), sockaddr, length, flags), captured);
            }
            kernel.record(listener.account(), Call.ACCEPT, result, false);
            if (result < 0) {
                return new Opened.Failed(Call.ACCEPT, (int) -result, listener.name());
            }
            try {
                String peer = show(SocketAddresses.decode(sockaddr, length.get(Native.C_INT, 0)));
                return new Opened.Ok(new Descriptor(kernel, (int) result, peer, owner.child(peer)));
            } catch (RuntimeException | Error e) {
                kernel.close((int) result, "accepted by " + listener.name(), owner);
                throw e;
            }
        } catch (Throwable t) {
            throw Native.unexpected(t);
        }
    }

    /// `127.0.0.1:9092`, `[::1]:9092`, or a UNIX path.
    public static String show(SocketAddress address) {
        if (address instanceof InetSocketAddress inet) {
            String host = inet.getAddress() == null
                    ? inet.getHostString()
                    : inet.getAddress().getHostAddress();
            return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + inet.getPort();
        }
        return address.toString();
    }

    /// The address that the socket is bound to, with the port the kernel chose where 0 was asked for.
    public SocketAddress localAddress(Descriptor socket) throws ErrnoException {
        return addressOf(Call.GETSOCKNAME, GETSOCKNAME, socket);
    }

    /// The address at the other end.
    ///
    /// @throws ErrnoException ENOTCONN when there is none, or no more
    public SocketAddress peerAddress(Descriptor socket) throws ErrnoException {
        return addressOf(Call.GETPEERNAME, GETPEERNAME, socket);
    }

    private SocketAddress addressOf(Call call, MethodHandle handle, Descriptor socket) throws ErrnoException {
        long result = kernel.admit(call, socket);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment sockaddr = arena.allocate(SocketAddresses.STORAGE_BYTES, 8);
            MemorySegment length = arena.allocate(Native.C_INT);
            length.set(Native.C_INT, 0, (int) SocketAddresses.STORAGE_BYTES);
            if (result >= 0) {
                MemorySegment captured = Native.capture();
                result =
                        Native.orErrno((int) handle.invokeExact(captured, socket.number(), sockaddr, length), captured);
            }
            ErrnoException.check(kernel.record(socket.account(), call, result, false), call, socket.name());
            return SocketAddresses.decode(sockaddr, length.get(Native.C_INT, 0));
        } catch (ErrnoException e) {
            throw e;
        } catch (Throwable t) {
            throw Native.unexpected(t);
        }
    }

    /// setsockopt(2) with an int.
    public long setOption(Descriptor socket, int level, int option, int value) {
        try (Arena arena = Arena.ofConfined()) {
            return setOption(socket, level, option, arena.allocateFrom(Native.C_INT, value));
        }
    }

    /// Makes a close throw away what is unsent and reset the connection (SO_LINGER, on, 0 s): how to drop a peer
    /// without keeping its connection in TIME_WAIT.
    public long resetOnClose(Descriptor socket) {
        try (Arena arena = Arena.ofConfined()) {
            return setOption(socket, SOL_SOCKET, SO_LINGER, arena.allocateFrom(Native.C_INT, 1, 0));
        }
    }

    /// setsockopt(2) of whatever the option is made of.
    ///
    /// @return 0 or −errno
    long setOption(Descriptor socket, int level, int option, MemorySegment value) {
        long result = kernel.admit(Call.SETSOCKOPT, socket);
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try {
                result = Native.orErrno(
                        (int) SETSOCKOPT.invokeExact(
                                captured, socket.number(), level, option, value, (int) value.byteSize()),
                        captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(socket.account(), Call.SETSOCKOPT, result, false);
    }

    /// getsockopt(2) of an int: its value in the low 32 bits, or −errno.
    public long getOption(Descriptor socket, int level, int option) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment cell = arena.allocate(Native.C_INT);
            long result = getOption(socket, level, option, cell);
            return result < 0 ? result : Integer.toUnsignedLong(cell.get(Native.C_INT, 0));
        }
    }

    /// getsockopt(2) of whatever the option is made of.
    ///
    /// @return 0 or −errno
    long getOption(Descriptor socket, int level, int option, MemorySegment into) {
        try (Arena arena = Arena.ofConfined()) {
            return getOption(socket, level, option, into, arena.allocateFrom(Native.C_INT, (int) into.byteSize()));
        }
    }

    /// getsockopt(2) of an option whose length varies.
    ///
    /// @param length an int: how much room there is, and afterwards how much was taken of it
    /// @return 0 or −errno
    long getOption(Descriptor socket, int level, int option, MemorySegment into, MemorySegment length) {
        long result = kernel.admit(Call.GETSOCKOPT, socket);
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try {
                result = Native.orErrno(
                        (int) GETSOCKOPT.invokeExact(captured, socket.number(), level, option, into, length), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(socket.account(), Call.GETSOCKOPT, result, false);
    }

    /// Bounds how long a call on a blocking socket may wait (SO_RCVTIMEO_OLD 20, SO_SNDTIMEO_OLD 21: `struct
    /// timeval` of two longs on the architectures we run on); it then answers −EAGAIN, or what it has moved so far.
    ///
    /// @param timeoutNs 0 to wait for ever, which is how a socket begins
    public long setTimeout(Descriptor socket, boolean sending, long timeoutNs) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment timeval = arena.allocateFrom(
                    ValueLayout.JAVA_LONG, timeoutNs / 1_000_000_000, timeoutNs % 1_000_000_000 / 1_000);
            return setOption(socket, SOL_SOCKET, sending ? SO_SNDTIMEO : SO_RCVTIMEO, timeval);
        }
    }

    /// What [#setTimeout] has set: ns, 0 for none; or −errno.
    public long timeoutNs(Descriptor socket, boolean sending) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment timeval = arena.allocate(ValueLayout.JAVA_LONG, 2);
            long result = getOption(socket, SOL_SOCKET, sending ? SO_SNDTIMEO : SO_RCVTIMEO, timeval);
            return result < 0
                    ? result
                    : timeval.getAtIndex(ValueLayout.JAVA_LONG, 0) * 1_000_000_000
                            + timeval.getAtIndex(ValueLayout.JAVA_LONG, 1) * 1_000;
        }
    }

    /// recv(2).
    ///
    /// @return bytes received; 0 when the peer has closed its side; or −errno
    public long recv(Descriptor socket, MemorySegment target, int flags) {
        long length = kernel.admit(Call.RECV, socket, -1, target.byteSize());
        if (length >= 0) {
            MemorySegment captured = Native.capture();
            try {
                length = Native.orErrno(
                        (long) RECV.invokeExact(captured, socket.number(), target, length, flags), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(socket.account(), Call.RECV, length, true);
    }

    /// send(2); MSG_NOSIGNAL is added.
    ///
    /// @return bytes taken by the kernel, which may be fewer than asked, or −errno
    public long send(Descriptor socket, MemorySegment source, int flags) {
        return send(socket, source, 0, source.byteSize(), flags);
    }

    /// The same of a part of some memory.
    public long send(Descriptor socket, MemorySegment memory, long from, long lengthBytes, int flags) {
        long length = kernel.admit(Call.SEND, socket, -1, lengthBytes);
        if (length >= 0) {
            MemorySegment captured = Native.capture();
            try {
                length = Native.orErrno(
                        (long) SEND.invokeExact(
                                captured,
                                socket.number(),
                                memory.asSlice(from, lengthBytes),
                                length,
                                flags | MSG_NOSIGNAL),
                        captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(socket.account(), Call.SEND, length, true);
    }

    /// sendmsg(2) of several pieces; MSG_NOSIGNAL is added.
    ///
    /// @return bytes taken by the kernel, which may be fewer than asked, or −errno
    public long sendmsg(Descriptor socket, IoVectors vectors, int flags) {
        long length = kernel.admit(Call.SENDMSG, socket, -1, vectors.lengthBytes());
        if (length >= 0) {
            MemorySegment captured = Native.capture();
            try {
                MemorySegment header = vectors.shortenedTo(length).messageHeader();
                length = Native.orErrno(
                        (long) SENDMSG.invokeExact(captured, socket.number(), header, flags | MSG_NOSIGNAL), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(socket.account(), Call.SENDMSG, length, true);
    }

    /// sendfile(2) from a position of a file; the file's own position is not used. Counted on both descriptors.
    ///
    /// @param scratch 8 bytes of native memory, borrowed for the call, so that the hot path allocates nothing
    /// @return bytes taken by the kernel, which may be fewer than asked; 0 at the end of the file; or −errno
    public long sendfile(Descriptor socket, Descriptor file, long position, long lengthBytes, MemorySegment scratch) {
        long length = kernel.admit(Call.SENDFILE, file, position, lengthBytes);
        if (length >= 0) {
            MemorySegment captured = Native.capture();
            scratch.set(ValueLayout.JAVA_LONG, 0, position);
            try {
                length = Native.orErrno(
                        (long) SENDFILE.invokeExact(captured, socket.number(), file.number(), scratch, length),
                        captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(file.account(), socket.account(), Call.SENDFILE, length, true);
    }

    /// shutdown(2): 0, or −errno: −ENOTCONN when the peer has gone before.
    ///
    /// @param how [#SHUT_RD], [#SHUT_WR] or [#SHUT_RDWR]
    public long shutdown(Descriptor socket, int how) {
        long result = kernel.admit(Call.SHUTDOWN, socket);
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try {
                result = Native.orErrno((int) SHUTDOWN.invokeExact(captured, socket.number(), how), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(socket.account(), Call.SHUTDOWN, result, false);
    }

    /// The error that a finished non-blocking connect left behind (SO_ERROR): 0 or −errno.
    public long takeError(Descriptor socket) {
        return -getOption(socket, SOL_SOCKET, SO_ERROR);
    }
}
