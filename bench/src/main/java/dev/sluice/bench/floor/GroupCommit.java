package dev.sluice.bench.floor;

import dev.sluice.log.AppendOutcome;
import dev.sluice.log.BatchView;
import dev.sluice.log.FlushPolicy;
import dev.sluice.log.LogConfig;
import dev.sluice.log.LogListener;
import dev.sluice.log.PartitionLog;
import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/// Eight producers on one partition with flush=ack, each waiting until its batch of 1 KiB is on the device.
/// `batchesPerFlush` says how many of them one flush covered.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Threads(8)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class GroupCommit {
    private @Nullable Logs logs;
    private @Nullable PartitionLog log;
    private final ReentrantLock waiting = new ReentrantLock();
    private final Condition grown = waiting.newCondition();

    /// A producer: JMH makes one a thread.
    @State(Scope.Thread)
    public static class Producer {
        private final BatchView batch = Logs.batch(1024);
    }

    /// What the flushes of an iteration came to.
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.EVENTS)
    public static class Flushes {
        private @Nullable PartitionLog log;
        private long flushesBefore;
        private long batchesBefore;

        @Setup(Level.Iteration)
        public void before(GroupCommit bench) {
            log = bench.log();
            flushesBefore = log.flushCounts().flushes();
            batchesBefore = log.flushCounts().batches();
        }

        /// JMH adds up what its threads tell, so each tells an eighth.
        public double batchesPerFlush() {
            PartitionLog counted = Objects.requireNonNull(log);
            long flushes = counted.flushCounts().flushes() - flushesBefore;
            return flushes == 0 ? 0 : (counted.flushCounts().batches() - batchesBefore) / (double) flushes / 8;
        }
    }

    @Setup
    public void open() throws IOException {
        logs = new Logs(LogConfig.DEFAULT.withFlushPolicy(FlushPolicy.ACK));
        log = logs.create();
        log.addListener(new LogListener() {
            @Override
            public void grown(PartitionLog which, long lengthBytes) {
                wake();
            }

            @Override
            public void stopped(PartitionLog which) {
                wake();
            }
        });
    }

    private void wake() {
        waiting.lock();
        try {
            grown.signalAll();
        } finally {
            waiting.unlock();
        }
    }

    @TearDown
    public void close() throws IOException {
        Objects.requireNonNull(logs).close();
    }

    private PartitionLog log() {
        return Objects.requireNonNull(log);
    }

    @Benchmark
    public long acknowledged(Producer producer, Flushes flushes) throws InterruptedException {
        if (log().append(producer.batch) != AppendOutcome.APPENDED) {
            throw new IllegalStateException("not appended");
        }
        waiting.lock();
        try {
            while (log().highWatermark() <= producer.batch.lastOffset()) {
                if (log().hasStopped()) {
                    throw new IllegalStateException(log().failure().toString());
                }
                grown.await();
            }
        } finally {
            waiting.unlock();
        }
        return producer.batch.lastOffset();
    }
}
