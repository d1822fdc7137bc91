package dev.sluice.io.shared;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Polls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;

/// UNIX sockets for [SharedPool#attach] and [SharedPoolReader#accept]: of type SOCK_SEQPACKET, blocking. The caller
/// closes them, or hands them to one of the two.
public final class PeerSockets {
    private static final int BACKLOG = 16;

    private PeerSockets() {}

    /// Listens on a path, which must not exist and is the caller's to remove.
    ///
    /// @param mode whom the path lets connect: 0600 for our user, 0660 for its group too, 0666 for everybody; a
    ///             pool looks at the user besides
    /// @throws ErrnoException EADDRINUSE when the path exists, also when it was left behind
    public static Descriptor listen(Kernel kernel, Path path, int mode, Account owner) throws ErrnoException {
        Descriptor socket = kernel.unixSockets().seqpacket(true, owner).orThrow();
        try {
            ErrnoException.check(
                    kernel.sockets().bind(socket, UnixDomainSocketAddress.of(path)), Call.BIND, path.toString());
            // Nobody can connect before the listen.
            ErrnoException.check(kernel.files().changeMode(path, mode), Call.FCHMODAT, path.toString());
            ErrnoException.check(kernel.sockets().listen(socket, BACKLOG), Call.LISTEN, path.toString());
            return socket;
        } catch (ErrnoException e) {
            socket.close();
            throw e;
        }
    }

    /// Waits for the next process that connects.
    ///
    /// @param timeoutMs −1 to wait for ever
    /// @throws ErrnoException ETIMEDOUT when none did
    public static Descriptor accept(Kernel kernel, Descriptor listener, int timeoutMs, Account owner)
            throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment scratch = arena.allocate(Polls.SCRATCH_BYTES, 4);
            long events = kernel.polls().await(listener, Polls.POLLIN, timeoutMs, scratch);
            if (events == 0) {
                throw new ErrnoException(Call.ACCEPT, Errno.ETIMEDOUT, listener.name());
            }
        }
        return kernel.sockets().accept(listener, true, owner).orThrow();
    }

    /// @throws ErrnoException ENOENT when nobody has listened there, ECONNREFUSED when nobody does any more, EACCES
    ///                        when the path isn't for us
    public static Descriptor connect(Kernel kernel, Path path, Account owner) throws ErrnoException {
        Descriptor socket = kernel.unixSockets().seqpacket(true, owner).orThrow();
        try {
            ErrnoException.check(
                    kernel.sockets().connect(socket, UnixDomainSocketAddress.of(path)), Call.CONNECT, path.toString());
            return socket;
        } catch (ErrnoException e) {
            socket.close();
            throw e;
        }
    }
}
