package dev.sluice.bench.floor;

import dev.sluice.log.BatchView;
import dev.sluice.log.LogConfig;
import dev.sluice.log.PartitionLog;
import dev.sluice.log.ReadOutcome;
import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// From an offset to a span: near the end by the ring of newest batches, further back by index and batch headers. A log
/// of 256 MiB in 16 segments, all of it in the page cache.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class SpanLookup {
    private static final int LOG_BYTES = 256 << 20;
    private static final int BATCH_BYTES = 16 << 10;
    private static final int MOST_BYTES = 1 << 20;
    private static final long STRIDE = 7_919; // a prime: passes over all offsets in no order that a cache follows

    private @Nullable Logs logs;
    private @Nullable PartitionLog log;
    private long offset;

    @Setup
    public void fill() throws IOException {
        logs = new Logs(LogConfig.DEFAULT.withSegmentBytes(LOG_BYTES / 16));
        log = logs.create();
        BatchView batch = Logs.batch(BATCH_BYTES);
        for (long written = 0; written < LOG_BYTES; written += batch.lengthBytes()) {
            log.append(batch);
        }
    }

    @TearDown
    public void close() throws IOException {
        Objects.requireNonNull(logs).close();
    }

    @Benchmark
    public long nearTheEnd() throws IOException {
        return find(log().logEndOffset() - 1);
    }

    @Benchmark
    public long anywhere() throws IOException {
        offset = (offset + STRIDE) % log().logEndOffset();
        return find(offset);
    }

    private PartitionLog log() {
        return Objects.requireNonNull(log);
    }

    private long find(long wanted) throws IOException {
        if (log().read(wanted, MOST_BYTES, true) instanceof ReadOutcome.Found found) {
            found.span().hold().release();
            return found.firstBaseOffset();
        }
        throw new IllegalStateException("offset " + wanted + " is not in the log");
    }
}
