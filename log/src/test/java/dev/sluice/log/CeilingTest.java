package dev.sluice.log;

import static dev.sluice.log.Batches.T0;
import static dev.sluice.log.Batches.batch;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.testkit.ManualTime;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// No offset stands for two records, whatever was lost.
@Timeout(180)
class CeilingTest extends FolderTest {
    private PartitionLog log;

    @BeforeEach
    void aLog() throws IOException {
        folder.options = folder.options.withEngine(Folder.unpaddedEngine());
        log = folder.create("t", 0);
    }

    private long append() {
        return Folder.append(log, batch().records(2).timestamp(T0));
    }

    /// The power goes: of the active segment only so many bytes had been written.
    private void powerLoss(long keptBytes) throws IOException {
        Path active = folder.file(log, log.leaderEpoch() == 0 ? 0 : newestBase(), ".log");
        folder.directory().abandon();
        folder.forgetPageCache();
        Files.write(active, Arrays.copyOf(Files.readAllBytes(active), (int) keptBytes));
    }

    private long newestBase() throws IOException {
        return folder.bases("t", 0).getLast();
    }

    private void reopen() throws IOException {
        folder.open();
        log = folder.log("t", 0);
    }

    private int batchBytes() {
        return batch().records(2).timestamp(T0).bytes().length;
    }

    @Test
    void manyThatAskAtOnceGetTheirsAndOneThatFailsKeepsNoOtherFromIt() throws IOException {
        for (int partition = 1; partition <= 40; partition++) {
            folder.create("t", partition);
        }
        folder.directory().abandon(); // whoever starts after that can't know that their names are on the device
        ManualTime time = new ManualTime(false);
        folder.options =
                new LogDirectory.Options(2, 64, Folder.unpaddedEngine(), UUID::randomUUID, () -> Folder.flushing(time));
        reopen();
        List<PartitionLog> logs = new ArrayList<>();
        for (int partition = 1; partition <= 40; partition++) {
            logs.add(folder.log("t", partition));
            Folder.append(logs.getLast(), batch().records(2).timestamp(T0));
        }
        Faults.Fault failing = folder.faults.always(Call.OPENAT, "t-7", Errno.EMFILE);
        time.run();

        assertThat(logs)
                .allSatisfy(each ->
                        assertThat(each.highWatermark()).as(each.toString()).isEqualTo(each.partition() == 7 ? 0 : 2));
        failing.heal();
        time.pass(1_000_000_000);
        assertThat(logs.get(6).highWatermark()).isEqualTo(2);
    }

    @Test
    void theFirstToAskHasItsTopicsOtherPartitionsGivenTheirs() throws IOException {
        PartitionLog sibling = folder.create("t", 1);
        PartitionLog other = folder.create("u", 0);
        append();
        List<String> waitedFor = new ArrayList<>();
        folder.faults.whenever(Call.FSYNC, "", () -> waitedFor.add("a sync"));

        Folder.append(sibling, batch().records(2).timestamp(T0));

        assertThat(sibling.highWatermark()).isEqualTo(2);
        assertThat(waitedFor).isEmpty();
        Folder.append(other, batch().records(2).timestamp(T0));
        assertThat(waitedFor).as("the control: another topic's").isNotEmpty();
        assertThat(other.highWatermark()).isEqualTo(2);
    }

    /// Nobody can tell afterwards that it was not appended to.
    @Test
    void afterAPowerLossAPartitionGoesOnAboveWhatItsTopicsOthersHadItGiven() throws IOException {
        folder.create("t", 1);
        append();
        powerLoss(0);

        reopen();

        assertThat(folder.log("t", 1).logEndOffset()).isEqualTo(Ceilings.STEP);
    }

