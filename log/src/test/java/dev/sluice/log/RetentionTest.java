package dev.sluice.log;

import static dev.sluice.log.Batches.T0;
import static dev.sluice.log.Batches.batch;
import static dev.sluice.log.Folder.append;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Which segments go, by age, by size and on demand, and what is left of it after a crash.
@Timeout(180)
class RetentionTest extends FolderTest {
    private static final long HOUR_MS = TimeUnit.HOURS.toMillis(1);
    private static final int BATCH_BYTES = batch().view().lengthBytes();

    private PartitionLog log;

    @BeforeEach
    void aLogOfThreeBatchesASegment() throws IOException {
        folder.config = folder.config
                .withSegmentBytes(3 * BATCH_BYTES)
                .withIndexIntervalBytes(0)
                .withRetentionMs(HOUR_MS);
        log = folder.create("t", 0);
    }

    /// Batches of one record each, a minute apart.
    private void fill(int batches) throws IOException {
        for (int i = 0; i < batches; i++) {
            long number = log.logEndOffset();
            append(log, batch().timestamp(T0 + number * 60_000).seed(number));
        }
        log.flush(); // and so shown, whatever the flushing thread does
    }

    private List<LogDirectory.Expired> retainAt(long nowMs) throws IOException {
        List<LogDirectory.Expired> expired = new ArrayList<>();
        log.flush(); // what is not shown yet stays
        folder.directory().retain(OptionalLong.of(nowMs), expired::add);
        return expired;
    }

    private List<String> files() throws IOException {
        try (Stream<Path> names = Files.list(folder.path.resolve("t-0"))) {
            return names.map(path -> path.getFileName().toString())
                    .filter(name -> name.matches("[0-9]{20}\\..*"))
                    .sorted()
                    .toList();
        }
    }

    private List<Long> bases() throws IOException {
        return files().stream()
                .filter(name -> name.endsWith(".log"))
                .map(name -> Long.parseLong(name.substring(0, 20)))
                .toList();
    }

    private void assertStartsAt(long offset) throws IOException {
        assertThat(log.logStartOffset()).isEqualTo(offset);
        if (offset > 0) {
            assertThat(log.read(offset - 1, 100, true))
                    .isEqualTo(new ReadOutcome.OutOfRange(offset, log.logEndOffset()));
        }
        for (long i = offset; i < log.logEndOffset(); i++) {
            BatchView stored = Batches.view(folder.read(log, i, 1));
            assertThat(stored.baseOffset()).isEqualTo(i);
        }
    }

    // ---- By age

    @Test
    void aSegmentGoesWhenItsYoungestRecordIsTooOld() throws IOException {
        fill(8); // 0 to 2, 3 to 5, and 6 to 7
        long youngestOfTheFirst = T0 + 2 * 60_000;

        assertThat(retainAt(youngestOfTheFirst + HOUR_MS)).isEmpty();
        assertStartsAt(0);

        assertThat(retainAt(youngestOfTheFirst + HOUR_MS + 1))
                .containsExactly(new LogDirectory.Expired("t", 0, 1, 3L * BATCH_BYTES, 3));
        assertStartsAt(3);
        assertThat(bases()).containsExactly(3L, 6L);
        assertThat(files()).noneMatch(name -> name.startsWith("00000000000000000000"));
    }

    @Test
    void oneYoungRecordKeepsItsSegmentAndAllBehindIt() throws IOException {
        append(log, batch().timestamp(T0));
        append(log, batch().timestamp(T0 + 10 * HOUR_MS));
        append(log, batch().timestamp(T0));
        append(log, batch().timestamp(T0)); // in the next segment, all of it old
        append(log, batch().timestamp(T0));

        assertThat(retainAt(T0 + 11 * HOUR_MS)).isEmpty();
        assertThat(retainAt(T0 + 11 * HOUR_MS + 1)).hasSize(1);
        assertStartsAt(5);
    }

