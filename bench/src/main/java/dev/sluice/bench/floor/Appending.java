package dev.sluice.bench.floor;

import dev.sluice.log.AppendOutcome;
import dev.sluice.log.BatchProblem;
import dev.sluice.log.BatchView;
import dev.sluice.log.LogConfig;
import dev.sluice.log.PartitionLog;
import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// What a batch costs the log: its checks, of which the CRC is most, and the whole append behind them, to the page
/// cache. Each iteration has a partition of its own, so that memory goes round.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 5, time = 250, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 250, timeUnit = TimeUnit.MILLISECONDS)
public class Appending {
    @Param({"1024", "16384", "262144", "1000000"})
    public int batchBytes;

    private @Nullable Logs logs;
    private @Nullable PartitionLog log;
    private BatchView batch = new BatchView();

    @Setup
    public void open() throws IOException {
        logs = new Logs(LogConfig.DEFAULT);
        batch = Logs.batch(batchBytes);
    }

    @Setup(Level.Iteration)
    public void create() throws IOException {
        log = logs().create();
    }

    @TearDown(Level.Iteration)
    public void delete() throws IOException {
        logs().delete(log());
    }

    @TearDown
    public void close() throws IOException {
        logs().close();
    }

    private Logs logs() {
        return Objects.requireNonNull(logs);
    }

    private PartitionLog log() {
        return Objects.requireNonNull(log);
    }

    @Benchmark
    public @Nullable BatchProblem check() {
        return batch.check(Integer.MAX_VALUE);
    }

    @Benchmark
    public AppendOutcome append() {
        AppendOutcome outcome = log().append(batch);
        if (!(outcome instanceof AppendOutcome.Appended)) {
            throw new IllegalStateException(outcome.toString());
        }
        return outcome;
    }
}
