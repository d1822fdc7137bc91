package dev.sluice.log;

import static dev.sluice.log.Batches.T0;
import static dev.sluice.log.Batches.batch;
import static dev.sluice.log.Folder.append;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Readers beside appenders, through rolls, rests, checkpoints and at last the deletion of the log.
class LogConcurrencyTest {
    private static final int BATCHES = 6000;
    private static final int RECORDS = 3;

    @TempDir
    Path temporary;

    private final List<Throwable> failures = java.util.Collections.synchronizedList(new ArrayList<>());

    private Thread start(Body body) {
        return Thread.ofPlatform().start(() -> {
            try {
                body.run();
            } catch (Throwable t) {
                failures.add(t);
            }
        });
    }

    private interface Body {
        void run() throws Exception;
    }

    /// Reads from `offset` on, checks every whole batch that it got, and answers the offset behind the last.
    private static long consume(Folder folder, PartitionLog log, long offset, int maxBytes) throws IOException {
        long endBefore = log.highWatermark();
        ReadOutcome outcome = log.read(offset, maxBytes, true);
        if (!(outcome instanceof ReadOutcome.Found found)) {
            // What was published is there.
            assertThat(offset).isGreaterThanOrEqualTo(endBefore);
            return offset;
        }
        byte[] bytes = folder.take(found);
        long endAfter = log.highWatermark();
        long next = offset;
        int at = 0;
        while (bytes.length - at >= BatchView.HEADER_BYTES) {
            BatchView header = Batches.view(java.util.Arrays.copyOfRange(bytes, at, at + BatchView.HEADER_BYTES));
            int length = (int) header.batchLengthBytes();
            if (at + length > bytes.length) {
                break; // cut by the limit, as it may be
            }
            BatchView whole = Batches.view(java.util.Arrays.copyOfRange(bytes, at, at + length));
            assertThat(whole.computeCrc()).as("a torn batch at offset %d", next).isEqualTo(whole.crc());
            assertThat(whole.baseOffset()).isEqualTo(at == 0 ? offset / RECORDS * RECORDS : next);
            assertThat(whole.lastOffset()).as("beyond what is published").isLessThan(endAfter);
            next = whole.lastOffset() + 1;
            at += length;
        }
        assertThat(at).as("at least one whole batch").isPositive();
        return next;
    }

    @Test
    void readersSeeWholeBatchesAndNothingThatIsNotPublished() throws Exception {
        try (Folder folder = new Folder(temporary.resolve("data"))) {
            folder.options = new LogDirectory.Options(1, 2, Folder.engine(), UUID::randomUUID, Folder::atOnce);
            folder.config = folder.config.withSegmentBytes(20_000).withIndexIntervalBytes(200);
            PartitionLog log = folder.create("t", 0);
            AtomicBoolean done = new AtomicBoolean();
            AtomicLong tailBatches = new AtomicLong();
            List<Thread> threads = new ArrayList<>();

            AtomicInteger appenders = new AtomicInteger(2);
            for (int appender = 0; appender < 2; appender++) {
                threads.add(start(() -> {
                    try {
                        for (int i = 0; i < BATCHES / 2; i++) {
                            append(
                                    log,
                                    batch().records(RECORDS)
                                            .valueBytes(i % 200)
                                            .timestamp(T0 + i)
                                            .seed(i));
                        }
                    } finally {
                        done.set(appenders.decrementAndGet() == 0);
                    }
                }));
            }
            threads.add(start(
                    () -> { // at the tail
                        long next = 0;
                        while (!done.get() || next < log.highWatermark()) {
                            long before = next;
                            next = consume(folder, log, next, 3000);
                            tailBatches.addAndGet((next - before) / RECORDS);
                        }
                        assertThat(next).isEqualTo((long) BATCHES * RECORDS);
                    }));
            threads.add(start(
                    () -> { // anywhere
                        while (!done.get()) {
                            consume(folder, log, ThreadLocalRandom.current().nextLong(log.highWatermark() + 1), 2000);
                        }
                    }));
            threads.add(start(
                    () -> { // by time
                        while (!done.get()) {
                            long wanted = T0 + ThreadLocalRandom.current().nextInt(BATCHES / 2);
                            log.offsetForTimestamp(wanted, Batches.CODEC)
                                    .ifPresent(found ->
                                            assertThat(found.timestampMs()).isGreaterThanOrEqualTo(wanted));
                        }
                    }));
            threads.add(start(
                    () -> { // the broker's housekeeping
                        while (!done.get()) {
                            log.rest();
                            folder.directory().checkpoint();
                        }
                    }));
            for (Thread thread : threads) {
                thread.join();
            }

            assertThat(failures).isEmpty();
            assertThat(tailBatches).hasValue(BATCHES);
            assertThat(log.logEndOffset()).isEqualTo((long) BATCHES * RECORDS);
            assertThat(OpenHandles.descriptors(folder.path).size())
                    .isLessThanOrEqualTo(1 + 1 + 2 + Folder.engineDescriptors());
        }
    }

    @Test
    void readersOutliveADeletion() throws Exception {
        try (Folder folder = new Folder(temporary.resolve("data"))) {
            folder.config = folder.config.withSegmentBytes(5_000);
            folder.open();
            for (int round = 0; round < 30; round++) {
                PartitionLog log = folder.create("t", 0);
                for (int i = 0; i < 40; i++) {
                    append(log, batch().records(RECORDS).valueBytes(100).seed(i));
                }
                List<Thread> readers = new ArrayList<>();
                for (int i = 0; i < 3; i++) {
                    readers.add(start(() -> {
                        ReadOutcome outcome;
                        do {
                            long offset = ThreadLocalRandom.current().nextLong(40 * RECORDS);
                            outcome = log.read(offset, 1, true);
                            if (outcome instanceof ReadOutcome.Found found) {
                                BatchView view = Batches.view(folder.take(found));
                                assertThat(view.computeCrc()).isEqualTo(view.crc());
                            }
                        } while (outcome instanceof ReadOutcome.Found);
                        assertThat(outcome).isEqualTo(new ReadOutcome.Closed());
                    }));
                }
                Thread appender = start(() -> {
                    while (log.append(batch().records(RECORDS).view()) instanceof AppendOutcome.Appended) {
                        Thread.onSpinWait();
                    }
                });
                folder.directory().delete(log);
                for (Thread reader : readers) {
                    reader.join();
                }
                appender.join();
            }
            assertThat(failures).isEmpty();
        }
    }
}
