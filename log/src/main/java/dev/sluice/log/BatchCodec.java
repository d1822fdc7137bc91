package dev.sluice.log;

import java.io.IOException;

/// Looks inside a batch, which the log itself never does: it knows no compression.
///
/// Given to the searches by timestamp. Called on the searching thread; must be thread-safe.
@FunctionalInterface
public interface BatchCodec {
    /// Hands over the records in their order, until the visitor has enough.
    ///
    /// @param batch a checked batch; borrowed for the call
    /// @throws IOException when the records can't be read
    void visit(BatchView batch, RecordVisitor visitor) throws IOException;

    /// Is shown one record after the other.
    @FunctionalInterface
    interface RecordVisitor {
        /// @param offsetDelta the record's offset less the batch's base offset
        /// @param timestampMs ms since the epoch
        /// @return whether to go on
        boolean record(int offsetDelta, long timestampMs);
    }
}
