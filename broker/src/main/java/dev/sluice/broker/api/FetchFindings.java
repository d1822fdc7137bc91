package dev.sluice.broker.api;

import dev.sluice.io.transfer.Span;
import dev.sluice.log.PartitionLog;
import java.util.Arrays;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/// What a look at the partitions of a fetch found, by the plan's numbers of partitions.
///
/// Reused; owned by one loop. Spans are held between a look and what follows; the others may be stale until the next
/// look.
final class FetchFindings {
    /// Partitions that the arrays begin with, and above which they are dropped with the fetch.
    private static final int FEW = 16;
    private static final int KEPT = 1024;

    Errors[] errors = new Errors[FEW];

    @Nullable PartitionLog[] logs = new PartitionLog[FEW];

    @Nullable Span[] spans = new Span[FEW];

    /// Where the logs ended and began when they had been read.
    long[] ends = new long[FEW];

    long[] starts = new long[FEW];

    /// Makes room.
    void reserve(int partitions) {
        if (partitions > errors.length) {
            make(Math.max(partitions, errors.length * 2));
        }
    }

    /// @param partitions how many the plan has
    void releaseSpans(int partitions) {
        for (int p = 0; p < Math.min(spans.length, partitions); p++) {
            Span span = spans[p];
            if (span != null) {
                spans[p] = null;
                span.hold().release();
            }
        }
    }

    /// Forgets logs, so that deleted ones are not kept alive.
    void forgetLogs(int partitions) {
        Arrays.fill(logs, 0, Math.min(logs.length, partitions), null);
    }

    /// Drops the memory that an unusually large fetch took.
    ///
    /// @return whether it was one
    boolean shrink() {
        if (errors.length <= KEPT) {
            return false;
        }
        make(FEW);
        return true;
    }

    private void make(int length) {
        errors = new Errors[length];
        logs = new PartitionLog[length];
        spans = new Span[length];
        ends = new long[length];
        starts = new long[length];
    }
}