    @Test
    void afterAPowerLossTheLogGoesOnAboveWhatAnybodyHasSeen() throws IOException {
        append();
        append();
        assertThat(log.highWatermark()).as("seen").isEqualTo(4);
        powerLoss(batchBytes());

        reopen();

        RecoveryReport.Skip skip = folder.report(log).skip();
        assertThat(skip).isEqualTo(new RecoveryReport.Skip(2, Ceilings.STEP + 2, 1));
        assertThat(folder.directory().recoveryReport().skipped()).hasSize(1);
        assertThat(log.logEndOffset()).isEqualTo(skip.toOffset());
        assertThat(append()).isEqualTo(skip.toOffset());
        assertThat(log.leaderEpoch()).isEqualTo(1);
        assertThat(log.leaderEpochOf(1)).isZero();
        assertThat(log.leaderEpochOf(2)).isEqualTo(1);
        assertThat(newestBase()).as("the old file is not written again").isEqualTo(2);
        log.flush();
        log = folder.restart(log);
        assertThat(log.logEndOffset()).isEqualTo(skip.toOffset() + 2);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatIsCutOffAfterACleanEndIsNotGivenAgain(boolean atABatchBoundary) throws IOException {
        folder.config = folder.config.withFlushPolicy(FlushPolicy.ACK);
        log.configure(folder.config); // it has no ceiling: only the recovery point tells
        append();
        append();
        append();
        folder.directory().close();
        Path active = folder.file(log, 0, ".log");
        int kept = atABatchBoundary ? batchBytes() : 2 * batchBytes() - 1;
        Files.write(active, Arrays.copyOf(Files.readAllBytes(active), kept));

        reopen();

        assertThat(folder.report(log).skip()).isEqualTo(new RecoveryReport.Skip(2, 6, 1));
        assertThat(folder.report(log).warnings()).isNotEmpty();
        assertThat(append()).isEqualTo(6);
        log = folder.restart(log);
        assertThat(folder.report(log).skip()).isNull();
        assertThat(log.logEndOffset()).isEqualTo(8);
    }

    @Test
    void theControlWithoutACeilingOffsetsAreGivenTwice() throws IOException {
        append();
        append();
        powerLoss(batchBytes());
        folder.forgetCeilings();

        reopen();

        assertThat(append()).isEqualTo(2);
    }

    @Test
    void whoStandsAtALostOffsetIsLedToTheNextRecord() throws IOException {
        append();
        append();
        append();
        powerLoss(batchBytes());
        reopen();
        long end = log.logEndOffset();

        // As a consumer does: it had read offsets up to 5, asks for 6, and then for what is behind what it gets.
        BatchView filler = Batches.view(folder.read(log, 6, 1));
        assertThat(filler.baseOffset()).isEqualTo(2);
        assertThat(filler.count()).isZero();
        assertThat(filler.lastOffset() + 1).isEqualTo(end);
        assertThat(log.read(end, 100, true)).isEqualTo(new ReadOutcome.AtEnd(end));
        assertThat(log.offsetForTimestamp(T0, Batches.CODEC).orElseThrow().offset())
                .isZero();
        assertThat(append()).isEqualTo(end);
        assertThat(Batches.view(folder.read(log, end, 1)).baseOffset()).isEqualTo(end);
    }

    @Test
    void aProcessThatWasKilledHasLostNothingAndLeavesNoGap() throws IOException {
        append();
        log = folder.crash(log);

        assertThat(folder.directory().recoveryReport().killed()).isTrue();
        assertThat(folder.report(log).skip()).isNull();
        assertThat(log.leaderEpoch()).isZero();
        assertThat(append()).isEqualTo(2);
    }

    @Test
    void aWriteThatDidNotComeToItsEndIsNoLoss() throws IOException {
        append();
        Path file = folder.file(log, 0, ".log");
        folder.directory().abandon();
        byte[] torn = Arrays.copyOf(batch().records(2).bytesAt(2), 90);
        Files.write(file, torn, java.nio.file.StandardOpenOption.APPEND);

        reopen();

        assertThat(folder.report(log).cut()).isNotNull();
        assertThat(folder.report(log).skip()).isNull();
        assertThat(append()).isEqualTo(2);
    }

    @Test
    void whatIsWrongAboveTheTailIsALossAlsoWhereTheMachineRanOn() throws IOException {
        append();
        append();
        append();
        Path file = folder.file(log, 0, ".log");
        folder.directory().abandon();
        byte[] bytes = Files.readAllBytes(file);
        bytes[batchBytes() + 8] = 0x10; // the second batch's length, beyond the file's end
        Files.write(file, bytes);

        reopen();

        assertThat(folder.report(log).skip()).isNotNull();
        assertThat(append()).isGreaterThanOrEqualTo(6);
    }

    @Test
    void aCopyOfTheFolderKnowsNothingOfThePageCache() throws IOException {
        append();
        folder.directory().abandon();
        Path copy = temporary.resolve("copy");
        try (var all = Files.walk(folder.path)) {
            for (Path from : all.toList()) {
                Files.copy(from, copy.resolve(folder.path.relativize(from)));
            }
        }
        try (Folder copied = new Folder(copy)) {
            copied.open();
            assertThat(copied.directory().recoveryReport().killed()).isFalse();
            assertThat(Folder.append(copied.log("t", 0), batch())).isEqualTo(Ceilings.STEP + 2);
        }
        reopen();
        assertThat(append()).isEqualTo(2);
    }

    @Test
    void powerLossesInARowNeverGoBack() throws IOException {
        long last = -1;
        for (int i = 0; i < 4; i++) {
            assertThat(append()).isGreaterThan(last);
            last = append() + 1;
            powerLoss(log.leaderEpoch() == 0 ? batchBytes() : 0);
            reopen();
            assertThat(log.leaderEpoch()).isEqualTo(i + 1);
            assertThat(log.logEndOffset()).isGreaterThan(last);
        }
        long end = log.logEndOffset();
        folder.directory().abandon();
        folder.forgetPageCache();
        reopen();
        assertThat(log.logEndOffset())
                .as("nothing was appended, nothing is skipped")
                .isEqualTo(end);
    }

    @Test
    void nothingIsSeenOrAcknowledgedBeforeItsCeilingIsOnTheDevice() throws IOException {
        List<String> order = new ArrayList<>();
        folder.directory().abandon(); // whoever starts after that can't know that its names are on the device
        reopen();
        folder.faults.whenever(Call.FSYNC, "t-0", () -> order.add("names"));
        Faults.Fault full = folder.faults.always(Call.FSYNC, Ceilings.FILE + SmallFiles.TEMPORARY, Errno.ENOSPC);
        append();

        assertThat(full.hits()).isEqualTo(1);
        assertThat(order).containsExactly("names");
        assertThat(log.logEndOffset()).isEqualTo(2);
        assertThat(log.highWatermark()).isZero();
        assertThat(log.read(0, 100, true)).isEqualTo(new ReadOutcome.AtEnd(0));

        full.heal();
        Faults.Fault written = folder.faults.whenever(Call.FSYNC, Ceilings.FILE + SmallFiles.TEMPORARY, () -> {
            order.add("ceiling");
            assertThat(log.highWatermark()).isZero();
        });
        folder.directory().checkpoint();
        written.heal();
        assertThat(order).startsWith("names").endsWith("names", "ceiling");
        assertThat(log.highWatermark()).isEqualTo(2);
    }

    @Test
    void aCeilingIsRaisedOnceInHalfAMillionRecords() {
        Faults.Fault raised = folder.faults.whenever(Call.FSYNC, Ceilings.FILE + SmallFiles.TEMPORARY, () -> {});
        int each = 2000;
        for (long end = 0; end < Ceilings.STEP + 10L * each; end += each) {
            Folder.append(log, batch().records(each).valueBytes(0));
            assertThat(log.highWatermark()).isEqualTo(end + each);
        }
        assertThat(raised.hits()).isEqualTo(3);
    }

    @Test
    void acknowledgedOnTheDeviceNothingIsSkipped() throws IOException {
        folder.config = folder.config.withFlushPolicy(FlushPolicy.ACK);
        PartitionLog kept = folder.create("kept", 0);
        Folder.append(kept, batch());
        folder.directory().abandon();
        folder.forgetPageCache();
        Path file = folder.path.resolve("kept-0").resolve("00000000000000000000.log");
        Files.write(file, new byte[40], java.nio.file.StandardOpenOption.APPEND); // written, never flushed

        folder.open();
        kept = folder.log("kept", 0);

        assertThat(kept.recoveryPoint())
                .as("what is shown now is on the device")
                .isEqualTo(1);
        assertThat(Folder.append(kept, batch())).isEqualTo(1);
    }

    @Test
    void aCleanStopLeavesNothingToSkip() throws IOException {
        append();
        log = folder.restart(log);
        folder.directory().abandon();
        folder.forgetPageCache();
        reopen();
        assertThat(folder.report(log).skip()).isNull();
        assertThat(append()).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "PWRITE .log",
                "FDATASYNC .log",
                "FSYNC t-0",
                "OPENAT .index",
                "FSYNC epoch-checkpoint.tmp",
                "RENAME epoch-checkpoint.tmp"
            })
    void aRecoveryThatDoesNotComeToItsEndIsDoneAgain(String fault) throws IOException {
        append();
        append();
        powerLoss(batchBytes());
        String[] parts = fault.split(" ");
        Faults.Fault broken = folder.faults.always(Call.valueOf(parts[0]), parts[1], Errno.EIO);
        assertThatThrownBy(folder::open).isInstanceOf(IOException.class);
        assertThat(broken.hits()).isPositive();
        broken.heal();

        reopen();

        assertThat(log.logEndOffset()).isEqualTo(Ceilings.STEP + 2);
        assertThat(append()).isEqualTo(Ceilings.STEP + 2);
        assertThat(folder.read(log, 0, 1)).isNotEmpty();
    }

