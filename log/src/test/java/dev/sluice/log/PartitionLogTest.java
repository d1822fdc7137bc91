package dev.sluice.log;

import static dev.sluice.log.Batches.T0;
import static dev.sluice.log.Batches.batch;
import static dev.sluice.log.Folder.append;
import static dev.sluice.log.Folder.assertAppended;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Call;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class PartitionLogTest extends FolderTest {
    @Test
    void nobodyIsToldOfAnEndThatTheHighWatermarkHasNotPassed() throws IOException {
        PartitionLog log = folder.create("ends", 0);
        for (int i = 0; i < 300; i++) {
            Folder.append(log, batch().records(20));
            long told = log.readableEnd().offset();
            assertThat(told).isLessThanOrEqualTo(log.highWatermark());
        }
    }

    @Test
    void aNewLogIsEmpty() throws IOException {
        PartitionLog log = folder.create("t", 0);

        assertThat(log.logStartOffset()).isZero();
        assertThat(log.logEndOffset()).isZero();
        assertThat(log.read(0, 100, true)).isEqualTo(new ReadOutcome.AtEnd(0));
        assertThat(log.read(1, 100, true)).isEqualTo(new ReadOutcome.OutOfRange(0, 0));
    }

    @Test
    void whatIsAppendedIsReadBackWithOffsetsAndEpochPatched() throws IOException {
        PartitionLog log = folder.create("t", 0);
        BatchView first = batch().records(3).view();
        BatchView second = batch().records(2).seed(2).view();

        assertAppended(log.append(first), first, 0, 2);
        assertAppended(log.append(second), second, 3, 4);

        ByteArrayOutputStream expected = new ByteArrayOutputStream();
        expected.write(Batches.bytesOf(first));
        expected.write(Batches.bytesOf(second));
        assertThat(folder.read(log, 0, 1 << 20)).isEqualTo(expected.toByteArray());
        assertThat(folder.read(log, 4, 1 << 20)).isEqualTo(Batches.bytesOf(second));
        assertThat(second.baseOffset()).isEqualTo(3);
        assertThat(second.leaderEpoch()).isZero();
        assertThat(second.computeCrc()).isEqualTo(second.crc());
        assertThat(log.logEndOffset()).isEqualTo(5);
    }

    @Test
    void aReadEndsAtItsByteLimitButHoldsTheFirstBatchWhole() throws IOException {
        PartitionLog log = folder.create("t", 0);
        append(log, batch().valueBytes(500));
        append(log, batch().valueBytes(500));

        assertThat(folder.take(log.read(0, 600, false))).hasSize(600);
        assertThat(folder.take(log.read(0, 10, false))).hasSize(10);
        assertThat(folder.take(log.read(0, 0, false))).isEmpty();
        int first = batch().valueBytes(500).bytes().length;
        assertThat(folder.take(log.read(0, 10, true))).hasSize(first);
        assertThat(folder.take(log.read(1, 0, true))).hasSize(first);
    }

    @Test
    void whoReadsOneBatchAfterTheOtherHasOneHeaderReadForEach() throws IOException {
        PartitionLog log = folder.create("t", 0);
        int old = 100; // too old for the ring of the newest, and many between two entries of the index
        for (int i = 0; i < old + BatchRing.SIZE; i++) {
            append(log, batch().records(2).seed(i));
        }
        long before = log.account().count(Call.PREAD).calls();

        for (int i = 0; i < old; i++) {
            ReadOutcome.Found found = (ReadOutcome.Found) log.read(2L * i, 1, true);
            assertThat(found.firstBaseOffset()).isEqualTo(2L * i);
            assertThat(Batches.view(folder.take(found)).baseOffset()).isEqualTo(2L * i);
        }

        long takes = old; // the test's own, of what was found
        assertThat(log.account().count(Call.PREAD).calls() - before).isEqualTo(old + takes);
    }

    @Test
    void aFullSegmentIsRolledAndReadingGoesOnInTheNext() throws IOException {
        folder.config = folder.config.withSegmentBytes(4096);
        PartitionLog log = folder.create("t", 0);
        for (int i = 0; i < 100; i++) {
            append(log, batch().records(2).valueBytes(200).seed(i).timestamp(T0 + i));
        }

        for (int i = 0; i < 200; i++) {
            ReadOutcome.Found found = (ReadOutcome.Found) log.read(i, 1, true);
            assertThat(found.firstBaseOffset()).isEqualTo(i / 2 * 2L);
            BatchView view = Batches.view(folder.take(found));
            assertThat(view.baseOffset()).isEqualTo(i / 2 * 2L);
            assertThat(view.computeCrc()).isEqualTo(view.crc());
        }
        assertThat(log.read(200, 1, true)).isEqualTo(new ReadOutcome.AtEnd(200));
    }

    @Test
    void aCleanRestartKeepsEverything() throws IOException {
        folder.config = folder.config.withSegmentBytes(4096);
        PartitionLog log = folder.create("t", 0);
        for (int i = 0; i < 50; i++) {
            append(log, batch().valueBytes(200).seed(i));
        }
        byte[] before = folder.read(log, 30, 1 << 20);

        log = folder.restart(log);

        assertThat(folder.directory().recoveryReport().clean()).isTrue();
        assertThat(folder.report(log).segmentsScanned()).isZero();
        assertThat(log.logEndOffset()).isEqualTo(50);
        assertThat(folder.read(log, 30, 1 << 20)).isEqualTo(before);
        assertThat(append(log, batch())).isEqualTo(50);
    }

    @Test
    void aCrashLosesNothingThatWasAnswered() throws IOException {
        folder.config = folder.config.withSegmentBytes(4096);
        PartitionLog log = folder.create("t", 0);
        for (int i = 0; i < 50; i++) {
            append(log, batch().valueBytes(200).seed(i));
        }
        byte[] before = folder.read(log, 30, 1 << 20);

        log = folder.crash(log);

        assertThat(folder.directory().recoveryReport().clean()).isFalse();
        assertThat(folder.report(log).cut()).isNull();
        assertThat(folder.report(log).batchesScanned()).isEqualTo(50);
        assertThat(log.logEndOffset()).isEqualTo(50);
        assertThat(folder.read(log, 30, 1 << 20)).isEqualTo(before);
        assertThat(append(log, batch())).isEqualTo(50);
    }

    @Test
    void aDuplicateIsAnsweredWithItsOriginalOffsets() throws IOException {
        PartitionLog log = folder.create("t", 0);
        append(log, batch().records(5));
        append(log, batch().records(3).producer(9, 0, 0));
        append(log, batch().records(3).producer(9, 0, 3));

        assertThat(log.append(batch().records(3).producer(9, 0, 0).view()))
                .isEqualTo(new AppendOutcome.Duplicate(5, 7, -1, 0));
        assertThat(log.logEndOffset()).isEqualTo(11);
        assertThat(append(log, batch().producer(9, 0, 6))).isEqualTo(11);
    }
}
