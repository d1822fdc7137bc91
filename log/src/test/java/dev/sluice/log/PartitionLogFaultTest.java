package dev.sluice.log;

import static dev.sluice.log.Batches.T0;
import static dev.sluice.log.Batches.batch;
import static dev.sluice.log.Folder.append;
import static dev.sluice.log.Folder.assertAppended;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What the log does when the disk does not do what it is asked. The faults come from the kernel's gate; each test
/// shows that its fault struck.
class PartitionLogFaultTest {
    @TempDir
    Path temporary;

    private Folder folder;
    private PartitionLog log;

    @BeforeEach
    void aLogWithTwoBatches() throws IOException {
        folder = new Folder(temporary.resolve("data"));
        folder.config = folder.config
                .withSegmentBytes(64 << 10)
                .withIndexIntervalBytes(0)
                .withPreallocateStepBytes(4096);
        log = folder.create("t", 0);
        append(log, batch().valueBytes(1000).producer(1, 0, 0));
        append(log, batch().valueBytes(1000).producer(1, 0, 1));
    }

    private void closeAfterFailure() {
        folder.directory().abandon();
        assertThat(OpenHandles.descriptors(folder.path)).isEmpty();
        assertThat(OpenHandles.maps(folder.path)).isEmpty();
    }

    @AfterEach
    void nothingLeft() {
        closeAfterFailure();
    }

    private AppendOutcome.Failed failed(AppendOutcome outcome) {
        assertThat(outcome).isInstanceOf(AppendOutcome.Failed.class);
        return (AppendOutcome.Failed) outcome;
    }

    private void assertNothingPublished() throws IOException {
        assertThat(log.logEndOffset()).isEqualTo(2);
        assertThat(log.read(2, 100, true)).isEqualTo(new ReadOutcome.AtEnd(2));
        assertThat(folder.read(log, 0, 1 << 20))
                .hasSize(2 * batch().valueBytes(1000).bytes().length);
    }

    @Test
    void shortWritesAndInterruptionsAreNotSeen() throws IOException {
        Faults.Fault interrupted = folder.faults.once(Call.PWRITE, ".log", 0, Errno.EINTR);
        Faults.Fault shortened = folder.faults.shorten(Call.PWRITE, ".log", 100);
        Batches third = batch().valueBytes(1000).producer(1, 0, 2);
        BatchView view = third.view();

        assertAppended(log.append(view), view, 2, 2);

        assertThat(interrupted.hits()).isEqualTo(1);
        assertThat(shortened.hits()).isEqualTo(11);
        assertThat(folder.read(log, 2, 1 << 20)).isEqualTo(Batches.bytesOf(view));
    }

    @ParameterizedTest
    @EnumSource(names = {"PWRITE", "FALLOCATE"})
    void aFullDiskFailsTheAppendAndTheNextOneGoesThroughWhenThereIsRoom(Call call) throws IOException {
        Faults.Fault full = folder.faults.always(call, ".log", Errno.ENOSPC);
        // Larger than what is reserved already, so that room has to be made.
        AppendOutcome.Failed failed =
                failed(log.append(batch().valueBytes(60_000).producer(1, 0, 2).view()));

        assertThat(full.hits()).isPositive();
        assertThat(failed.errno()).isEqualTo(Errno.ENOSPC);
        assertThat(failed.permanent()).isFalse();
        assertThat(failed.message()).contains("ENOSPC").contains(".log").contains("make room");
        assertNothingPublished();
        failed(log.append(batch().valueBytes(60_000).producer(1, 0, 2).view()));

        full.heal();

        assertThat(append(log, batch().valueBytes(500).producer(1, 0, 2))).isEqualTo(2);
        assertThat(log.append(batch().valueBytes(500).producer(1, 0, 2).view()))
                .isInstanceOf(AppendOutcome.Duplicate.class);
    }

    @Test
    void aFullDiskAtAnIndexFailsTheAppendBeforeItIsWritten() throws IOException {
        PartitionLog other = folder.create("u", 0); // whose indexes have no blocks yet
        append(other, batch());
        Faults.Fault full = folder.faults.always(Call.FALLOCATE, "index", Errno.ENOSPC);

        assertThat(failed(other.append(batch().view())).permanent()).isFalse();

        assertThat(full.hits()).isPositive();
        assertThat(other.logEndOffset()).isEqualTo(1);
        full.heal();
        assertThat(append(other, batch())).isEqualTo(1);
    }

    // ---- Several at once

    private static BatchGroup group(Batches... batches) {
        BatchGroup group = new BatchGroup();
        for (Batches each : batches) {
            assertThat(group.add(each.view())).isTrue();
        }
        return group;
    }

