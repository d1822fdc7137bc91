package dev.sluice.io.shared;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/// The layout of a control memory. Each of the two processes has one that it alone writes and the other alone reads;
/// so a process can spoil nothing but its own.
///
/// ```
///    0 u32 tail      entries written so far, modulo 2³²; stored with release after them; a futex
///   64 u32 waiting   0, or a ticket: how the owner waits for the peer's tail (bits 0–1) and which wait it is (the
/// rest)
///  128 entries       ring of 16 bytes each: u32 index, u32 length; u32 CRC-32C, u32 flags (1: there is a CRC)
/// ```
///
/// An entry hands one buffer over: in the writer's control it was filled, in the reader's it is free again. A buffer is
/// in one place at a time, so a ring with room for all of them is never full, and nobody tells how far he has read.
final class Control {
    static final long TAIL_AT = 0;
    static final long WAITING_AT = 64;
    static final long ENTRIES_AT = 128;
    static final long ENTRY_BYTES = 16;
    static final int FLAG_CHECKSUM = 1;

    // How the owner waits: bits 0–1 of its ticket.
    static final int BY_FUTEX = 1;
    static final int BY_SOCKET = 2;
    static final int NEXT_TICKET = 4;

    // Each word of a peer's control is loaded once, opaquely at least, and what was loaded is checked: it may change
    // between two looks.
    static final VarHandle INT = ValueLayout.JAVA_INT.varHandle().withInvokeExactBehavior();
    static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle().withInvokeExactBehavior();

    private static final long PAGE_BYTES = 4096;

    private Control() {}

    static long lengthBytes(int bufferCount) {
        long bytes = ENTRIES_AT + (long) ringSize(bufferCount) * ENTRY_BYTES;
        return (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    }

    /// Entries of a ring: a power of two.
    static int ringSize(int bufferCount) {
        return bufferCount == 1 ? 1 : Integer.highestOneBit(bufferCount - 1) << 1;
    }

    static MemorySegment word(MemorySegment control, long at) {
        return control.asSlice(at, Integer.BYTES);
    }
}
