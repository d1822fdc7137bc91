package dev.sluice.log;

import static dev.sluice.log.Batches.batch;
import static dev.sluice.log.Folder.append;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// On a full disk the reserve keeps alive what must go on, and only that, until there is room again. The disk here is
/// full by the kernel's gate, and has room again when the reserve's file is cut.
@Timeout(180)
class SpaceReserveTest extends FolderTest {
    private static final long RESERVE_BYTES = 256 << 10;

    private PartitionLog log;
    private PartitionLog vital;

    @BeforeEach
    void aFolderWithAReserve() throws IOException {
        folder.options = folder.options.withReserveBytes(RESERVE_BYTES);
        log = folder.create("t", 0);
        append(log, batch().producer(1, 0, 0));
        vital = folder.create("vital", 0);
        vital.configure(folder.config.withVital(true));
    }

    private Path reserve() {
        return folder.path.resolve(SpaceReserve.FILE);
    }

    /// The disk is full for these calls until the reserve is given.
    private Faults.Fault fullUntilTheReserveIsGiven(Call call, String suffix) {
        Faults.Fault full = folder.faults.always(call, suffix, Errno.ENOSPC);
        folder.faults.whenCalled(Call.FTRUNCATE, SpaceReserve.FILE, 0, full::heal);
        return full;
    }

    /// So does nobody else give room back.
    private Faults.Fault nothingToTakeBack() {
        return folder.faults.always(Call.FALLOCATE, SpaceReserve.FILE, Errno.ENOSPC);
    }

    @Test
    void theReserveIsThereBeforeItIsNeeded() throws IOException {
        assertThat(reserve()).hasSize(RESERVE_BYTES);
        assertThat(folder.directory().isFull()).isFalse();
    }

    @Test
    void checkpointsAreWrittenFromTheReserve() throws IOException {
        Faults.Fault full = fullUntilTheReserveIsGiven(Call.PWRITE, "-checkpoint.tmp");

        folder.directory().checkpoint();

        assertThat(full.hits()).isEqualTo(1);
        assertThat(folder.path.resolve("recovery-point-offset-checkpoint")).exists();
        assertThat(reserve()).hasSize(0);
    }

    @Test
    void theControlWithoutAReserveTheyAreNot() throws IOException {
        folder.directory().close();
        Files.delete(reserve());
        folder.options = folder.options.withReserveBytes(0);
        folder.open();
        Faults.Fault full = fullUntilTheReserveIsGiven(Call.PWRITE, "-checkpoint.tmp");

        assertThatThrownBy(() -> folder.directory().checkpoint()).hasMessageContaining("ENOSPC");

        full.heal();
    }

    @Test
    void vitalAppendsGoOnWithTheReserveAndOthersAreRefusedUntilItIsWhole() throws IOException {
        append(vital, batch());
        Faults.Fault full = fullUntilTheReserveIsGiven(Call.PWRITE, ".log");
        Faults.Fault noRoom = nothingToTakeBack();
        assertThat(append(vital, batch())).isEqualTo(1);
        assertThat(full.hits()).isEqualTo(1);

        // The disk would take it, but the room is not for it.
        assertThat(log.append(batch().producer(1, 0, 1).view()))
                .isInstanceOfSatisfying(AppendOutcome.Failed.class, failed -> {
                    assertThat(failed.errno()).isEqualTo(Errno.ENOSPC);
                    assertThat(failed.permanent()).isFalse();
                    assertThat(failed.message()).contains("reserve").contains("make room");
                });
        assertThat(log.append(batch().producer(1, 0, 0).view())).isInstanceOf(AppendOutcome.Duplicate.class);
        assertThat(folder.read(log, 0, 1)).isNotEmpty();
        assertThat(append(vital, batch())).isEqualTo(2);
        assertThat(folder.directory().isFull()).isTrue();

        noRoom.heal();

        assertThat(folder.directory().isFull()).isFalse();
        assertThat(reserve()).hasSize(RESERVE_BYTES);
        assertThat(append(log, batch().producer(1, 0, 1))).isEqualTo(1);
    }

    @Test
    void aRefusedAppendMakesTheDiskFullUntilThereIsRoomBesideTheReserve() throws IOException {
        Faults.Fault full = folder.faults.always(Call.PWRITE, ".log", Errno.ENOSPC);
        Faults.Fault noRoom = nothingToTakeBack();
        assertThat(log.append(batch().view())).isInstanceOf(AppendOutcome.Failed.class);

        assertThat(folder.directory().isFull()).isTrue();
        assertThat(folder.directory().isFull()).isTrue();

        full.heal();
        noRoom.heal();
        assertThat(folder.directory().isFull()).isFalse();
        assertThat(reserve()).hasSize(RESERVE_BYTES);
    }

    @Test
    void aFolderOnAFullDiskIsRecoveredWithTheReserve() throws IOException {
        for (int i = 1; i < 100; i++) {
            append(log, batch().producer(1, 0, i).valueBytes(1000));
        }
        Faults.Fault full = fullUntilTheReserveIsGiven(Call.PWRITE, "index");

        log = folder.crash(log);

        assertThat(full.hits()).isPositive();
        assertThat(log.logEndOffset()).isEqualTo(100);
        assertThat(folder.read(log, 50, 1)).isNotEmpty();
    }

    @Test
    void aFolderIsClosedCleanlyOnAFullDisk() throws IOException {
        append(vital, batch().producer(1, 0, 0));
        Faults.Fault full = fullUntilTheReserveIsGiven(Call.PWRITE, ".snapshot");

        log = folder.restart(log);

        assertThat(full.hits()).isPositive();
        assertThat(folder.directory().recoveryReport().clean()).isTrue();
    }

    @Test
    void onAFileSystemThatCannotReserveThereIsNoReserve() throws IOException {
        folder.directory().close();
        Files.delete(reserve());
        Faults.Fault unknown = folder.faults.always(Call.FALLOCATE, SpaceReserve.FILE, Errno.EOPNOTSUPP);
        folder.open();

        assertThat(unknown.hits()).isPositive();
        assertThat(append(folder.log("t", 0), batch())).isEqualTo(1);
        assertThat(folder.directory().isFull()).isFalse();
    }
}
