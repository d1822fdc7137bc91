package dev.sluice.log;

import static dev.sluice.log.Batches.T0;
import static dev.sluice.log.Batches.batch;
import static dev.sluice.log.Folder.append;
import static dev.sluice.log.Folder.assertAppended;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.async.QueueConfig;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/// When a new segment begins: Kafka's rule.
class RollTest extends FolderTest {
    private PartitionLog log;

    @Test
    void aSegmentIsFilledToItsLastByteAndNotBeyond() throws IOException {
        int bytes = batch().view().lengthBytes();
        folder.config = folder.config.withSegmentBytes(3 * bytes);
        log = folder.create("t", 0);
        for (int i = 0; i < 7; i++) {
            append(log, batch());
        }

        assertThat(folder.bases("t", 0)).containsExactly(0L, 3L, 6L);
        assertThat(Files.size(folder.file(log, 0, ".log"))).isEqualTo(3L * bytes);
    }

    /// Also where a full disk was what failed it, which passes otherwise.
    @Test
    void aFlushThatFailsAtARollStopsTheLog() throws IOException {
        folder.options = folder.options.withEngine(
                SegmentWriter.direct(new DirectOptions(DirectOptions.LEAST_POOL_BYTES, QueueConfig.Engine.BEST)));
        folder.config = folder.config.withSegmentBytes(batch().view().lengthBytes());
        log = folder.create("t", 0);
        append(log, batch());
        Faults.Fault lost = folder.faults.once(Call.FDATASYNC, "0.log", 0, Errno.ENOSPC);

        AppendOutcome outcome = log.append(batch().view());

        assertThat(lost.hits()).isEqualTo(1);
        assertThat(outcome)
                .isInstanceOfSatisfying(
                        AppendOutcome.Failed.class,
                        failed -> assertThat(failed.permanent()).isTrue());
        folder.directory().abandon();
        folder.open();
    }

    @Test
    void aBatchLargerThanASegmentIsRejected() throws IOException {
        int bytes = batch().view().lengthBytes();
        folder.config = folder.config.withSegmentBytes(bytes);
        log = folder.create("t", 0);

        assertThat(append(log, batch())).isZero();
        assertThat(log.append(batch().valueBytes(21).view()))
                .isInstanceOfSatisfying(AppendOutcome.Rejected.class, rejected -> {
                    assertThat(rejected.reason()).isEqualTo(AppendOutcome.Reason.TOO_LARGE_FOR_SEGMENT);
                    assertThat(rejected.message()).contains(Integer.toString(bytes + 1));
                });
        assertThat(folder.bases("t", 0)).containsExactly(0L);
    }

    @Test
    void aBatchMuchYoungerThanTheFirstBeginsANewSegment() throws IOException {
        folder.config = folder.config.withSegmentMs(1000);
        log = folder.create("t", 0);
        append(log, batch().timestamp(T0));
        append(log, batch().timestamp(T0 + 1000)); // not more than that
        append(log, batch().timestamp(T0 - 5000)); // older: stays
        assertThat(folder.bases("t", 0)).containsExactly(0L);

        append(log, batch().timestamp(T0 + 1001));

        assertThat(folder.bases("t", 0)).containsExactly(0L, 3L);
        log = folder.restart(log);
        append(log, batch().timestamp(T0 + 2001));
        assertThat(folder.bases("t", 0)).containsExactly(0L, 3L);
        append(log, batch().timestamp(T0 + 2002));
        assertThat(folder.bases("t", 0)).containsExactly(0L, 3L, 5L);
    }

    @Test
    void withoutTimestampsTheClockDecides() throws IOException {
        folder.config = folder.config.withSegmentMs(1000);
        log = folder.create("t", 0);
        append(log, batch().timestamp(-1));
        folder.nowMs += 1000;
        append(log, batch().timestamp(-1));
        assertThat(folder.bases("t", 0)).containsExactly(0L);

        folder.nowMs += 1;
        append(log, batch().timestamp(-1));

        assertThat(folder.bases("t", 0)).containsExactly(0L, 2L);
    }

    @Test
    void aFullOffsetIndexBeginsANewSegment() throws IOException {
        folder.config = folder.config.withIndexBytes(24).withIndexIntervalBytes(0); // 3 entries, 2 for timestamps
        log = folder.create("t", 0);
        for (int i = 0; i < 12; i++) {
            append(log, batch().timestamp(-1)); // no entries in the time index
        }

        assertThat(folder.bases("t", 0)).containsExactly(0L, 4L, 8L); // the first batch of a segment has no entry
        assertThat(Files.size(folder.file(log, 0, ".index"))).isEqualTo(24);
    }

