package dev.sluice.io.shared;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Futexes;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Opened;
import dev.sluice.io.linux.PeerCredentials;
import dev.sluice.io.linux.Polls;
import dev.sluice.io.linux.Sockets;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// The connection to the process at the other end of a pool: a ring each way, a socket that tells when it is gone, and
/// the ways to wait and to wake. Owned by one thread; closes what it was given.
///
/// Waiting is by a futex on the peer's tail, or, for event loops, by a byte on the socket. A descriptor of an eventfd
/// that a stranger passed could be made to block whoever writes to it; MSG_DONTWAIT on our own socket can't.
final class PeerLink implements AutoCloseable {
    /// How long a dead peer may go unnoticed by a thread that sleeps on a futex, which only the living wake.
    static final long LIVENESS_NS = 50_000_000;

    /// Bytes that are taken off the socket before a wait; a peer that sends more makes us look again, nothing else.
    private static final int MOST_BELLS = 64;

    private final Kernel kernel;
    private final Futexes futexes;
    private final Polls polls;
    private final Descriptor socket;
    private final @Nullable Descriptor process;
    private final SealedMemory ownControl;
    private final SealedMemory peersControl;
    private final OutRing out;
    private final InRing in;
    private final long spinNs;
    private final Arena arena = Arena.ofAuto();
    private final MemorySegment bell = arena.allocate(1);
    private final MemorySegment bellsTaken = arena.allocate(1);
    private final MemorySegment pollScratch = arena.allocate(Polls.SCRATCH_BYTES, 4);
    private int rung;

    PeerLink(
            Kernel kernel,
            Descriptor socket,
            SealedMemory ownControl,
            SealedMemory peersControl,
            int bufferCount,
            long spinNs,
            Account owner)
            throws ErrnoException {
        this.kernel = kernel;
        this.futexes = kernel.futexes();
        this.polls = kernel.polls();
        this.socket = socket;
        this.ownControl = ownControl;
        this.peersControl = peersControl;
        this.out = new OutRing(ownControl.segment(), bufferCount);
        this.in = new InRing(peersControl.segment(), bufferCount);
        this.spinNs = spinNs;
        this.process = process(kernel, socket, owner);
    }

    /// The peer's process, whose end we learn of even when another process has its socket too; null where the
    /// kernel can't say (then the socket alone tells).
    private static @Nullable Descriptor process(Kernel kernel, Descriptor socket, Account owner) throws ErrnoException {
        Opened opened = kernel.unixSockets().peerPidfd(socket, owner);
        if (opened.errno() == Errno.ENOPROTOOPT) {
            PeerCredentials peer = kernel.unixSockets().peerCredentials(socket);
            opened = kernel.pidfds().open(peer.pid(), owner);
        }
        return opened instanceof Opened.Ok(Descriptor pidfd) ? pidfd : null;
    }

    InRing in() {
        return in;
    }

    /// For an event loop: readable when the peer has rung, hung up when it is gone. Borrowed.
    Descriptor socket() {
        return socket;
    }

    /// Hands a buffer over, and wakes the peer if it waits.
    void put(int index, int lengthBytes, int checksum, int flags) {
        out.put(index, lengthBytes, checksum, flags);
        int ticket = in.waiting();
        if (ticket != 0 && ticket != rung) {
            rung = ticket;
            if ((ticket & Control.BY_SOCKET) != 0) {
                // Not taken: it has bytes to read already, or is gone. Either is noticed elsewhere.
                kernel.sockets().send(socket, bell, Sockets.MSG_DONTWAIT);
            } else {
                futexes.wake(out.tailWord(), 1);
            }
        }
    }

    /// Waits until the peer has handed something over.
    ///
    /// @param timeoutNs 0 or less not to wait
    /// @return whether there is something to take
    /// @throws PeerGoneException when there is nothing, and never will be
    boolean await(long timeoutNs) throws IOException {
        if (in.hasNext()) {
            return true;
        }
        if (timeoutNs <= 0) {
            return false;
        }
        long startNs = System.nanoTime();
        for (long spent = 0; spent < Math.min(spinNs, timeoutNs); spent = System.nanoTime() - startNs) {
            Thread.onSpinWait();
            if (in.hasNext()) {
                return true;
            }
        }
        for (long left = timeoutNs; left > 0; left = timeoutNs - (System.nanoTime() - startNs)) {
            sleep(Math.min(left, LIVENESS_NS));
            if (in.hasNext()) {
                return true;
            }
            requireAlive();
        }
        return false;
    }

    private void sleep(long timeoutNs) throws IOException {
        out.announceWait(Control.BY_FUTEX);
        try {
            if (!in.hasNext()) {
                long result = futexes.await(in.tailWord(), in.sleepValue(), timeoutNs);
                boolean isOrdinary =
                        result == 0 || result == -Errno.EAGAIN || result == -Errno.ETIMEDOUT || result == -Errno.EINTR;
                if (!isOrdinary) {
                    throw new ErrnoException(Call.FUTEX, (int) -result, "the peer's control memory");
                }
            }
        } finally {
            out.announceAwake();
        }
    }

    /// Asks the peer to make the socket readable with what it hands over next.
    ///
    /// @return false when there is something to take already; don't wait then
    /// @throws PeerGoneException when there is nothing, and never will be
    boolean arm() throws IOException {
        for (int i = 0; i < MOST_BELLS && kernel.sockets().recv(socket, bellsTaken, Sockets.MSG_DONTWAIT) > 0; i++) {
            // what it says is in the ring
        }
        out.announceWait(Control.BY_SOCKET);
        if (in.hasNext()) {
            out.announceAwake();
            return false;
        }
        requireAlive();
        return true;
    }

    /// @throws PeerGoneException when the peer is gone and has left nothing to take
    void requireAlive() throws IOException {
        // A peer that hands something over and ends: the look at the ring comes after the look at the peer.
        if (!isAlive() && !in.hasNext()) {
            throw new PeerGoneException("The process at the other end of the pool has ended or closed it");
        }
    }

    boolean isAlive() {
        long events = process == null
                ? polls.await(socket, 0, 0, pollScratch)
                : polls.await(socket, 0, process, Polls.POLLIN, 0, pollScratch);
        return events <= 0; // hang-ups and errors are told unasked; a negative answer is EINTR
    }

    @Override
    public void close() {
        socket.close();
        if (process != null) {
            process.close();
        }
        ownControl.close();
        peersControl.close();
    }
}
