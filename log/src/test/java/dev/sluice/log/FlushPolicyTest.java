package dev.sluice.log;

import static dev.sluice.log.Batches.T0;
import static dev.sluice.log.Batches.batch;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.testkit.ManualTime;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// When a log is flushed, what one flush covers, and what readers see before it.
@Timeout(180)
class FlushPolicyTest extends FolderTest {
    private static final long MS = 1_000_000;
    private static final long FLUSH_TAKES_NS = 4 * MS;

    private final ManualTime time = new ManualTime(false);
    private PartitionLog log;

    /// `grown 100`, `stopped`.
    private final List<String> heard = new ArrayList<>();

    @BeforeEach
    void options() {
        folder.options =
                new LogDirectory.Options(2, 16, Folder.engine(), folder.options.ids(), () -> Folder.flushing(time));
    }

    private void create(FlushPolicy policy) throws IOException {
        folder.config = folder.config.withFlushPolicy(policy);
        log = folder.create("t", 0);
        log.addListener(new LogListener() {
            @Override
            public void grown(PartitionLog same, long lengthBytes) {
                heard.add("grown " + lengthBytes);
            }

            @Override
            public void stopped(PartitionLog same) {
                heard.add("stopped");
            }
        });
    }

    /// From now on the device takes its time.
    private Faults.Fault slowDevice() {
        return folder.faults.whenever(Call.FDATASYNC, ".log", () -> time.take(FLUSH_TAKES_NS));
    }

    private void append(int times) {
        for (int i = 0; i < times; i++) {
            Folder.append(log, batch());
        }
    }

    @Test
    void underAckNothingIsSeenBeforeItIsOnTheDevice() throws IOException {
        create(FlushPolicy.ACK);
        Folder.append(log, batch().timestamp(T0 + 5));

        assertThat(log.logEndOffset()).isEqualTo(1);
        assertThat(log.highWatermark()).isZero();
        assertThat(log.read(0, 1000, true)).isEqualTo(new ReadOutcome.AtEnd(0));
        assertThat(log.offsetOfMaxTimestamp(Batches.CODEC)).isEmpty();
        assertThat(log.offsetForTimestamp(T0, Batches.CODEC)).isEmpty();
        assertThat(heard).isEmpty();

        time.run();

        assertThat(log.highWatermark()).isEqualTo(1);
        assertThat(log.recoveryPoint()).isEqualTo(1);
        assertThat(folder.read(log, 0, 1)).isNotEmpty();
        assertThat(log.offsetOfMaxTimestamp(Batches.CODEC)).isPresent();
        assertThat(heard).containsExactly("grown " + log.bytesOnDisk());
    }

    @Test
    void theControlUnderOsItIsSeenAtOnceAndNothingIsFlushed() throws IOException {
        create(FlushPolicy.OS);
        append(1);
        time.run(); // its ceiling
        heard.clear();
        append(1);

        assertThat(log.highWatermark()).isEqualTo(2);
        assertThat(folder.read(log, 1, 1)).isNotEmpty();
        assertThat(heard).hasSize(1);
        assertThat(time.isIdle()).isTrue();
        assertThat(log.recoveryPoint()).isZero();
    }

    @Test
    void oneFlushCoversAllThatCameMeanwhile() throws IOException {
        create(FlushPolicy.ACK);
        Faults.Fault first = folder.faults.whenCalled(Call.FDATASYNC, ".log", 0, () -> append(7));
        append(1);
        time.run();

        assertThat(first.hits()).isEqualTo(1);
        assertThat(log.highWatermark()).isEqualTo(8);
        assertThat(log.flushCounts().flushes()).isEqualTo(2);
        assertThat(log.flushCounts().batches()).isEqualTo(8);
    }

    @Test
    void aCrowdOfProducersBecomesOneAndIsNotSplitIntoTwoThatTakeTurns() throws IOException {
        create(FlushPolicy.ACK);
        folder.faults.whenCalled(Call.FDATASYNC, ".log", 1, () -> append(5));
        slowDevice();
        append(3);
        time.run(); // 3 were covered, and it is known how long it takes
        append(3);
        time.run(); // the 3, while 5 others came

        append(2); // two of the three come back
        time.run();
        assertThat(log.highWatermark()).as("the 5 wait for the third").isEqualTo(6);
        append(1);
        time.run();

        assertThat(log.highWatermark()).isEqualTo(14);
        assertThat(log.flushCounts().flushes()).isEqualTo(3);
        assertThat(log.flushCounts().batches()).isEqualTo(14);
    }

