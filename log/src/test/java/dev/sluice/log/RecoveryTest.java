package dev.sluice.log;

import static dev.sluice.log.Batches.T0;
import static dev.sluice.log.Batches.batch;
import static dev.sluice.log.Folder.append;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.linux.Call;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What is left of a log after a crash, and after its files were spoilt.
class RecoveryTest extends FolderTest {
    /// States of an index that are seen from its size and its ends.
    private static final List<String> REBUILT_WHEN = List.of("missing", "odd", "zeros", "blank", "longer");

    private PartitionLog log;

    @BeforeEach
    void aLog() throws IOException {
        folder.options = folder.options.withEngine(Folder.unpaddedEngine());
        folder.config = folder.config.withSegmentBytes(4096).withIndexIntervalBytes(500);
        log = folder.create("t", 0);
    }

    private void fill(int from, int to) {
        for (int i = from; i < to; i++) {
            append(
                    log,
                    batch().records(2).valueBytes(100).seed(i).timestamp(T0 + i).producer(1, 0, 2 * i));
        }
    }

    /// Nobody has seen anything that is lost: what becomes of the offsets then stands in [CeilingTest].
    private void die() {
        folder.directory().abandon();
        folder.forgetCeilings();
    }

    private void reopen() throws IOException {
        folder.open();
        log = folder.log("t", 0);
    }

    private RecoveryReport.Cut cut() {
        return folder.report(log).cut();
    }

    private void edit(Path path, UnaryOperator<byte[]> change) throws IOException {
        Files.write(path, change.apply(Files.readAllBytes(path)));
    }

    /// Every batch is there, whole, and what it was.
    private void assertHolds(int batches) throws IOException {
        assertThat(log.logEndOffset()).isEqualTo(2L * batches);
        for (int i = 0; i < batches; i++) {
            BatchView view = Batches.view(folder.read(log, 2L * i + 1, 1));
            byte[] expected = batch().records(2)
                    .valueBytes(100)
                    .seed(i)
                    .timestamp(T0 + i)
                    .producer(1, 0, 2 * i)
                    .bytes();
            assertThat(view.baseOffset()).isEqualTo(2L * i);
            view.patch(0, -1);
            assertThat(Batches.bytesOf(view)).isEqualTo(expected);
        }
    }

    @Test
    void aTailTornAtAnyByteIsCutOffAndNothingElse() throws IOException {
        fill(0, 3);
        die();
        Path file = folder.file(log, 0, ".log");
        byte[] whole = Files.readAllBytes(file);
        int batchBytes = whole.length / 3;
        for (int length = 2 * batchBytes; length <= whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            folder.open();
            log = folder.log("t", 0);

            assertHolds(length == whole.length ? 3 : 2);
            if (length == whole.length || length == 2 * batchBytes) {
                assertThat(cut()).isNull();
            } else {
                assertThat(cut().position()).isEqualTo(2L * batchBytes);
                assertThat(cut().bytes()).isEqualTo(length - 2L * batchBytes);
                assertThat(cut().segmentsRemoved()).isZero();
                assertThat(Files.size(file)).isEqualTo(2L * batchBytes);
            }
            die();
        }
        reopen();
    }

    @Test
    void aZeroTailIsCutOff() throws IOException {
        fill(0, 3);
        die();
        Path file = folder.file(log, 0, ".log");
        edit(file, bytes -> Arrays.copyOf(bytes, bytes.length + 5000));

        reopen();

        assertHolds(3);
        assertThat(cut().bytes()).isEqualTo(5000);
        assertThat(cut().reason()).contains("length");
    }

    @Test
    void aFlippedBitAnywhereInTheLastBatchCutsItOff() throws IOException {
        fill(0, 2);
        die();
        Path file = folder.file(log, 0, ".log");
        byte[] whole = Files.readAllBytes(file);
        for (int at = whole.length / 2; at < whole.length; at++) {
            byte[] spoilt = whole.clone();
            spoilt[at] ^= 0x40;
            Files.write(file, spoilt);
            folder.open();
            log = folder.log("t", 0);
            int inBatch = at - whole.length / 2;
            if (inBatch == 12) {
                // The highest byte of the leader epoch, made larger: not under the CRC, and epochs
                // may rise.
                assertHolds(2);
                append(log, batch());
                assertThat(log.leaderEpoch()).isEqualTo(0x4000_0000);
                Files.delete(folder.path.resolve("t-0").resolve(LeaderEpochs.FILE));
            } else if (inBatch > 12 && inBatch < 16) {
                assertHolds(2);
                Files.delete(folder.path.resolve("t-0").resolve(LeaderEpochs.FILE));
            } else {
                assertHolds(1);
                assertThat(cut()).as("byte %d", inBatch).isNotNull();
            }
            die();
        }
        Files.write(file, whole);
        reopen();
    }

