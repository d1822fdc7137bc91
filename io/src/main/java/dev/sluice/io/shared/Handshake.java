package dev.sluice.io.shared;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.PeerCredentials;
import dev.sluice.io.linux.Polls;
import dev.sluice.io.linux.Sockets;
import dev.sluice.io.linux.UnixSockets;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Set;

/// The two messages by which a pool is given to a peer; docs/formats/shared-pool.md has the whole of what is shared.
///
/// ```
/// writer                                              reader
///    │  magic, version, shape  + data, writer's control  │
///    │ ────────────────────────────────────────────────▶ │ user? seals? size? allocated?
///    │  magic, version, shape  + reader's control        │
///    │ ◀──────────────────────────────────────────────── │
///    user? seals? size? allocated?
///
/// 0 u64 magic   8 u32 version   12 u32 buffer bytes   16 u32 buffers        in the machine's byte order
/// ```
///
/// Each side waits a bounded time for the other's message, and takes as many descriptors as it needs: the kernel closes
/// the rest.
record Handshake(int bufferBytes, int bufferCount) {
    static final long BYTES = 20;
    /// "SLUICEPL" in little-endian order.
    static final long MAGIC = 0x4C50_4543_4955_4C53L;
    static final int VERSION = 1;

    /// How long a peer may take over its message.
    static final int TIMEOUT_MS = 5_000;

    /// A message and what came with it.
    record Message(Handshake shape, List<Descriptor> descriptors) {}

    /// @throws PeerViolationException when the peer is a user that we don't allow
    /// @throws IllegalArgumentException when it is no such socket, a mistake of ours
    static void checkPeer(Kernel kernel, Descriptor socket, Set<Integer> otherUids) throws IOException {
        if (kernel.sockets().getOption(socket, Sockets.SOL_SOCKET, Sockets.SO_DOMAIN) != Sockets.AF_UNIX
                || kernel.sockets().getOption(socket, Sockets.SOL_SOCKET, UnixSockets.SO_TYPE)
                        != UnixSockets.SOCK_SEQPACKET) {
            throw new IllegalArgumentException(
                    "A pool is shared over a UNIX socket of type SOCK_SEQPACKET (PeerSockets makes them): " + socket);
        }
        PeerCredentials peer = kernel.unixSockets().peerCredentials(socket);
        if (peer.uid() != ownUid(kernel, socket.account()) && !otherUids.contains(peer.uid())) {
            throw new PeerViolationException("Process " + peer.pid() + " at the other end is user " + peer.uid()
                    + ", with whom no memory is shared; allow it by withOtherUids");
        }
    }

    private static int ownUid(Kernel kernel, Account owner) throws ErrnoException {
        Descriptor[] pair = kernel.unixSockets().seqpacketPair(true, owner);
        try {
            return kernel.unixSockets().peerCredentials(pair[0]).uid();
        } finally {
            pair[0].close();
            pair[1].close();
        }
    }

    void send(Kernel kernel, Descriptor socket, List<Descriptor> descriptors) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment message = arena.allocate(BYTES, 8);
            message.set(ValueLayout.JAVA_LONG, 0, MAGIC);
            message.set(ValueLayout.JAVA_INT, 8, VERSION);
            message.set(ValueLayout.JAVA_INT, 12, bufferBytes);
            message.set(ValueLayout.JAVA_INT, 16, bufferCount);
            long result = kernel.unixSockets().send(socket, message, descriptors, Sockets.MSG_DONTWAIT);
            ErrnoException.check(result, Call.SENDMSG, socket.name());
        }
    }

    /// Waits for the peer's message.
    ///
    /// @return as many descriptors as were wanted, the caller's to close; nothing is known of them, and of the
    ///     shape only that a pool may have it
    static Message receive(Kernel kernel, Descriptor socket, int descriptorCount, int timeoutMs) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment scratch = arena.allocate(Polls.SCRATCH_BYTES, 4);
            long events;
            do {
                events = kernel.polls().await(socket, Polls.POLLIN, timeoutMs, scratch);
            } while (events == -Errno.EINTR);
            if (events == 0) {
                throw new PeerViolationException("The peer said nothing for " + timeoutMs + " ms");
            }
            MemorySegment message = arena.allocate(BYTES, 8);
            UnixSockets.Received received = kernel.unixSockets()
                    .receive(socket, message, descriptorCount, Sockets.MSG_DONTWAIT, socket.account());
            String wrong = wrong(received, message, descriptorCount);
            if (!wrong.isEmpty()) {
                received.closeDescriptors();
                throw new PeerViolationException(wrong);
            }
            return new Message(
                    new Handshake(message.get(ValueLayout.JAVA_INT, 12), message.get(ValueLayout.JAVA_INT, 16)),
                    received.descriptors());
        }
    }

    private static String wrong(UnixSockets.Received received, MemorySegment message, int descriptorCount) {
        if (received.result() <= 0) {
            return "The peer closed the connection instead of sharing a pool";
        }
        if (received.result() != BYTES
                || received.isTruncated()
                || message.get(ValueLayout.JAVA_LONG, 0) != MAGIC
                || message.get(ValueLayout.JAVA_INT, 8) != VERSION) {
            return "The peer speaks something else than version " + VERSION + " of this protocol";
        }
        if (received.descriptors().size() != descriptorCount) {
            return "The peer passed " + received.descriptors().size() + " descriptors instead of " + descriptorCount;
        }
        return SharedPoolConfig.wrongShape(
                message.get(ValueLayout.JAVA_INT, 12), message.get(ValueLayout.JAVA_INT, 16));
    }
}
