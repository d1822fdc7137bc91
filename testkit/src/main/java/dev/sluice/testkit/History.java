package dev.sluice.testkit;

import dev.sluice.testkit.Anomaly.Kind;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Knows what a log has acknowledged and what was read of it, and names what can't be true of both.
///
/// Every producer sends its records in the order of their numbers, and each as often as it takes until it is
/// acknowledged. Time is that of the caller's `nowNs`, and used only to tell how old a lost record was.
///
/// ```
/// history.acknowledged(partition, offset, record, nowNs);
/// History.Reading reading = history.reading(partition, 0);
/// reading.record(0, record); …
/// reading.endsLive(endOffset);                  // of a log that has not crashed since the acknowledgements
/// reading.endsAfterCrash(endOffset, crashNs);   // of one that has: what is missing is lost, and told once
/// ```
///
/// Thread-safe: producers and readers share it. It holds every record in memory.
public final class History {
    private record Acknowledged(NumberedRecord record, long atNs) {}

    private static final class Partition {
        /// By the offset that was told.
        private final NavigableMap<Long, Acknowledged> acknowledged = new TreeMap<>();
        /// What somebody has seen at an offset, whether it is still there or not.
        private final Map<Long, NumberedRecord> exposed = new HashMap<>();
    }

    private final Map<Integer, Partition> partitions = new HashMap<>();
    private final Map<Kind, Long> counts = new EnumMap<>(Kind.class);
    private final List<Anomaly> first = new ArrayList<>();
    private final int kept;
    private long acknowledgedRecords;
    private long oldestLostNs;

    /// @param kept so many anomalies of each kind are kept with their words; all are counted
    public History(int kept) {
        this.kept = kept;
    }

    private Partition partition(int number) {
        return partitions.computeIfAbsent(number, _ -> new Partition());
    }

    /// A producer was told that its record is stored at `offset`.
    public synchronized void acknowledged(int partition, long offset, NumberedRecord record, long nowNs) {
        acknowledgedRecords++;
        expose(partition, offset, record);
        partition(partition).acknowledged.put(offset, new Acknowledged(record, nowNs));
    }

    private void expose(int partition, long offset, NumberedRecord record) {
        NumberedRecord before = partition(partition).exposed.put(offset, record);
        if (before != null && !before.equals(record)) {
            found(Kind.REUSED_OFFSET, partition, offset, record + ", and before " + before);
        }
    }

    private void found(Kind kind, int partition, long offset, String what) {
        long count = counts.merge(kind, 1L, Long::sum);
        if (count <= kept) {
            first.add(new Anomaly(kind, partition, offset, what));
        }
    }

    /// Begins a reading of a partition.
    ///
    /// @param from offset of the first record that it will show
    public synchronized Reading reading(int partition, long from) {
        NavigableMap<Long, Acknowledged> known = partition(partition).acknowledged;
        return new Reading(partition, from, known.isEmpty() ? -1 : known.lastKey());
    }

    /// One walk through a partition, in the order of offsets. Used by one thread.
    public final class Reading {
        private final int partition;
        private final long from;
        private final long acknowledgedBefore;
        private final Map<Long, NumberedRecord> seen = new HashMap<>();
        private final Set<NumberedRecord> records = new HashSet<>();
        private final Map<Integer, Long> lastOfProducer = new HashMap<>();
        private long lastOffset = -1;

        private Reading(int partition, long from, long acknowledgedBefore) {
            this.partition = partition;
            this.from = from;
            this.acknowledgedBefore = acknowledgedBefore;
        }

        /// The next record.
        public void record(long offset, NumberedRecord record) {
            synchronized (History.this) {
                if (offset <= lastOffset) {
                    found(Kind.REORDERED, partition, offset, "offset " + offset + " comes behind " + lastOffset);
                }
                lastOffset = Math.max(lastOffset, offset);
                expose(partition, offset, record);
                seen.put(offset, record);
                if (!records.add(record)) {
                    found(Kind.DUPLICATED, partition, offset, record + " is there twice");
                    return;
                }
                @Nullable Long before = lastOfProducer.put(record.producer(), record.number());
                if (before != null && before > record.number()) {
                    found(Kind.REORDERED, partition, offset, record + " stands behind record " + before);
                }
            }
        }

        /// Bytes came that are no record.
        public void torn(long offset, String what) {
            synchronized (History.this) {
                found(Kind.TORN, partition, offset, what);
            }
        }

        /// The reading came to the end of a log that has served since before it began.
        public void endsLive(long endOffset) {
            synchronized (History.this) {
                if (endOffset <= acknowledgedBefore) {
                    found(
                            Kind.STALE,
                            partition,
                            endOffset,
                            "the log is said to end at " + endOffset + ", and offset " + acknowledgedBefore
                                    + " had been acknowledged");
                }
                missing(partition(partition).acknowledged.subMap(from, true, Math.max(from, endOffset), false));
            }
        }

        /// The reading came to the end of a log that was started again: what is missing will not come back. It
        /// is told, and forgotten.
        ///
        /// @param crashNs when it ended
        public void endsAfterCrash(long endOffset, long crashNs) {
            synchronized (History.this) {
                for (Acknowledged each :
                        missing(partition(partition).acknowledged.tailMap(from, true))) {
                    oldestLostNs = Math.max(oldestLostNs, crashNs - each.atNs());
                }
            }
        }

        private List<Acknowledged> missing(NavigableMap<Long, Acknowledged> expected) {
            List<Acknowledged> missing = new ArrayList<>();
            var all = expected.entrySet().iterator();
            while (all.hasNext()) {
                var each = all.next();
                NumberedRecord there = seen.get(each.getKey());
                NumberedRecord record = each.getValue().record();
                if (record.equals(there)) {
                    continue;
                }
                if (records.contains(record)) {
                    found(Kind.REORDERED, partition, each.getKey(), record + " stands elsewhere than acknowledged");
                } else {
                    found(Kind.LOST, partition, each.getKey(), record + " was acknowledged");
                }
                missing.add(each.getValue());
                all.remove();
            }
            return missing;
        }
    }

    /// Records that were acknowledged, lost ones included.
    public synchronized long acknowledgedRecords() {
        return acknowledgedRecords;
    }

    public synchronized long count(Kind kind) {
        return counts.getOrDefault(kind, 0L);
    }

    /// How long before the crash the oldest of the lost records had been acknowledged; 0 when none was lost.
    public synchronized long oldestLostNs() {
        return oldestLostNs;
    }

    /// The first anomalies of each kind.
    public synchronized List<Anomaly> anomalies() {
        return List.copyOf(first);
    }
}