    @Test
    void aBatchWithABaseOffsetThatDoesNotFollowIsCutOff() throws IOException {
        fill(0, 2);
        die();
        byte[] foreign = batch().records(2).bytesAt(6); // valid in itself, its checksum too
        Files.write(folder.file(log, 0, ".log"), foreign, StandardOpenOption.APPEND);

        reopen();

        assertHolds(2);
        assertThat(cut().reason()).contains("base offset 6 where 4 has to follow");
    }

    @Test
    void gapsAreTakenInACompactedLogButNoStepsBack() throws IOException {
        fill(0, 2);
        die();
        folder.config = folder.config.withCompacted(true);
        Path file = folder.file(log, 0, ".log");
        Files.write(file, withEpoch(batch().records(2).bytesAt(6), 0), StandardOpenOption.APPEND);
        Files.write(file, withEpoch(batch().records(2).bytesAt(7), 0), StandardOpenOption.APPEND);

        reopen();

        assertThat(log.logEndOffset()).isEqualTo(8);
        assertThat(cut().reason()).contains("base offset 7 where 8 or more has to follow");
        assertThat(Batches.view(folder.read(log, 4, 1)).baseOffset()).isEqualTo(6);
        folder.config = folder.config.withCompacted(false);
        assertThat(append(log, batch())).isEqualTo(8);
        folder.config = folder.config.withCompacted(true);
    }

    private static byte[] withEpoch(byte[] batch, int epoch) {
        ByteBuffer.wrap(batch).putInt(12, epoch);
        return batch;
    }

