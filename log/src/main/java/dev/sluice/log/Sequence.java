package dev.sluice.log;

/// Arithmetic of producers' sequence numbers: 0 to 2³¹ − 1, then 0 again.
final class Sequence {
    private Sequence() {}

    static int plus(int sequence, int increment) {
        return sequence > Integer.MAX_VALUE - increment
                ? increment - (Integer.MAX_VALUE - sequence) - 1
                : sequence + increment;
    }

    /// The last sequence number of a batch, none for a batch that has none.
    static int last(int base, int lastOffsetDelta) {
        return base == ProducerState.NO_SEQUENCE ? ProducerState.NO_SEQUENCE : plus(base, lastOffsetDelta);
    }

    static int minus(int sequence, int decrement) {
        return sequence < decrement ? Integer.MAX_VALUE - (decrement - sequence) + 1 : sequence - decrement;
    }

    static boolean follows(int last, int next) {
        return next == last + 1L || (next == 0 && last == Integer.MAX_VALUE);
    }
}
