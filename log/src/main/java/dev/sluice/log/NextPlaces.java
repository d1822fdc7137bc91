package dev.sluice.log;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/// Where the batches begin that stand behind those looked up last in a segment: what a consumer that reads small
/// pieces one after the other asks for next. It saves the walk over headers from the index's entry on.
///
/// An entry is one long, (relative offset, position), and true for ever, for published bytes never change; the newer
/// of two that share a slot stays. Any thread adds and looks up, without a lock.
final class NextPlaces {
    /// A power of two. Consumers of one segment take each other's slots now and then: of eight one finds his taken
    /// in 3% of his look-ups, of twenty in 7%; with 32 slots it was 20% and 45%. 2 KiB.
    private static final int SLOTS = 256;

    private static final long NOTHING = -1;
    private static final VarHandle ENTRY = MethodHandles.arrayElementVarHandle(long[].class);

    private final long[] entries = new long[SLOTS];

    NextPlaces() {
        Arrays.fill(entries, NOTHING);
    }

    /// The batch at `position` is the first that has records from `relativeOffset` on.
    void add(long relativeOffset, int position) {
        ENTRY.setOpaque(entries, slot(relativeOffset), (relativeOffset << 32) | position);
    }

    /// The position of the first batch that has records from `relativeOffset` on, or −1 when it is not known.
    int find(long relativeOffset) {
        long entry = (long) ENTRY.getOpaque(entries, slot(relativeOffset));
        return entry != NOTHING && entry >>> 32 == relativeOffset ? (int) entry : -1;
    }

    /// Multiplied by 2³² ÷ golden ratio, of which the highest bits differ most.
    private static int slot(long relativeOffset) {
        return ((int) relativeOffset * 0x9E3779B9) >>> (Integer.numberOfLeadingZeros(SLOTS) + 1);
    }
}