    @Test
    void theActiveSegmentGoesTooAndTheLogGoesOnWhereItEnded() throws IOException {
        fill(4);

        assertThat(retainAt(T0 + 10 * HOUR_MS))
                .containsExactly(new LogDirectory.Expired("t", 0, 2, 4L * BATCH_BYTES, 4));

        assertThat(bases()).containsExactly(4L);
        assertThat(log.logEndOffset()).isEqualTo(4);
        assertThat(retainAt(T0 + 20 * HOUR_MS)).isEmpty(); // an empty one stays
        assertThat(append(log, batch().timestamp(T0))).isEqualTo(4);
        log = folder.crash(log);
        assertStartsAt(4);
        assertThat(log.logEndOffset()).isEqualTo(5);
    }

    @Test
    void aRestingLogLosesItsSegmentsAsAnyOther() throws IOException {
        fill(8);
        log = folder.restart(log);

        assertThat(retainAt(T0 + 10 * HOUR_MS)).hasSize(1);

        assertStartsAt(8);
        assertThat(log.logEndOffset()).isEqualTo(8);
    }

    @Test
    void recordsWithoutATimestampAgeByTheirFile() throws IOException {
        for (int i = 0; i < 5; i++) {
            append(log, batch().timestamp(-1));
        }
        log = folder.restart(log);
        Files.setLastModifiedTime(folder.file(log, 0, ".log"), FileTime.fromMillis(T0));
        Files.setLastModifiedTime(folder.file(log, 3, ".log"), FileTime.fromMillis(T0 + 1));

        assertThat(retainAt(T0 + HOUR_MS)).isEmpty();
        assertThat(retainAt(T0 + HOUR_MS + 1)).hasSize(1);
        assertStartsAt(3);
    }

    @Test
    void withoutATrustedTimeNothingGoesByAge() throws IOException {
        fill(8);

        folder.directory().retain(OptionalLong.empty(), gone -> assertThat(gone).isNull());

        assertStartsAt(0);
    }

    @Test
    void aDamagedSegmentGoesByTheTimeOfItsFile() throws IOException {
        fill(8);
        log = folder.restart(log);
        Path damaged = folder.file(log, 0, ".log");
        byte[] bytes = Files.readAllBytes(damaged);
        java.util.Arrays.fill(bytes, (byte) 7);
        Files.write(damaged, bytes);
        Files.setLastModifiedTime(damaged, FileTime.fromMillis(T0));
        Files.write(folder.file(log, 0, ".timeindex"), new byte[0]);

        assertThat(retainAt(T0 + 5 * 60_000 + HOUR_MS)).hasSize(1);

        assertThat(log.logStartOffset()).isEqualTo(3);
    }

    @Test
    void logsThatAreOnlyCompactedLoseNothing() throws IOException {
        fill(8);
        log.configure(folder.config.withCompacted(true).withDeleted(false).withRetentionBytes(0));

        assertThat(retainAt(T0 + 100 * HOUR_MS)).isEmpty();
        assertStartsAt(0);
    }

    // ---- By size

    @Test
    void theOldestGoWhileTheOthersHoldEnough() throws IOException {
        fill(11); // 3, 3, 3 and 2
        log.configure(folder.config.withRetentionMs(-1).withRetentionBytes(6L * BATCH_BYTES));

        retainAt(T0 + 1000 * HOUR_MS);
        assertStartsAt(3); // the other eight hold it; without the next three there would be five

        log.configure(folder.config.withRetentionMs(-1).withRetentionBytes(5L * BATCH_BYTES));
        retainAt(T0);
        assertStartsAt(6);
        assertThat(log.bytesOnDisk()).isEqualTo(5L * BATCH_BYTES);
    }

    @Test
    void aLogThatMayHoldNothingKeepsOneEmptySegment() throws IOException {
        fill(5);
        log.configure(folder.config.withRetentionBytes(0));

        retainAt(T0);

        assertThat(bases()).containsExactly(5L);
        assertStartsAt(5);
    }

    // ---- On demand