    @Test
    void whatIsRefusedInAGroupKeepsNobodyElseOut() {
        BatchGroup group = group(
                batch(),
                batch().producer(1, 0, 1), // sent again
                batch().producer(2, 0, 0),
                batch().producer(2, 0, 1), // on the heels of the one before
                batch().producer(3, 0, 0).transactional(),
                batch().producer(1, 0, 2));
        Faults.Fault counted = folder.faults.shorten(Call.PWRITE, ".log", 1 << 20);

        log.append(group);

        assertAppended(group.outcome(0), group.batch(0), 2, 2);
        assertThat(group.outcome(1)).isEqualTo(new AppendOutcome.Duplicate(1, 1, -1, 0));
        assertAppended(group.outcome(2), group.batch(2), 3, 3);
        assertAppended(group.outcome(3), group.batch(3), 4, 4);
        assertThat(group.outcome(4)).isInstanceOf(AppendOutcome.Rejected.class);
        assertAppended(group.outcome(5), group.batch(5), 5, 5);
        assertThat(counted.hits()).isPositive();
        assertThat(log.logEndOffset()).isEqualTo(6);
    }

    @Test
    void aGroupGoesByOneWrite() throws IOException {
        Batches each = batch().valueBytes(1000);
        BatchGroup group = group(each, each, each, each);
        Faults.Fault counted = folder.faults.shorten(Call.PWRITE, ".log", 1 << 20);

        log.append(group);

        assertThat(counted.hits()).isEqualTo(1);
        for (int i = 0; i < 4; i++) {
            assertAppended(group.outcome(i), group.batch(i), 2 + i, 2 + i);
            assertThat(folder.read(log, 2 + i, 1)).isEqualTo(Batches.bytesOf(group.batch(i)));
        }
    }

    @Test
    void aWriteThatFailsForGoodFailsAllOfAGroup() throws IOException {
        BatchGroup group = group(batch(), batch(), batch());
        Faults.Fault broken = folder.faults.once(Call.PWRITE, ".log", 0, Errno.EIO);

        log.append(group);

        assertThat(broken.hits()).isEqualTo(1); // and none was tried again
        for (int i = 0; i < 3; i++) {
            assertThat(failed(group.outcome(i)).permanent()).isTrue();
            assertThat(failed(group.outcome(i)).message()).contains("What of it is stored is not known"); // some may be
        }
        assertNothingPublished();
        assertThat(log.hasStopped()).isTrue();
    }

    @Test
    void aGroupThatDoesNotFitOnTheDiskIsTriedBatchByBatch() throws IOException {
        Faults.Fault once = folder.faults.once(Call.PWRITE, ".log", 0, Errno.ENOSPC); // of all three
        BatchGroup group = group(batch(), batch(), batch());

        log.append(group);

        assertThat(once.hits()).isEqualTo(1);
        for (int i = 0; i < 3; i++) {
            assertAppended(group.outcome(i), group.batch(i), 2 + i, 2 + i);
        }
    }

    @Test
    void anIoErrorStopsThePartitionUntilItWasVerified() throws IOException {
        Faults.Fault broken = folder.faults.once(Call.PWRITE, ".log", 0, Errno.EIO);

        AppendOutcome.Failed failed = failed(log.append(batch().view()));
        assertThat(failed.permanent()).isTrue();
        assertThat(failed.message()).contains("EIO").contains("restarted");
        assertThat(failed(log.append(batch().view())).permanent()).isTrue(); // though the disk would take it again
        assertThat(broken.hits()).isEqualTo(1);
        assertThat(log.failure()).contains(failed);
        assertNothingPublished();
        assertThatThrownBy(() -> log.flush()).isInstanceOf(IOException.class).hasMessageContaining("EIO");

        log = folder.crash(log);

        assertThat(append(log, batch())).isEqualTo(2);
    }

    @Test
    void theControlTheSameAppendsWithoutAFaultGoThrough() throws IOException {
        assertThat(append(log, batch())).isEqualTo(2);
        log.flush();
        assertThat(log.failure()).isEmpty();
        assertThat(log.recoveryPoint()).isEqualTo(3);
    }