    @Test
    void aRecoveryThatDiesBehindItsCutDoesNotForgetThatItHasCut() throws IOException {
        append();
        append();
        Path file = folder.file(log, 0, ".log");
        folder.directory().abandon(); // killed: the witness is there
        byte[] bytes = Files.readAllBytes(file);
        bytes[batchBytes() + 70] ^= 1;
        Files.write(file, bytes);
        Faults.Fault broken = folder.faults.always(Call.OPENAT, ".index", Errno.EIO);
        assertThatThrownBy(folder::open).isInstanceOf(IOException.class);
        assertThat(Files.size(file)).as("cut").isEqualTo(batchBytes());
        broken.heal();

        reopen();

        assertThat(append()).isGreaterThanOrEqualTo(4);
    }

    @Test
    void afterAFailedFlushTheDeviceIsReadAndNotThePageCache() throws IOException {
        append();
        folder.faults.once(Call.FDATASYNC, ".log", 0, Errno.EIO);
        assertThatThrownBy(() -> log.flush()).hasMessageContaining("EIO");
        assertThat(folder.path.resolve("t-0").resolve(FenceMark.FILE)).exists();
        folder.directory().abandon();
        Faults.Fault dropped = folder.faults.whenever(Call.FADVISE, ".log", () -> {});

        reopen();

        assertThat(dropped.hits()).isEqualTo(1);
        assertThat(folder.path.resolve("t-0").resolve(FenceMark.FILE)).doesNotExist();
        assertThat(folder.report(log).skip()).as("what was seen may be lost").isNotNull();
        assertThat(append()).isGreaterThanOrEqualTo(2);
        if (Folder.engineUnderTest == Folder.EngineUnderTest.DIRECT) {
            return; // what was read is dropped always
        }
        int before = dropped.hits(); // opening the file to append brings another advice
        log = folder.crash(log);
        assertThat(dropped.hits()).as("once").isEqualTo(before);
    }