    @Test
    void whoDoesNotComeBackIsWaitedForHalfAFlushOnce() throws IOException {
        create(FlushPolicy.ACK);
        slowDevice();
        append(4);
        time.run();
        append(2);
        time.pass(FLUSH_TAKES_NS / 2 - 1);
        assertThat(log.highWatermark()).isEqualTo(4);
        time.pass(1);
        assertThat(log.highWatermark()).isEqualTo(6);
        append(2);
        time.run();
        assertThat(log.highWatermark()).as("two are expected now").isEqualTo(8);
    }

    @Test
    void whoSendsAloneOrAfterARestNeverWaitsForOthers() throws IOException {
        create(FlushPolicy.ACK);
        slowDevice();
        append(4);
        time.run();
        time.pass(2 * FLUSH_TAKES_NS + 1);
        append(1);
        time.run();
        assertThat(log.highWatermark()).isEqualTo(5);
        append(1);
        time.run();
        assertThat(log.highWatermark()).isEqualTo(6);
    }

    @Test
    void theBoundOfReadersCrossesSegmentsAndEveryByteIsTold() throws IOException {
        folder.config = folder.config.withSegmentBytes(2000);
        create(FlushPolicy.ACK);
        for (int i = 0; i < 30; i++) {
            Folder.append(log, batch().valueBytes(150).timestamp(T0 + i));
            if (i % 7 == 4) {
                time.run();
                assertThat(log.highWatermark()).isEqualTo(i + 1);
            }
            long end = log.highWatermark();
            if (end > 0) {
                assertThat(Batches.view(folder.read(log, end - 1, 1)).baseOffset())
                        .isEqualTo(end - 1);
                assertThat(log.offsetOfMaxTimestamp(Batches.CODEC).orElseThrow().offset())
                        .isEqualTo(end - 1);
            }
            assertThat(log.read(i + 1, 1000, true)).isEqualTo(new ReadOutcome.AtEnd(end));
        }
        time.run();

        assertThat(heard.stream()
                        .mapToLong(line -> Long.parseLong(line.split(" ")[1]))
                        .sum())
                .isEqualTo(log.bytesOnDisk());
    }

    @Test
    void theNamesOfNewFilesAreOnTheDeviceBeforeWhatIsInThemIsSeen() throws IOException {
        folder.config = folder.config.withSegmentBytes(2000);
        create(FlushPolicy.ACK);
        Faults.Fault names = folder.faults.whenever(
                Call.FSYNC, "t-0", () -> assertThat(log.highWatermark()).isLessThan(log.logEndOffset()));
        append(1);
        time.run();
        assertThat(names.hits()).as("nothing new since it was made").isZero();
        for (int i = 0; i < 20; i++) {
            Folder.append(log, batch().valueBytes(150));
        }
        time.run();
        assertThat(names.hits()).as("after rolls").isEqualTo(1);
    }

    @Test
    void aFailedFlushAcknowledgesNothingAndIsNotTriedAgain() throws IOException {
        create(FlushPolicy.ACK);
        append(2);
        time.run();
        Faults.Fault lost = folder.faults.once(Call.FDATASYNC, ".log", 0, Errno.EIO);
        append(3);
        heard.clear();
        time.run();

        assertThat(lost.hits()).isEqualTo(1);
        assertThat(heard).containsExactly("stopped");
        assertThat(log.highWatermark()).isEqualTo(2);
        assertThat(log.failure().orElseThrow().message()).contains("EIO", "from offset 2 on", "restarted");
        assertThat(log.append(batch().view())).isInstanceOf(AppendOutcome.Failed.class);
        time.pass(TimeUnit.HOURS.toNanos(1));
        assertThat(log.flushCounts().flushes()).isEqualTo(2);
        assertThat(log.read(2, 1000, true)).isEqualTo(new ReadOutcome.AtEnd(2));
        folder.directory().abandon();
    }

    @Test
    void aFlushThatCouldNotBeTriedIsTriedAgain() throws IOException {
        folder.config = folder.config.withSegmentBytes(100);
        create(FlushPolicy.ACK);
        append(1);
        time.run();
        Faults.Fault none = folder.faults.once(Call.OPENAT, "t-0", 0, Errno.EMFILE); // the folder, to sync it
        append(1); // in a new segment
        time.run();
        assertThat(none.hits()).isEqualTo(1);
        assertThat(log.highWatermark()).isEqualTo(1);
        assertThat(log.failure()).isEmpty();
        assertThat(log.flushProblem()).get().asString().contains("t-0", "EMFILE");

        time.pass(TimeUnit.SECONDS.toNanos(1));

        assertThat(log.highWatermark()).isEqualTo(2);
        assertThat(log.flushProblem()).isEmpty();
    }