    @Test
    void whatIsDeletedOnDemandStaysDeletedAfterACrash() throws IOException {
        fill(8);

        assertThat(log.deleteBefore(4)).isEqualTo(4);
        assertStartsAt(4);
        assertThat(bases()).containsExactly(3L, 6L);
        assertThat(log.deleteBefore(2)).isEqualTo(4);

        log = folder.crash(log);
        assertStartsAt(4);
        log = folder.restart(log);
        assertStartsAt(4);
        assertThat(log.offsetForTimestamp(0, Batches.CODEC))
                .map(TimestampedOffset::offset)
                .contains(4L);

        assertThat(log.deleteBefore(8)).isEqualTo(8);
        assertStartsAt(8);
        log = folder.crash(log);
        assertStartsAt(8);
        assertThat(append(log, batch())).isEqualTo(8);
    }

    @Test
    void nothingAboveTheEndCanBeDeleted() throws IOException {
        fill(2);

        assertThatThrownBy(() -> log.deleteBefore(3))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("above its high watermark, 2");
        assertThat(log.logStartOffset()).isZero();
    }

    @Test
    void aLogMadeAnewBeginsAtZero() throws IOException {
        fill(8);
        log.deleteBefore(7);
        folder.directory().delete(log);
        log = folder.create("t", 0);
        append(log, batch());

        log = folder.crash(log);

        assertStartsAt(0);
        assertThat(log.logEndOffset()).isEqualTo(1);
    }

    // ---- When something fails

    /// A power cut may lose unlinks that nobody waited for, in any order; what is back lies below the start.
    @Test
    void filesThatAPowerCutBringsBackAreNoPartOfTheLog() throws IOException {
        fill(8);
        byte[] first = Files.readAllBytes(folder.file(log, 0, ".log"));
        log.deleteBefore(6);
        folder.directory().abandon();
        Files.write(folder.file(log, 0, ".log"), first); // 0 is back, 3 is not: a hole

        folder.open();
        log = folder.log("t", 0);

        assertStartsAt(6);
        assertThat(log.logEndOffset()).isEqualTo(8);
        assertThat(bases()).containsExactly(6L);
        assertThat(folder.report(log).cut()).isNull();
    }

    /// The control of the one above: without the checkpoint of the start, recovery takes the first file for the
    /// log, and cuts off all that does not follow.
    @Test
    void theControlWithoutTheCheckpointTheHoleCostsTheLog() throws IOException {
        fill(8);
        byte[] first = Files.readAllBytes(folder.file(log, 0, ".log"));
        log.deleteBefore(6);
        folder.directory().abandon();
        Files.write(folder.file(log, 0, ".log"), first);
        Files.delete(folder.path.resolve("log-start-offset-checkpoint"));
        folder.forgetCeilings();

        folder.open();
        log = folder.log("t", 0);

        assertThat(log.logEndOffset()).isEqualTo(3);
    }

    @Test
    void noFileGoesBeforeItIsWrittenDownWhereTheLogBegins() throws IOException {
        fill(8);
        Faults.Fault broken = folder.faults.always(Call.FSYNC, "log-start-offset-checkpoint.tmp", Errno.EIO);

        assertThatThrownBy(() -> log.deleteBefore(6)).hasMessageContaining("EIO");
        assertThatThrownBy(() -> retainAt(T0 + 10 * HOUR_MS)).hasMessageContaining("EIO");

        assertThat(broken.hits()).isEqualTo(2);
        assertThat(bases()).contains(0L, 3L, 6L);
        broken.heal();
        assertThat(log.deleteBefore(6)).isEqualTo(8); // as retention had it
        assertThat(bases()).containsExactly(8L);
    }

    /// Somebody deletes records just when retention has written down where the log begins, and can't write that.
    @Test
    void retentionUnlinksNothingThatSomebodyElseHasLetGoOfMeanwhile() throws IOException {
        fill(8);
        Faults.Fault meanwhile = folder.faults.whenCalled(Call.FSYNC, "/data", 0, () -> {
            folder.faults.once(Call.FSYNC, "log-start-offset-checkpoint.tmp", 0, Errno.EIO);
            assertThatThrownBy(() -> log.deleteBefore(6)).hasMessageContaining("EIO");
        });

        retainAt(T0 + 2 * 60_000 + HOUR_MS + 1); // the first segment alone is due

        assertThat(meanwhile.hits()).isEqualTo(1);
        assertThat(bases()).containsExactly(3L, 6L);
        log = folder.crash(log);
        assertThat(log.logEndOffset()).isEqualTo(8);
        assertStartsAt(3);
    }