    @Test
    void aFullTimeIndexBeginsANewSegment() throws IOException {
        folder.config = folder.config.withIndexBytes(36).withIndexIntervalBytes(0); // 4 entries, 3 for timestamps
        log = folder.create("t", 0);
        for (int i = 0; i < 6; i++) {
            append(log, batch().timestamp(T0 + i));
        }

        assertThat(folder.bases("t", 0)).containsExactly(0L, 3L);
        assertThat(Files.size(folder.file(log, 0, ".timeindex"))).isEqualTo(24);
        assertThat(log.offsetForTimestamp(T0 + 2, Batches.CODEC)).contains(new TimestampedOffset(T0 + 2, 2, 0));
    }

    @Test
    void offsetsThatNoIndexCanHoldBeginANewSegment() throws IOException {
        log = folder.create("t", 0);
        int half = 1 << 30;
        append(log, batch());
        append(log, withLastOffsetDelta(half - 1));
        BatchView last = withLastOffsetDelta(half - 2);
        assertAppended(log.append(last), last, half + 1L, 2L * half - 1);
        assertThat(folder.bases("t", 0)).containsExactly(0L);

        assertThat(append(log, withLastOffsetDelta(0))).isEqualTo(1L << 31);

        assertThat(folder.bases("t", 0)).containsExactly(0L, 1L << 31);
        for (long offset : new long[] {0, 1, half, half + 1L, (1L << 31) - 1, 1L << 31}) {
            BatchView view = Batches.view(folder.read(log, offset, 1));
            assertThat(offset).isBetween(view.baseOffset(), view.lastOffset());
        }
        log = folder.crash(log);
        assertThat(log.logEndOffset()).isEqualTo((1L << 31) + 1);
        assertThat(folder.report(log).cut()).isNull();
    }

    /// A batch that claims so many records: the log does not count them.
    private static BatchView withLastOffsetDelta(int delta) {
        byte[] bytes = batch().bytes();
        ByteBuffer.wrap(bytes).putInt(23, delta).putInt(57, delta + 1);
        return Batches.view(Batches.withCrc(bytes));
    }

    @Test
    void aNewSizeCountsFromTheNextAppendOn() throws IOException {
        int bytes = batch().view().lengthBytes();
        log = folder.create("t", 0);
        append(log, batch());
        append(log, batch());
        assertThat(folder.bases("t", 0)).containsExactly(0L);

        log.configure(folder.config.withSegmentBytes(2 * bytes));
        append(log, batch());

        assertThat(log.config().segmentBytes()).isEqualTo(2 * bytes);
        assertThat(folder.bases("t", 0)).containsExactly(0L, 2L);
    }

    @Test
    void aRollWritesTheProducersDown() throws IOException {
        int bytes = batch().producer(1, 0, 0).view().lengthBytes();
        folder.config = folder.config.withSegmentBytes(bytes);
        log = folder.create("t", 0);
        append(log, batch().producer(1, 0, 0));
        append(log, batch().producer(1, 0, 1));

        assertThat(folder.file(log, 1, ".snapshot")).exists();
        assertThat(ProducerSnapshot.parse(Files.readAllBytes(folder.file(log, 1, ".snapshot")))
                        .all())
                .containsOnlyKeys(1L);
    }

    /// Else a power cut could leave a hole in one, which opening does not look for.
    @Test
    void theIndexesOfASealedSegmentAreFlushedOnceAndThoseMadeAnewToo() throws IOException {
        folder.config =
                folder.config.withSegmentBytes(2 * batch().view().lengthBytes()).withIndexIntervalBytes(0);
        log = folder.create("t", 0);
        AtomicInteger flushes = new AtomicInteger();
        folder.faults.whenever(Call.FDATASYNC, "index", flushes::incrementAndGet);
        for (int i = 0; i < 5; i++) {
            append(log, batch());
        }

        folder.directory().checkpoint();
        assertThat(flushes.getAndSet(0)).isEqualTo(4);
        folder.directory().checkpoint();
        assertThat(flushes).hasValue(0);

        append(log, batch());
        append(log, batch());
        log = folder.crash(log);
        flushes.set(0);
        folder.directory().checkpoint();
        assertThat(flushes).as("of the one that lay behind the recovery point").hasValue(2);
    }

    @Test
    void theConfigurationNamesWhatIsWrong() {
        org.assertj.core.api.Assertions.assertThatThrownBy(() -> LogConfig.DEFAULT.withSegmentBytes(60))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("segment.bytes is 60, and must be at least 61");
        org.assertj.core.api.Assertions.assertThatThrownBy(() -> LogConfig.DEFAULT.withSegmentMs(0))
                .hasMessageContaining("segment.ms");
        org.assertj.core.api.Assertions.assertThatThrownBy(() -> LogConfig.DEFAULT.withIndexBytes(23))
                .hasMessageContaining("segment.index.bytes");
    }
}
