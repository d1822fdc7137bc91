package dev.sluice.testkit;

/// Something that a log which keeps its promises never shows.
///
/// @param partition where
/// @param offset    of the record that it is seen at
/// @param what      a sentence for the one who looks for the reason
public record Anomaly(Kind kind, int partition, long offset, String what) {
    /// The kinds, as [History] tells them apart.
    public enum Kind {
        /// It was acknowledged, and is not there.
        LOST,
        /// It is there more than once.
        DUPLICATED,
        /// It stands before one that its producer sent earlier, or elsewhere than it was acknowledged.
        REORDERED,
        /// Bytes that are no whole record with the content it was sent with.
        TORN,
        /// An offset that somebody has seen one record at stands for another.
        REUSED_OFFSET,
        /// A reading that ends below what had been acknowledged before it began.
        STALE
    }

    @Override
    public String toString() {
        return kind + " at offset " + offset + " of partition " + partition + ": " + what;
    }
}
