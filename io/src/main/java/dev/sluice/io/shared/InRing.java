package dev.sluice.io.shared;

import java.lang.foreign.MemorySegment;

/// The peer's control memory, read-only, and as hostile as the peer: nothing in it is believed. Each word is loaded
/// once and checked by whoever uses it; the worst that a scribbler reaches is a [PeerViolationException]. Owned by one
/// thread.
final class InRing {
    private final MemorySegment control;
    private final MemorySegment tailWord;
    private final int mask;
    private final int bufferCount;

    /// Entries taken so far, and up to where we know them to be there; both modulo 2³².
    private int head;

    private int knownTail;

    // The entry that was taken last.
    private long indexAndLength;
    private long checksumAndFlags;

    InRing(MemorySegment control, int bufferCount) {
        this.control = control;
        this.tailWord = Control.word(control, Control.TAIL_AT);
        this.mask = Control.ringSize(bufferCount) - 1;
        this.bufferCount = bufferCount;
    }

    /// Whether there is an entry to take.
    ///
    /// @throws PeerViolationException when the tail is where no honest peer's can be
    boolean hasNext() throws PeerViolationException {
        if (head != knownTail) {
            return true;
        }
        int tail = (int) Control.INT.getAcquire(control, Control.TAIL_AT);
        int ahead = tail - head;
        if (ahead < 0 || ahead > bufferCount) {
            throw new PeerViolationException("The peer's control memory says that it has handed over "
                    + Integer.toUnsignedString(ahead) + " buffers of " + bufferCount);
        }
        knownTail = tail;
        return ahead > 0;
    }

    /// Takes the next entry, which the getters below are about then.
    void next() {
        assert head != knownTail;
        long at = Control.ENTRIES_AT + (head & mask) * Control.ENTRY_BYTES;
        indexAndLength = (long) Control.LONG.getOpaque(control, at);
        checksumAndFlags = (long) Control.LONG.getOpaque(control, at + Long.BYTES);
        head++;
    }

    /// Any number: check it.
    int index() {
        return (int) indexAndLength;
    }

    /// Any number: check it.
    int lengthBytes() {
        return (int) (indexAndLength >>> 32);
    }

    int checksum() {
        return (int) checksumAndFlags;
    }

    boolean hasChecksum() {
        return (checksumAndFlags >>> 32 & Control.FLAG_CHECKSUM) != 0;
    }

    /// The ticket by which the peer waits for us, 0 for none; any number.
    int waiting() {
        return (int) Control.INT.getOpaque(control, Control.WAITING_AT);
    }

    /// The futex that we sleep on for as long as it has the value [#sleepValue].
    MemorySegment tailWord() {
        return tailWord;
    }

    int sleepValue() {
        return knownTail;
    }
}
