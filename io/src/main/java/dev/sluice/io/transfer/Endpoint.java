package dev.sluice.io.transfer;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.FileStatus;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Polls;
import dev.sluice.io.linux.Sockets;
import dev.sluice.io.memory.Pieces;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/// Where bytes come from or go to.
///
/// A transfer borrows its endpoints; whoever made one closes it. Channels of `java.nio` can't be taken, for the JDK
/// doesn't tell their descriptor's number: open the path or connect here instead, or wrap a number that you own with
/// [Kernel#adopt] and [#of]. Memory is taken as segments or a buffer.
public sealed interface Endpoint extends AutoCloseable {
    /// What kind of thing an endpoint is: what methods are chosen by.
    enum Kind {
        FILE,
        SOCKET,
        PIPE,
        MEMORY;

        /// `file`
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// What it is.
    Kind kind();

    /// What error messages call it.
    String name();

    /// Closes the descriptor, if there is one.
    @Override
    void close();

    /// An end that is an open descriptor.
    sealed interface Open extends Endpoint {
        /// The descriptor itself: closed with the endpoint.
        Descriptor descriptor();

        @Override
        default String name() {
            return descriptor().name();
        }

        @Override
        default void close() {
            descriptor().close();
        }
    }

    /// A regular file or a block device, from a position on. The descriptor's own position is neither used nor
    /// relied upon (sendfile into a file moves it).
    ///
    /// @param position first byte to read or write
    record File(Descriptor descriptor, long position) implements Open {
        @Override
        public Kind kind() {
            return Kind.FILE;
        }
    }

    /// A connected stream socket, TCP or UNIX, blocking or not.
    record Socket(Descriptor descriptor) implements Open {
        @Override
        public Kind kind() {
            return Kind.SOCKET;
        }
    }

    /// One end of a pipe or FIFO, or another stream that is neither file nor socket (a terminal), blocking or not.
    record Pipe(Descriptor descriptor) implements Open {
        @Override
        public Kind kind() {
            return Kind.PIPE;
        }
    }

    /// Memory, in one piece or in several that are taken for one behind the other. As a source it must not change
    /// until the transfer is done; a zero-copy send reads it after the call. What lies on the heap is copied once
    /// more, since the kernel can't be pointed to it: [TransferAccount#stagedBytes].
    ///
    /// @param hold released by [#close], so closed once and not twice
    record Memory(Pieces pieces, Hold hold) implements Endpoint {
        /// One piece, kept by whoever has it.
        public Memory(MemorySegment segment) {
            this(Pieces.of(segment), Hold.NONE);
        }

        /// The length of all pieces.
        public long lengthBytes() {
            return pieces.lengthBytes();
        }

        @Override
        public Kind kind() {
            return Kind.MEMORY;
        }

        @Override
        public String name() {
            return "memory";
        }

        @Override
        public void close() {
            hold.release();
        }
    }

    /// The bytes between position and limit of a buffer. Changes to the buffer's position afterwards have no
    /// effect.
    static Memory memory(ByteBuffer buffer) {
        return new Memory(MemorySegment.ofBuffer(buffer));
    }

    /// Opens a file to read from its first byte on.
    static File openSource(Kernel kernel, Path path, Account owner) throws ErrnoException {
        return new File(kernel.files().open(path, Files.O_RDONLY, 0, owner).orThrow(), 0);
    }

    /// Opens a file to write to, making it (mode 0644 before the umask) if it isn't there.
    ///
    /// @param truncate whether what it contains is thrown away first
    static File openSink(Kernel kernel, Path path, boolean truncate, Account owner) throws ErrnoException {
        // Read too: a sink that may be read can be checked, and cachestat tells of it.
        int flags = Files.O_RDWR | Files.O_CREAT | (truncate ? Files.O_TRUNC : 0);
        return new File(kernel.files().open(path, flags, 0x1A4, owner).orThrow(), 0);
    }

    /// Connects to a listening socket, TCP or UNIX.
    ///
    /// @param blocking  whether calls on the socket wait; false for use in an event loop
    /// @param timeoutNs how long to wait for the peer to accept; 0 for as long as the kernel tries (about two
    ///                  minutes)
    static Socket connect(Kernel kernel, SocketAddress address, boolean blocking, long timeoutNs, Account owner)
            throws ErrnoException {
        String name = Sockets.show(address);
        Descriptor socket = kernel.sockets().stream(address, false, owner).orThrow();
        Descriptor named = kernel.adopt(socket.number(), name, owner);
        try {
            long result = kernel.sockets().connect(named, address);
            if (result == -Errno.EINPROGRESS) {
                result = awaitConnected(kernel, named, timeoutNs);
            }
            ErrnoException.check(result, Call.CONNECT, name);
            if (blocking) {
                ErrnoException.check(kernel.files().setNonBlocking(named, false), Call.FCNTL, name);
            }
            return new Socket(named);
        } catch (ErrnoException e) {
            named.close();
            throw e;
        }
    }

    private static long awaitConnected(Kernel kernel, Descriptor socket, long timeoutNs) {
        long endNs = System.nanoTime() + timeoutNs;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment scratch = arena.allocate(Polls.SCRATCH_BYTES, 8);
            while (true) {
                long leftMs = timeoutNs == 0 ? -1 : TimeUnit.NANOSECONDS.toMillis(endNs - System.nanoTime() + 999_999);
                if (timeoutNs != 0 && leftMs <= 0) {
                    return -Errno.ETIMEDOUT;
                }
                int waitMs = (int) Math.min(leftMs, Integer.MAX_VALUE);
                long ready = kernel.polls().await(socket, Polls.POLLOUT, waitMs, scratch);
                if (ready > 0) {
                    return kernel.sockets().takeError(socket);
                }
                if (ready < 0 && ready != -Errno.EINTR) {
                    return ready;
                }
            }
        }
    }

    /// An endpoint on an open descriptor, by what the descriptor is (statx): regular file or block device, socket,
    /// or anything else as a stream.
    ///
    /// @param position where a file begins; ignored for others
    static Endpoint of(Kernel kernel, Descriptor descriptor, long position) throws ErrnoException {
        FileStatus status = kernel.files().status(descriptor);
        if (status.isRegularFile() || status.isBlockDevice()) {
            return new File(descriptor, position);
        }
        return status.isSocket() ? new Socket(descriptor) : new Pipe(descriptor);
    }
}