    @Test
    void aFullDiskDoesNotKeepWhatIsDue() throws IOException {
        fill(8);
        Faults.Fault full = folder.faults.always(Call.PWRITE, "log-start-offset-checkpoint.tmp", Errno.ENOSPC);

        assertThatThrownBy(() -> retainAt(T0 + 2 * 60_000 + HOUR_MS + 1)).hasMessageContaining("ENOSPC");

        assertThat(full.hits()).isPositive();
        assertThat(bases()).containsExactly(3L, 6L);
        full.heal();
    }

    @Test
    void aFileThatCannotBeUnlinkedGoesWithTheNextStart() throws IOException {
        fill(8);
        Faults.Fault stuck = folder.faults.once(Call.UNLINK, "00000000000000000000.log", 0, Errno.EIO);

        assertThatThrownBy(() -> log.deleteBefore(6)).hasMessageContaining("EIO");

        assertThat(stuck.hits()).isEqualTo(1);
        assertStartsAt(6);
        assertThat(bases()).containsExactly(0L, 6L);
        log = folder.crash(log);
        assertStartsAt(6);
        assertThat(bases()).containsExactly(6L);
    }

    @Test
    void aReaderThatLooksWhileItsSegmentGoesIsToldSo() throws IOException {
        fill(8);
        log = folder.restart(log); // so that the file has to be opened
        Faults.Fault meanwhile = folder.faults.whenCalled(
                Call.OPENAT, "00000000000000000000.log", 0, () -> unchecked(() -> log.deleteBefore(6)));

        assertThat(log.read(1, 100, true)).isEqualTo(new ReadOutcome.OutOfRange(6, 8));

        assertThat(meanwhile.hits()).isEqualTo(1);
    }

    @Test
    void aSearchByTimeDuringWhichASegmentGoesLooksAgain() throws IOException {
        fill(8);
        log = folder.restart(log);
        Faults.Fault meanwhile = folder.faults.whenCalled(
                Call.OPENAT, "00000000000000000000.log", 0, () -> unchecked(() -> log.deleteBefore(6)));

        assertThat(log.offsetForTimestamp(T0, Batches.CODEC))
                .map(TimestampedOffset::offset)
                .contains(6L);

        assertThat(meanwhile.hits()).isEqualTo(1);
    }

    private static void unchecked(Failures.Step step) {
        try {
            step.run();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    // ---- Rolling

    @Test
    void segmentsThatBeganTogetherNeedNotEndTogether() throws IOException {
        folder.config =
                folder.config.withSegmentBytes(1 << 20).withSegmentMs(1000).withSegmentJitterMs(500);
        List<Long> ages = new ArrayList<>();
        for (int partition = 0; partition < 8; partition++) {
            PartitionLog each = folder.create("jitter", partition);
            append(each, batch().timestamp(T0));
            long age = 0;
            while (each.bytesOnDisk() > 0 && rolledAt(each) == 0) {
                age += 10;
                append(each, batch().timestamp(T0 + age));
            }
            ages.add(age);
        }

        assertThat(ages).allMatch(age -> age > 500 && age <= 1010);
        assertThat(ages.stream().distinct().count()).isGreaterThan(2);
    }

    private long rolledAt(PartitionLog each) throws IOException {
        try (Stream<Path> names = Files.list(folder.path.resolve(each.toString()))) {
            return names.map(path -> path.getFileName().toString())
                    .filter(name -> name.endsWith(".log"))
                    .mapToLong(name -> Long.parseLong(name.substring(0, 20)))
                    .max()
                    .orElseThrow();
        }
    }
}
