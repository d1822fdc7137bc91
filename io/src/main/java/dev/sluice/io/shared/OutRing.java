package dev.sluice.io.shared;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/// Our own control memory: we write, the peer reads. Owned by one thread.
final class OutRing {
    private final MemorySegment control;
    private final MemorySegment tailWord;
    private final int mask;
    private int tail;
    private int ticket;

    /// @param control zeroed
    OutRing(MemorySegment control, int bufferCount) {
        this.control = control;
        this.tailWord = Control.word(control, Control.TAIL_AT);
        this.mask = Control.ringSize(bufferCount) - 1;
    }

    /// Hands a buffer over. The caller sees to it that a buffer isn't handed over twice, so that the ring has room.
    void put(int index, int lengthBytes, int checksum, int flags) {
        long at = Control.ENTRIES_AT + (tail & mask) * Control.ENTRY_BYTES;
        Control.LONG.setOpaque(control, at, pair(index, lengthBytes));
        Control.LONG.setOpaque(control, at + Long.BYTES, pair(checksum, flags));
        tail++;
        Control.INT.setRelease(control, Control.TAIL_AT, tail);
        // The peer stores its ticket, then looks at our tail; we store the tail, then look at its ticket: so that not
        // both miss the other.
        VarHandle.fullFence();
    }

    private static long pair(int low, int high) {
        return Integer.toUnsignedLong(low) | (long) high << 32;
    }

    /// Says how we are going to wait. Look into the peer's ring once more before waiting: what it put there before
    /// it saw this, it doesn't wake us for.
    ///
    /// @param how [Control#BY_FUTEX] or [Control#BY_SOCKET]
    void announceWait(int how) {
        // Another ticket each time, for a peer wakes us once a ticket.
        ticket += Control.NEXT_TICKET;
        Control.INT.setRelease(control, Control.WAITING_AT, ticket | how);
        VarHandle.fullFence();
    }

    void announceAwake() {
        Control.INT.setOpaque(control, Control.WAITING_AT, 0);
    }

    /// The futex that the peer sleeps on.
    MemorySegment tailWord() {
        return tailWord;
    }
}