    @Test
    void aStaleBatchOfAnOlderEpochIsCutOff() throws IOException {
        fill(0, 2);
        die();
        Path file = folder.file(log, 0, ".log");
        Files.write(file, withEpoch(batch().records(2).bytesAt(4), 7), StandardOpenOption.APPEND);
        Files.write(file, withEpoch(batch().records(2).bytesAt(6), 6), StandardOpenOption.APPEND);

        reopen();

        assertThat(log.logEndOffset()).isEqualTo(6);
        assertThat(cut().reason()).contains("leader epoch 6 behind epoch 7");
        assertThat(log.leaderEpoch()).isEqualTo(7);
        assertThat(log.leaderEpochOf(5)).isEqualTo(7);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 5})
    void aCountThatDoesNotFitIsCutOff(int count) throws IOException {
        fill(0, 1);
        die();
        byte[] bad = withEpoch(batch().records(2).bytesAt(2), 0);
        ByteBuffer.wrap(bad).putInt(57, count);
        Files.write(folder.file(log, 0, ".log"), Batches.withCrc(bad), StandardOpenOption.APPEND);

        reopen();

        assertHolds(1);
        assertThat(cut().reason()).contains("count");
    }

    @Test
    void segmentsBehindACutAreRemoved() throws IOException {
        fill(0, 60);
        List<Long> before = folder.bases("t", 0);
        assertThat(before).hasSizeGreaterThan(4);
        die();
        long third = before.get(2);
        int kept = 100;
        edit(folder.file(log, third, ".log"), bytes -> {
            bytes[300] ^= 1;
            return bytes;
        });

        reopen();

        assertThat(folder.bases("t", 0)).isEqualTo(before.subList(0, 3));
        assertThat(cut().segmentsRemoved()).isEqualTo(before.size() - 3);
        assertThat(cut().file()).endsWith(third + ".log");
        assertHolds((int) (log.logEndOffset() / 2));
        assertThat(log.logEndOffset()).isGreaterThanOrEqualTo(third).isLessThan(before.get(3));
        fill((int) (log.logEndOffset() / 2), kept);
        log = folder.crash(log);
        assertHolds(kept);
    }

    @Test
    void aMissingSegmentEndsTheLogThere() throws IOException {
        fill(0, 60);
        List<Long> before = folder.bases("t", 0);
        die();
        Files.delete(folder.file(log, before.get(2), ".log"));

        reopen();

        assertThat(log.logEndOffset()).isEqualTo(before.get(2));
        assertThat(cut().segmentsRemoved()).isEqualTo(before.size() - 3);
        assertThat(cut().reason()).contains("begins at offset " + before.get(3));
        assertThat(folder.report(log).warnings()).anyMatch(warning -> warning.contains("index without a segment"));
    }

    @Test
    void onlyWhatLiesAboveTheRecoveryPointIsRead() throws IOException {
        fill(0, 60);
        log.flush();
        folder.directory().checkpoint();
        fill(60, 62);
        die();

        reopen();

        assertHolds(62);
        assertThat(folder.report(log).segmentsScanned()).isEqualTo(1);
        assertThat(folder.report(log).bytesScanned()).isLessThanOrEqualTo(4096);
    }

    @Test
    void sealedSegmentsThatACheckpointFlushedAreNotReadAgain() throws IOException {
        fill(0, 60);
        folder.directory().checkpoint();
        folder.directory().abandon();

        reopen();

        assertHolds(60);
        assertThat(folder.report(log).segmentsScanned()).isEqualTo(1);
        assertThat(log.recoveryPoint()).isEqualTo(folder.bases("t", 0).getLast());
    }

    @Test
    void damageBelowTheRecoveryPointIsNotCutButToldToTheReader() throws IOException {
        fill(0, 60);
        byte[] beginning = folder.read(log, 0, 300);
        folder.directory().checkpoint();
        die();
        List<Long> before = folder.bases("t", 0);
        edit(folder.file(log, 0, ".log"), bytes -> {
            bytes[300 + 16] = 9; // the magic byte of a batch in the middle, or a record's content
            Arrays.fill(bytes, 300, 900, (byte) 0x55);
            return bytes;
        });
        Files.delete(folder.file(log, 0, ".index")); // so that it has to be read

        reopen();

        assertThat(folder.bases("t", 0)).isEqualTo(before);
        assertThat(cut()).isNull();
        assertThat(folder.report(log).warnings())
                .anyMatch(warning -> warning.contains("damaged at byte") && warning.contains("left as it is"));
        assertThat(folder.read(log, 0, 1)).isEqualTo(Arrays.copyOf(beginning, folder.read(log, 0, 1).length));
        assertThatThrownBy(() -> log.read(7, 100, true))
                .isInstanceOf(CorruptBatchException.class)
                .hasMessageContaining("00000000000000000000.log")
                .hasMessageContaining("expected");
        assertThat(folder.read(log, before.get(1), 100)).isNotEmpty();
        assertThat(log.logEndOffset()).isEqualTo(120);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"missing", "empty", "garbage", "odd", "short", "zeros", "blank", "longer", "lying", "ahead"})
    void anIndexInWhateverStateIsMendedOrHarmless(String state) throws IOException {
        fill(0, 60);
        folder.directory().close();
        List<Long> bases = folder.bases("t", 0);
        Random random = new Random(1);
        for (long base : bases) {
            for (String suffix : List.of(".index", ".timeindex")) {
                Path path = folder.file(log, base, suffix);
                byte[] good = Files.readAllBytes(path);
                int entry = suffix.equals(".index") ? 8 : 12;
                byte[] bad = switch (state) {
                    case "missing" -> null;
                    case "empty" -> new byte[0];
                    case "odd" -> Arrays.copyOf(good, good.length + 1);
                    case "short" -> Arrays.copyOf(good, Math.max(0, good.length - entry));
                    case "zeros" -> Arrays.copyOf(good, 4096 / entry * entry);
                    case "blank" -> new byte[4096 / entry * entry];
                    case "ahead" -> {
                        // Every entry names the last entry's batch: a real one, and too far
                        // ahead.
                        byte[] ahead = good.clone();
                        for (int at = 0; at + entry <= ahead.length; at += entry) {
                            System.arraycopy(good, good.length - 4, ahead, at + entry - 4, 4);
                        }
                        yield ahead;
                    }
                    case "longer" -> {
                        byte[] longer = Arrays.copyOf(good, good.length + entry);
                        Arrays.fill(longer, good.length, longer.length, (byte) 0x7f);
                        yield longer;
                    }
                    case "lying" -> {
                        byte[] lying = good.clone();
                        for (int at = 0; at + entry <= lying.length; at += entry) {
                            lying[at + entry - 1] =
                                    (byte) (lying[at + entry - 1] + 3); // positions between batches, offsets of none
                        }
                        yield lying;
                    }
                    default -> {
                        byte[] garbage = new byte[good.length];
                        random.nextBytes(garbage);
                        yield garbage;
                    }
                };
                if (bad == null) {
                    Files.delete(path);
                } else {
                    Files.write(path, bad);
                }
            }
        }

        reopen();

        if (REBUILT_WHEN.contains(state)) {
            assertThat(folder.report(log).indexesRebuilt()).isEqualTo(bases.size());
        }
        assertHolds(60);
        for (int i = 0; i < 60; i++) {
            assertThat(log.offsetForTimestamp(T0 + i, Batches.CODEC))
                    .contains(new TimestampedOffset(T0 + i, 2L * i, 0));
        }
        fill(60, 70);
        assertHolds(70);
        folder.directory().abandon();
        reopen();
        assertHolds(70);
    }

    @Test
    void rebuiltIndexesAreThoseThatAppendingMakes() throws IOException {
        fill(0, 60);
        folder.directory().close();
        List<Path> indexes;
        try (var all = Files.list(folder.path.resolve("t-0"))) {
            indexes = all.filter(path -> path.toString().endsWith("index")).toList();
        }
        List<byte[]> made = indexes.stream().map(RecoveryTest::read).toList();
        for (Path index : indexes) {
            Files.delete(index);
        }
        Files.delete(folder.path.resolve(".kafka_cleanshutdown"));

        reopen();

        assertThat(folder.report(log).indexesRebuilt())
                .isEqualTo(folder.bases("t", 0).size());
        for (int i = 0; i < indexes.size(); i++) {
            assertThat(read(indexes.get(i))).as(indexes.get(i).toString()).isEqualTo(made.get(i));
        }
    }

    private static byte[] read(Path path) {
        try {
            return Files.readAllBytes(path);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void aRetryAfterACrashIsADuplicate() throws IOException {
        fill(0, 60);
        log = folder.crash(log);

        for (int i = 55; i < 60; i++) {
            assertThat(log.append(batch().records(2)
                            .valueBytes(100)
                            .producer(1, 0, 2 * i)
                            .view()))
                    .isEqualTo(new AppendOutcome.Duplicate(2L * i, 2L * i + 1, -1, 0));
        }
        assertThat(log.append(batch().producer(1, 0, 121).view()))
                .isInstanceOfSatisfying(
                        AppendOutcome.Rejected.class,
                        rejected ->
                                assertThat(rejected.reason()).isEqualTo(AppendOutcome.Reason.OUT_OF_ORDER_SEQUENCE));
        assertThat(append(log, batch().producer(1, 0, 120))).isEqualTo(120);
    }

    @Test
    void aRetryAfterACleanRestartIsADuplicate() throws IOException {
        fill(0, 60);
        long reads = folder.account.count(Call.PREAD).calls();
        log = folder.restart(log);

        assertThat(log.append(batch().records(2).producer(1, 0, 118).view()))
                .isEqualTo(new AppendOutcome.Duplicate(118, 119, -1, 0));
        assertThat(folder.account.count(Call.PREAD).calls() - reads)
                .as("headers read")
                .isLessThan(20);
        log = folder.restart(log);
        assertThat(log.append(batch().records(2).producer(1, 0, 118).view()))
                .isEqualTo(new AppendOutcome.Duplicate(118, 119, -1, 0));
    }

    /// Clients may have set another time than the broker was started with, which it reads from a log.
    @Test
    void whoIsForgottenIsDecidedByWhatHoldsWhenAllLogsAreLoaded() throws IOException {
        folder.config = folder.config.withProducerIdExpirationMs(1000);
        append(log, batch().producer(7, 0, 0));
        folder.directory().close();
        folder.nowMs += 1000;

        folder.open();
        log = folder.log("t", 0);
        log.configure(folder.config.withProducerIdExpirationMs(1001));
        folder.directory().checkpoint();
        assertThat(log.producers()).extracting(ProducerSummary::id).containsExactly(7L);

        log.configure(folder.config);
        folder.directory().checkpoint();
        assertThat(log.producers()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void withoutSnapshotsTheProducersAreFoundInTheBatches(boolean missing) throws IOException {
        fill(0, 60);
        folder.directory().checkpoint(); // the sealed segments are trusted: their headers have to be read for it
        die();
        try (var all = Files.list(folder.path.resolve("t-0"))) {
            for (Path snapshot :
                    all.filter(path -> path.toString().endsWith(".snapshot")).toList()) {
                if (missing) {
                    Files.delete(snapshot);
                } else {
                    Files.write(snapshot, new byte[] {1, 2, 3});
                }
            }
        }

        reopen();

        assertThat(log.append(batch().records(2).producer(1, 0, 118).view()))
                .isEqualTo(new AppendOutcome.Duplicate(118, 119, -1, 0));
        assertThat(folder.report(log).warnings().stream().filter(w -> w.contains("no snapshot")))
                .hasSize(missing ? 0 : folder.bases("t", 0).size() - 1);
    }

    @Test
    void aSnapshotOfALogThatWentOnOtherwiseIsNotBelieved() throws IOException {
        fill(0, 3);
        folder.directory().close();
        // Left of an earlier life of the log, at an offset that is neither a base nor the end; the right one
        // is lost.
        ProducerStates stale = new ProducerStates();
        stale.appended(batch().producer(7, 0, 500).view());
        Path left = SegmentFiles.of(folder.path.resolve("t-0"), 4, ".snapshot");
        Files.write(left, ProducerSnapshot.format(stale));
        Files.delete(folder.file(log, 6, ".snapshot"));

        reopen();

        assertThat(log.append(batch().records(2).producer(1, 0, 4).view())).isInstanceOf(AppendOutcome.Duplicate.class);
        assertThat(log.append(batch().producer(7, 0, 0).view())).isInstanceOf(AppendOutcome.Appended.class);
        assertThat(left).doesNotExist();
    }

    @Test
    void aHeaderThatReachesBeyondItsSegmentIsCorrupt() throws IOException {
        folder.config = folder.config.withCompacted(true); // where a count need not fit the offsets
        fill(0, 60);
        folder.directory().checkpoint();
        die();
        edit(folder.file(log, 0, ".log"), bytes -> {
            bytes[23] = 1; // the highest byte of the first batch's last offset delta
            return bytes;
        });

        reopen();

        assertThatThrownBy(() -> log.read(2, 1, true)).isInstanceOf(CorruptBatchException.class);
        assertThat(folder.read(log, folder.bases("t", 0).get(1), 1)).isNotEmpty();
    }

    @Test
    void anEmptyActiveSegmentIsTheOneToGoOnWith() throws IOException {
        fill(0, 14);
        List<Long> before = folder.bases("t", 0);
        die();
        // As if the crash had come between the roll and the first write.
        Path folderPath = folder.path.resolve("t-0");
        for (String suffix : List.of(".log", ".index", ".timeindex")) {
            Files.createFile(SegmentFiles.of(folderPath, 28, suffix));
        }

        reopen();

        assertHolds(14);
        assertThat(cut()).isNull();
        assertThat(folder.bases("t", 0)).hasSize(before.size() + 1).last().isEqualTo(28L);
        fill(14, 20);
        assertHolds(20);
        log = folder.restart(log);
        assertHolds(20);
    }

    @Test
    void anEmptySegmentOfAnAbandonedRollIsRemoved() throws IOException {
        fill(0, 14);
        List<Long> before = folder.bases("t", 0);
        die();
        Files.createFile(SegmentFiles.of(folder.path.resolve("t-0"), 21, ".log"));

        reopen();

        assertHolds(14);
        assertThat(cut()).isNull();
        assertThat(folder.bases("t", 0)).isEqualTo(before);
        assertThat(folder.report(log).warnings()).anyMatch(warning -> warning.contains("empty segment 21"));
    }

    @Test
    void aLogWithOneEmptySegmentStaysEmpty() throws IOException {
        log = folder.crash(log);
        assertThat(log.logEndOffset()).isZero();
        log = folder.restart(log);
        assertThat(log.logEndOffset()).isZero();
        fill(0, 1);
        assertHolds(1);
    }

    @Test
    void aFileThatWasChangedAfterACleanEndIsReadAndCut() throws IOException {
        fill(0, 3);
        folder.directory().close();
        folder.forgetCeilings();
        Files.delete(folder.path.resolve(OffsetCheckpoint.RECOVERY_POINT)); // what else: see CeilingTest
        edit(folder.file(log, 0, ".log"), bytes -> Arrays.copyOf(bytes, bytes.length - 5));

        reopen();

        assertHolds(2);
        assertThat(folder.directory().recoveryReport().clean()).isTrue();
        assertThat(cut()).isNotNull();
        assertThat(folder.report(log).warnings()).anyMatch(warning -> warning.contains("changed since"));
    }

    @Test
    void leftoversOfDeletionsAndReplacementsAreRemoved() throws IOException {
        fill(0, 3);
        die();
        Path in = folder.path.resolve("t-0");
        Files.createFile(in.resolve("00000000000000000007.log.deleted"));
        Files.createFile(in.resolve("leader-epoch-checkpoint.tmp"));
        Files.createFile(folder.path.resolve("recovery-point-offset-checkpoint.tmp"));

        reopen();

        assertHolds(3);
        assertThat(in.resolve("00000000000000000007.log.deleted")).doesNotExist();
        assertThat(in.resolve("leader-epoch-checkpoint.tmp")).doesNotExist();
        assertThat(folder.path.resolve("recovery-point-offset-checkpoint.tmp")).doesNotExist();
    }

    @Test
    void aLogThatEndsBelowItsStartBeginsAnew() throws IOException {
        fill(0, 30);
        die();
        Files.writeString(folder.path.resolve("log-start-offset-checkpoint"), "0\n1\nt 0 1000\n");

        reopen();

        assertThat(log.logStartOffset()).isEqualTo(1000);
        assertThat(log.logEndOffset()).isEqualTo(1000);
        assertThat(folder.bases("t", 0)).containsExactly(1000L);
        assertThat(append(log, batch())).isEqualTo(1000);
    }

    @Test
    void aLogMayBeginWithinItsFirstSegment() throws IOException {
        fill(0, 30);
        die();
        Files.writeString(folder.path.resolve("log-start-offset-checkpoint"), "0\n1\nt 0 5\n");

        reopen();

        assertThat(log.read(4, 100, true)).isEqualTo(new ReadOutcome.OutOfRange(5, 60));
        assertThat(Batches.view(folder.read(log, 5, 1)).baseOffset()).isEqualTo(4);
        assertThat(log.offsetForTimestamp(T0, Batches.CODEC)).contains(new TimestampedOffset(T0 + 2, 5, 0));
        folder.directory().checkpoint();
        log = folder.crash(log);
        assertThat(log.logStartOffset()).isEqualTo(5);
    }

    @Test
    void epochsAreFoundInTheBatchesWhenTheirFileIsGone() throws IOException {
        fill(0, 30);
        die();
        Files.writeString(folder.path.resolve("t-0").resolve(LeaderEpochs.FILE), "garbage");

        reopen();

        assertThat(log.leaderEpochOf(10)).isZero();
        assertThat(folder.report(log).warnings()).anyMatch(warning -> warning.contains(LeaderEpochs.FILE));
        assertThat(folder.path.resolve("t-0").resolve(LeaderEpochs.FILE)).hasContent("0\n1\n0 0\n");
    }

    @ParameterizedTest
    @EnumSource(names = {"OPENAT", "STATX", "PREAD", "FTRUNCATE"})
    void aPartitionThatCannotBeRecoveredIsNotHalfOpened(Call call) throws IOException {
        fill(0, 30);
        die();
        edit(folder.file(log, folder.bases("t", 0).getLast(), ".log"), bytes -> Arrays.copyOf(bytes, bytes.length - 5));
        Faults.Fault broken =
                folder.faults.once(call, folder.bases("t", 0).getLast() + ".log", 0, dev.sluice.io.linux.Errno.EIO);

        assertThatThrownBy(() -> folder.open()).hasMessageContaining("t-0").hasMessageContaining("EIO");

        assertThat(broken.hits()).isEqualTo(1);
        assertThat(OpenHandles.descriptors(folder.path)).isEmpty();
        reopen();
        assertHolds(29);
    }

    @Test
    void manyPartitionsAreRecoveredSideBySide() throws IOException {
        for (int i = 0; i < 20; i++) {
            PartitionLog each = folder.create("many", i);
            for (int j = 0; j <= i; j++) {
                append(each, batch().seed(j));
            }
        }
        die();

        reopen();

        for (int i = 0; i < 20; i++) {
            assertThat(folder.log("many", i).logEndOffset()).isEqualTo(i + 1);
        }
        assertThat(folder.directory().recoveryReport().partitions()).hasSize(21);
    }
}
