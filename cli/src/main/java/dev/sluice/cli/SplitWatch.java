package dev.sluice.cli;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.errors.RecordTooLargeException;

/// Ends a run in which Kafka's client would send the same records for ever.
///
/// When a broker finds a batch too large, the client (seen in 4.3.1) cuts it in two and sends the parts. It sizes a
/// part by its largest record with a few bytes to spare, and when a short record fits into those bytes the part is the
/// batch it was, which is refused again, thousands of times a second and past every time-out. A long line before an
/// empty one is all it takes. So the client's own count of splits is watched: many of them with nothing acknowledged in
/// between are that loop. A split that makes progress halves the batch, and 20 halvings take a million bytes to one.
///
/// Has a thread of its own while it is open.
final class SplitWatch implements AutoCloseable {
    /// 20 halvings of each of the 5 batches in flight are 100 splits without an acknowledgement; this is ten times
    /// that.
    private static final long MOST_SPLITS = 1_000;

    private static final long LOOK_EVERY_NS = TimeUnit.MILLISECONDS.toNanos(100);

    private final LongSupplier splits;
    private final Acknowledgements acknowledged;
    private final Runnable stop;

    /// Written by whoever closes, read by the watching thread.
    private volatile boolean closed;

    private long splitsBefore;
    private long acknowledgedBefore;

    /// @param splits how many batches were split so far
    /// @param stop   gives up what is in flight
    SplitWatch(LongSupplier splits, Acknowledgements acknowledged, Runnable stop) {
        this.splits = splits;
        this.acknowledged = acknowledged;
        this.stop = stop;
    }

    /// Watches a producer until closed. On finding the loop it notes the failure and closes the producer, which
    /// ends a flush that waits for it.
    static SplitWatch start(Producer<?, ?> producer, Acknowledgements acknowledged) {
        SplitWatch watch = new SplitWatch(() -> splitsOf(producer), acknowledged, () -> producer.close(Duration.ZERO));
        Thread.ofPlatform().daemon().name("split-watch").start(watch::run);
        return watch;
    }

    private void run() {
        while (!closed && !look()) {
            LockSupport.parkNanos(LOOK_EVERY_NS);
        }
    }

    /// Looks once.
    ///
    /// @return true if the loop was found and ended
    boolean look() {
        long splitsNow = splits.getAsLong();
        long acknowledgedNow = acknowledged.records();
        if (acknowledgedNow != acknowledgedBefore) {
            acknowledgedBefore = acknowledgedNow;
            splitsBefore = splitsNow;
            return false;
        }
        if (splitsNow - splitsBefore <= MOST_SPLITS) {
            return false;
        }
        acknowledged.onCompletion(null, new RecordTooLargeException("refused by the broker however it was split"));
        stop.run();
        return true;
    }

    private static long splitsOf(Producer<?, ?> producer) {
        for (Metric metric : producer.metrics().values()) {
            if (metric.metricName().name().equals("batch-split-total")
                    && metric.metricName().group().equals("producer-metrics")) {
                return ((Number) metric.metricValue()).longValue();
            }
        }
        return 0;
    }

    @Override
    public void close() {
        closed = true;
    }
}