    @Test
    void whatATornWriteLeftIsNotTakenForABatchAfterACrash() throws IOException {
        // The first 700 bytes of a batch get through, then the disk is full.
        Faults.Fault full = folder.faults.once(Call.PWRITE, ".log", 1, Errno.ENOSPC);
        Faults.Fault shortened = folder.faults.shorten(Call.PWRITE, ".log", 700);
        failed(log.append(batch().valueBytes(1000).producer(1, 0, 2).view()));
        assertThat(full.hits()).isEqualTo(1);
        assertThat(shortened.hits()).isEqualTo(1);
        long whole = 2L * batch().valueBytes(1000).bytes().length;
        assertThat(Files.size(folder.file(log, 0, ".log"))).isEqualTo(whole + 700);

        log = folder.crash(log);

        RecoveryReport.Cut cut = folder.report(log).cut();
        assertThat(cut).isNotNull();
        assertThat(cut.position()).isEqualTo(whole);
        assertThat(cut.bytes()).isEqualTo(700);
        assertNothingPublished();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"OPENAT .log", "OPENAT .index", "OPENAT .timeindex", "PWRITE .snapshot", "FTRUNCATE .index"})
    void aRollThatFailsLeavesTheOldSegmentActive(String fault) throws IOException {
        for (int i = 2; i < 61; i++) {
            append(log, batch().valueBytes(1000).producer(1, 0, i).timestamp(T0 + i));
        }
        assertThat(Files.exists(folder.file(log, 61, ".log"))).isFalse();
        String[] parts = fault.split(" ");
        Faults.Fault struck = folder.faults.always(Call.valueOf(parts[0]), parts[1], Errno.ENOSPC);

        AppendOutcome.Failed failed =
                failed(log.append(batch().valueBytes(1000).producer(1, 0, 61).view()));

        assertThat(struck.hits()).isPositive();
        assertThat(failed.permanent()).isFalse();
        assertThat(Files.exists(folder.file(log, 61, ".log"))).isFalse();
        assertThat(Files.exists(folder.file(log, 61, ".index"))).isFalse();
        assertThat(log.logEndOffset()).isEqualTo(61);
        // What still fits goes into the old one, as if nothing had been tried.
        assertThat(append(log, batch().valueBytes(10).producer(1, 0, 61))).isEqualTo(61);

        struck.heal();
        assertThat(append(log, batch().valueBytes(1000).producer(1, 0, 62))).isEqualTo(62);
        assertThat(Files.exists(folder.file(log, 62, ".log"))).isTrue();
        log = folder.crash(log);
        assertThat(log.logEndOffset()).isEqualTo(63);
        assertThat(folder.report(log).cut()).isNull();
    }

    @Test
    void outOfDescriptorsIsPassing() throws IOException {
        log.rest();
        log.rest(); // its file is closed now, or may be
        folder.directory().close();
        folder.open();
        log = folder.log("t", 0);
        Faults.Fault none = folder.faults.always(Call.OPENAT, ".log", Errno.EMFILE);

        assertThat(failed(log.append(batch().producer(1, 0, 2).view())).permanent())
                .isFalse();
        assertThatThrownBy(() -> log.read(0, 100, true))
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining("EMFILE");

        assertThat(none.hits()).isPositive();
        none.heal();
        assertThat(append(log, batch().producer(1, 0, 2))).isEqualTo(2);
        assertThat(folder.read(log, 2, 1)).isNotEmpty();
    }

    @Test
    void theFirstFailedFlushStopsThePartition() throws IOException {
        Faults.Fault lost = folder.faults.once(Call.FDATASYNC, ".log", 0, Errno.EIO);

        assertThatThrownBy(() -> log.flush()).isInstanceOf(ErrnoException.class).hasMessageContaining("EIO");

        assertThat(lost.hits()).isEqualTo(1);
        assertThat(log.recoveryPoint()).isZero();
        assertThat(failed(log.append(batch().view())).permanent()).isTrue();
        assertThatThrownBy(() -> log.flush()).hasMessageContaining("EIO"); // never asked a second time
        assertThat(lost.hits()).isEqualTo(1);
        assertThatThrownBy(() -> folder.directory().close()).isInstanceOf(IOException.class);
        folder.forgetCeilings();
        folder.open();
        assertThat(folder.directory().recoveryReport().clean()).isFalse();
        assertThat(folder.log("t", 0).logEndOffset()).isEqualTo(2);
    }

    @Test
    void readErrorsAreToldAndPass() throws IOException {
        log = folder.restart(log);
        Faults.Fault unreadable = folder.faults.once(Call.PREAD, ".log", 0, Errno.EIO);

        assertThatThrownBy(() -> log.read(1, 100, true))
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining("EIO");

        assertThat(unreadable.hits()).isEqualTo(1);
        assertThat(folder.read(log, 1, 100)).isNotEmpty();
    }

    @Test
    void anIndexThatCannotBeReadMakesTheWayLongerNotWrong() throws IOException {
        byte[] before = folder.read(log, 1, 100);
        log = folder.restart(log);
        Faults.Fault unreadable = folder.faults.always(Call.PREAD, ".index", Errno.EIO);

        assertThat(folder.read(log, 1, 100)).isEqualTo(before);

        assertThat(unreadable.hits()).isPositive();
    }

    @Test
    void aFullDiskIsNoReasonNotToCloseCleanly() throws IOException {
        PartitionLog other = folder.create("u", 0);
        append(other, batch().timestamp(T0 + 77)); // its time index has no blocks, and an entry is due at the end
        Faults.Fault full = folder.faults.always(Call.FALLOCATE, "index", Errno.ENOSPC);
        folder.directory().close();
        assertThat(full.hits()).isPositive();
        full.heal();

        folder.open();

        assertThat(folder.directory().recoveryReport().clean()).isTrue();
        assertThat(folder.log("u", 0).offsetForTimestamp(T0 + 77, Batches.CODEC))
                .contains(new TimestampedOffset(T0 + 77, 0, 0));
    }
}