    @Test
    void norIsThePageCacheTrustedAfterAFlushThatFailedAtTheStart() throws IOException {
        append();
        folder.directory().abandon(); // killed: the witness is there
        folder.config = folder.config.withFlushPolicy(FlushPolicy.ACK); // so that what is found is flushed
        Faults.Fault lost = folder.faults.once(Call.FDATASYNC, "0.log", 0, Errno.EIO);
        assertThatThrownBy(folder::open).hasMessageContaining("EIO");
        assertThat(lost.hits()).isEqualTo(1);

        reopen();

        assertThat(folder.report(log).skip()).as("what was seen may be lost").isNotNull();
        assertThat(append()).isGreaterThanOrEqualTo(2);
        assertThat(folder.path.resolve("t-0").resolve(FenceMark.FILE)).doesNotExist();
    }

    @Test
    void aPartitionMadeUnderTheNameOfADeletedOneBeginsAtZero() throws IOException {
        append();
        folder.directory().delete(log);
        log = folder.create("t", 0);
        folder.directory().abandon();
        folder.forgetPageCache();
        reopen();
        assertThat(append()).isZero();
    }

    @Test
    void aFillerIsByteForByteWhatKafkasCompactionLeaves() {
        ByteBuffer expected = ByteBuffer.allocate(FillerBatch.LENGTH_BYTES);
        DefaultRecordBatch.writeEmptyHeader(
                expected,
                (byte) 2,
                -1,
                (short) -1,
                -1,
                1000,
                1_000_999,
                7,
                TimestampType.CREATE_TIME,
                -1,
                false,
                false);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment filler = arena.allocate(FillerBatch.LENGTH_BYTES);
            FillerBatch.write(filler, 1000, 1_001_000, 7);
            assertThat(filler.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(expected.array());
        }
        var batch = MemoryRecords.readableRecords(expected.rewind())
                .batches()
                .iterator()
                .next();
        batch.ensureValid();
        assertThat(batch.nextOffset()).isEqualTo(1_001_000);
    }
}