    @Test
    void anIntervalFlushesAfterSoManyMillisecondsOfTheOldestRecord() throws IOException {
        folder.config = folder.config.withFlushMs(50);
        create(FlushPolicy.OS);
        assertThat(log.config().effectiveFlushPolicy()).isEqualTo(FlushPolicy.INTERVAL);
        append(1);
        time.run(); // its ceiling
        assertThat(log.highWatermark()).isEqualTo(1);
        time.pass(30 * MS);
        append(1);
        time.pass(20 * MS - 1);
        assertThat(log.recoveryPoint()).isZero();
        time.pass(1);
        assertThat(log.recoveryPoint()).isEqualTo(2);
        time.pass(1000 * MS);
        assertThat(log.flushCounts().flushes())
                .as("nothing new, nothing to flush")
                .isEqualTo(1);
    }

    @Test
    void anIntervalFlushesAfterSoManyRecords() throws IOException {
        folder.config = folder.config.withFlushMessages(10);
        create(FlushPolicy.OS);
        append(9);
        time.run();
        assertThat(log.recoveryPoint()).isZero();
        append(1);
        time.run();
        assertThat(log.recoveryPoint()).isEqualTo(10);
        assertThat(time.isIdle()).isTrue();
    }

    @Test
    void theStrictestOfTheThreeSettingsHolds() {
        LogConfig config = LogConfig.DEFAULT;
        assertThat(config.describeFlushPolicy()).isEqualTo("os");
        assertThat(config.withFlushPolicy(FlushPolicy.INTERVAL).describeFlushPolicy())
                .isEqualTo("interval (1000 ms)");
        assertThat(config.withFlushMs(5).withFlushMessages(9).describeFlushPolicy())
                .isEqualTo("interval (5 ms, 9 records)");
        assertThat(config.withFlushMessages(9).describeFlushPolicy()).isEqualTo("interval (9 records)");
        assertThat(config.withFlushMessages(1).describeFlushPolicy()).isEqualTo("ack");
        assertThat(config.withFlushPolicy(FlushPolicy.ACK).withFlushMs(5).describeFlushPolicy())
                .isEqualTo("ack");
    }

    @Test
    void aPolicyThatIsChangedHoldsFromTheNextAppendOn() throws IOException {
        create(FlushPolicy.OS);
        append(2);
        time.run(); // its ceiling
        log.configure(folder.config.withFlushPolicy(FlushPolicy.ACK));
        assertThat(log.highWatermark()).as("what was seen stays so").isEqualTo(2);
        append(1);
        assertThat(log.highWatermark()).isEqualTo(2);
        log.configure(folder.config);
        append(1);
        assertThat(log.highWatermark()).as("until the flush that was asked for").isEqualTo(2);
        folder.faults.whenCalled(Call.FDATASYNC, ".log", 0, () -> append(1));
        time.run();
        assertThat(log.highWatermark()).isEqualTo(5);
        append(1);
        assertThat(log.highWatermark()).isEqualTo(6);
    }

    @Test
    void aPolicyThatIsSetAfterRecoveryFlushesWhatWasFound() throws IOException {
        create(FlushPolicy.OS);
        append(2);
        time.run(); // its ceiling
        folder.options = new LogDirectory.Options(2, 16, Folder.engine(), folder.options.ids(), Folder::atOnce);
        log = folder.crash(log);
        assertThat(log.recoveryPoint())
                .as("recovered as one that is not flushed")
                .isZero();
        log.configure(folder.config.withFlushPolicy(FlushPolicy.ACK));
        assertThat(log.recoveryPoint()).isEqualTo(2);
        assertThat(log.owesFlush()).isFalse();
    }

    @Test
    void anEndWhileBatchesWaitTellsThatTheyAreNot() throws IOException {
        create(FlushPolicy.ACK);
        append(1);
        folder.directory().delete(log);
        assertThat(heard).containsExactly("stopped");
        time.run();
        assertThat(log.highWatermark()).isZero();
        assertThat(log.hasStopped()).isTrue();
    }
}
