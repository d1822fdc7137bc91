package dev.sluice.broker.coordinator;

import dev.sluice.log.LogListener;
import dev.sluice.log.PartitionLog;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.coordinator.common.runtime.PartitionWriter;

/// One partition of `__consumer_offsets` as its coordinator sees it.
///
/// A coordinator numbers its records itself and expects each at that offset. So that the log can be rewritten behind
/// its back, it is told offsets that leave the rewritten records out:
///
/// ```
/// log:           0 … 99 | 100 … 119 rewritten | 120 …
/// coordinator:   0 … 99 |                     | 100 …
/// ```
///
/// When the log is loaded next, the numbers are the log's again.
///
/// Appended to by the coordinator's thread. The log tells of acknowledged records on that thread or, where they wait
/// for the disk, on a flushing thread; so what both touch is guarded by this object's lock.
final class OffsetsShard implements LogListener {
    /// Offsets of the log that the coordinator does not know.
    ///
    /// @param to exclusive
    private record Hidden(long from, long to) {}

    private final TopicPartition name;
    private final OffsetsLog log;
    private final OffsetsSnapshot snapshot;

    // Guarded by this.
    private final List<PartitionWriter.Listener> listeners = new ArrayList<>(1);
    private final ArrayDeque<Hidden> hidden = new ArrayDeque<>();

    /// How many offsets are hidden below those in `hidden`.
    private long hiddenBelow;

    /// Where rewritten records begin that are being appended now; Long.MAX_VALUE when none are.
    private long hidingFrom = Long.MAX_VALUE;

    OffsetsShard(TopicPartition name, OffsetsLog log, OffsetsSnapshot snapshot) {
        this.name = name;
        this.log = log;
        this.snapshot = snapshot;
        log.log().addListener(this);
    }

    void close() {
        log.log().removeListener(this);
    }

    /// The log, whose offsets the coordinator now learns anew.
    synchronized OffsetsLog beginLoading() {
        hidden.clear();
        hiddenBelow = 0;
        return log;
    }

    /// @return the coordinator's end offset
    long append(MemoryRecords records) {
        long logEnd = log.append(records);
        long end;
        synchronized (this) {
            // Before anything is hidden behind it: by the time that a flush has acknowledged that, it counts as below.
            end = coordinatorOffset(logEnd);
        }
        if (snapshot.isDue()) {
            rewrite();
        }
        return end;
    }

    private void rewrite() {
        long from = log.log().logEndOffset();
        synchronized (this) {
            hidingFrom = from;
        }
        try {
            snapshot.write();
        } finally {
            synchronized (this) {
                hidingFrom = Long.MAX_VALUE;
                hidden.add(new Hidden(from, log.log().logEndOffset()));
            }
        }
    }

    private long coordinatorOffset(long logOffset) {
        long shown = Math.min(logOffset, hidingFrom);
        long result = shown - hiddenBelow;
        for (Hidden range : hidden) {
            result -= Math.max(0, Math.min(shown, range.to()) - range.from());
        }
        return result;
    }

    synchronized void add(PartitionWriter.Listener listener) {
        listeners.add(listener);
    }

    synchronized void remove(PartitionWriter.Listener listener) {
        listeners.remove(listener);
    }

    /// The lock is held while the coordinator is told, so that it never hears of less than before; it only queues
    /// something.
    @Override
    public synchronized void grown(PartitionLog grown, long lengthBytes) {
        long acknowledged = grown.highWatermark();
        long told = coordinatorOffset(acknowledged);
        for (Iterator<Hidden> each = hidden.iterator(); each.hasNext(); ) {
            Hidden range = each.next();
            if (range.to() <= acknowledged) {
                hiddenBelow += range.to() - range.from();
                each.remove();
            }
        }
        listeners.forEach(listener -> listener.onHighWatermarkUpdated(name, told));
    }

    /// What waits for an acknowledgement is answered when its time is over.
    @Override
    public void stopped(PartitionLog stopped) {}
}
