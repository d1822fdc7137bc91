package dev.sluice.log;

import static dev.sluice.log.Batches.T0;
import static dev.sluice.log.Batches.batch;
import static dev.sluice.log.Folder.append;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.log.CheckReport.Finding;
import dev.sluice.log.CheckReport.Remedy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(180)
class DirectoryCheckTest {
    private static final int BATCHES = 60;

    @TempDir
    Path temporary;

    private Folder folder;
    private PartitionLog log;
    private long lastBase;

    /// Several segments of batches of two records, by one producer.
    @BeforeEach
    void aFolder() throws IOException {
        folder = new Folder(temporary.resolve("data"));
        folder.config = folder.config.withSegmentBytes(4096).withIndexIntervalBytes(500);
        log = folder.create("t", 0);
        for (int i = 0; i < BATCHES; i++) {
            append(
                    log,
                    batch().records(2).valueBytes(100).seed(i).timestamp(T0 + i).producer(1, 0, 2 * i));
        }
        try (var names = Files.list(folder.path.resolve("t-0"))) {
            lastBase = names.map(path -> path.getFileName().toString())
                    .filter(name -> name.endsWith(".log"))
                    .mapToLong(name -> SegmentFiles.parse(name).orElseThrow().baseOffset())
                    .max()
                    .orElseThrow();
        }
    }

    @AfterEach
    void nothingLeft() {
        folder.directory().abandon();
        assertThat(OpenHandles.descriptors(folder.path)).isEmpty();
    }

    private void stop() throws IOException {
        folder.directory().close();
    }

    private void die() {
        folder.directory().abandon();
    }

    private CheckReport check() throws IOException {
        return DirectoryCheck.check(folder.kernel, folder.path, _ -> folder.config, folder.clock());
    }

    private RecoveryReport repair(CheckReport found) throws IOException {
        return DirectoryCheck.repair(folder.kernel, folder.path, _ -> folder.config, folder.clock(), found);
    }

    private Finding onlyFinding() throws IOException {
        CheckReport report = check();
        assertThat(report.findings()).hasSize(1);
        return report.findings().getFirst();
    }

    private static void edit(Path path, UnaryOperator<byte[]> change) throws IOException {
        Files.write(path, change.apply(Files.readAllBytes(path)));
    }

    private static UnaryOperator<byte[]> flipped(int at) {
        return bytes -> {
            bytes[at] ^= 0x40;
            return bytes;
        };
    }

    private static Map<String, Integer> content(Path root) throws IOException {
        Map<String, Integer> content = new TreeMap<>();
        try (var paths = Files.walk(root)) {
            for (Path path : (Iterable<Path>) paths.filter(Files::isRegularFile)::iterator) {
                content.put(path.toString(), Arrays.hashCode(Files.readAllBytes(path)));
            }
        }
        return content;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatABrokerLeavesHasNothingToFindAndIsNotChanged(boolean clean) throws IOException {
        if (clean) {
            stop();
        } else {
            folder.directory().checkpoint();
            append(log, batch());
            die();
        }
        Map<String, Integer> before = content(folder.path);

        CheckReport report = check();

        assertThat(report.findings()).isEmpty();
        assertThat(report.clean()).isEqualTo(clean);
        assertThat(report.partitions()).isEqualTo(1);
        assertThat(report.segments()).isGreaterThan(2);
        assertThat(report.batches()).isEqualTo(clean ? BATCHES : BATCHES + 1);
        assertThat(content(folder.path)).isEqualTo(before);
    }

    @Test
    void everyByteOfEveryStoredBatchThatIsFlippedIsFoundAndItsBatchNamed() throws IOException {
        folder.directory().delete(log);
        log = folder.create("small", 0);
        for (int i = 0; i < 4; i++) {
            append(log, batch().records(2).valueBytes(30).producer(1, 0, 2 * i));
        }
        stop();
        Path file = folder.file(log, 0, ".log");
        byte[] whole = Files.readAllBytes(file);
        int batchBytes = whole.length / 4;
        for (int at = 0; at < whole.length; at++) {
            Files.write(file, flipped(at).apply(whole.clone()));

            Finding finding = check().findings().getFirst();

            assertThat(finding.file()).isEqualTo(file);
            assertThat(finding.position() / batchBytes).as("byte %d", at).isEqualTo(at / batchBytes);
        }
        Files.write(file, whole);
        assertThat(check().findings()).isEmpty();
    }

    @Test
    void behindADamageItGoesOnAndTellsOfTheNext() throws IOException {
        stop();
        Path file = folder.file(log, 0, ".log");
        int batchBytes = (int) (Files.size(file)
                / (Files.size(file)
                        / batch().records(2).valueBytes(100).producer(1, 0, 0).bytes().length));
        edit(file, flipped(batchBytes + 8)); // the length itself
        edit(file, flipped(5 * batchBytes + 100)); // a record
        edit(folder.file(log, lastBase, ".log"), flipped(70)); // with whole batches behind it

        CheckReport report = check();

        assertThat(report.findings())
                .extracting(Finding::position)
                .containsExactly((long) batchBytes, 5L * batchBytes, 0L);
        assertThat(report.findings().get(0).what()).contains("offsets 2 to 3").contains("byte " + 2 * batchBytes);
        assertThat(report.findings().get(1).what()).contains("CRC").contains("offsets 10 to 11");
        assertThat(report.batches()).isEqualTo(BATCHES - 3);
        assertThat(report.lost()).isTrue();

        Map<String, Integer> before = content(folder.path.resolve("t-0"));
        repair(report);

        assertThat(content(folder.path.resolve("t-0"))).isEqualTo(before); // nothing was cut for it
        assertThat(check().findings()).isEqualTo(report.findings());
    }

    @Test
    void aDamagedEndOfACleanFolderIsCutByARepair() throws IOException {
        stop();
        Path file = folder.file(log, lastBase, ".log");
        long size = Files.size(file);
        edit(file, flipped((int) size - 1));

        CheckReport report = check();

        assertThat(report.findings()).hasSize(3); // also of the snapshot behind it, and of flushed records missing
        assertThat(report.findings().getFirst().remedy()).isEqualTo(Remedy.RECOVERY);
        assertThat(report.findings().getLast().what())
                .contains("offsets 118 to 119")
                .contains("lost");
        repair(report);
        assertThat(check().findings()).isEmpty();
        assertThat(check().clean()).isTrue();
        folder.open();
        assertThat(folder.log("t", 0).logEndOffset())
                .as("what is lost was seen, and its offsets are not given again")
                .isEqualTo(2 * BATCHES);
    }

    @Test
    void aTornTailAfterACrashIsFoundAsRecoveryWillCutIt() throws IOException {
        die();
        Path file = folder.file(log, lastBase, ".log");
        edit(file, bytes -> Arrays.copyOf(bytes, bytes.length - 10));

        Finding finding = onlyFinding();

        assertThat(finding.remedy()).isEqualTo(Remedy.RECOVERY);
        RecoveryReport.Cut cut = repair(check()).cut().getFirst().cut();
        assertThat(cut.position()).isEqualTo(finding.position());
        assertThat(finding.what()).contains(cut.reason()).contains(cut.bytes() + " bytes");
        assertThat(check().findings()).isEmpty();
        assertThat(check().clean()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {".index", ".timeindex"})
    void anIndexEntryInTheMiddleThatLiesIsFoundAndMadeAnew(String suffix) throws IOException {
        stop();
        Path index = folder.file(log, 0, suffix);
        byte[] right = Files.readAllBytes(index);
        int entryBytes = suffix.equals(".index") ? 8 : 12;
        edit(index, bytes -> {
            int at = entryBytes + entryBytes - 1;
            bytes[at]++;
            return bytes;
        });

        Finding finding = onlyFinding();

        assertThat(finding.file()).isEqualTo(index);
        assertThat(finding.position()).isEqualTo(entryBytes);
        assertThat(finding.remedy()).isEqualTo(Remedy.RECOVERY);
        repair(check());
        assertThat(check().findings()).isEmpty();
        assertThat(Files.readAllBytes(index)).isEqualTo(right);
    }

    @Test
    void aMissingIndexAndAMissingSegmentAreFound() throws IOException {
        stop();
        Files.delete(folder.file(log, 0, ".index"));
        assertThat(onlyFinding().what()).contains("missing");
        repair(check());

        Files.delete(folder.file(log, 0, ".log"));

        assertThat(check().findings()).extracting(Finding::what).anyMatch(what -> what.contains("without a segment"));
    }

    @Test
    void aGapBetweenSegmentsIsFound() throws IOException {
        stop();
        long second;
        try (var names = Files.list(folder.path.resolve("t-0"))) {
            second = names.map(path -> path.getFileName().toString())
                    .filter(name -> name.endsWith(".log"))
                    .mapToLong(name -> SegmentFiles.parse(name).orElseThrow().baseOffset())
                    .filter(base -> base > 0)
                    .min()
                    .orElseThrow();
        }
        for (String suffix : new String[] {".log", ".index", ".timeindex", ".snapshot"}) {
            Files.delete(folder.file(log, second, suffix));
        }

        Finding finding = onlyFinding();

        assertThat(finding.remedy()).isEqualTo(Remedy.NONE);
        assertThat(finding.what()).contains("offsets " + second + " to ").contains("missing");
    }

    @Test
    void aSnapshotThatContradictsTheBatchesIsFoundAndTakenAway() throws IOException {
        stop();
        Path snapshot = folder.file(log, 2 * BATCHES, ".snapshot");
        edit(snapshot, bytes -> {
            bytes[bytes.length - 1] ^= 1; // its checksum no longer fits
            return bytes;
        });
        assertThat(onlyFinding().what()).contains("no snapshot");

        ProducerStates lying = new ProducerStates();
        ProducerState state = new ProducerState();
        state.add((short) 0, 7, 2 * BATCHES - 1, 1, T0);
        lying.put(1, state);
        ProducerSnapshot.write(folder.kernel, snapshot, lying);
        assertThat(onlyFinding().what()).contains("sequence 7");

        repair(check());
        assertThat(check().findings()).isEmpty();
        folder.open();
        assertThat(folder.log("t", 0)
                        .append(batch().records(2)
                                .valueBytes(100)
                                .producer(1, 0, 2 * BATCHES)
                                .view()))
                .isInstanceOf(AppendOutcome.Appended.class);
    }

    @Test
    void checkpointsThatCannotBeUnderstoodAreFound() throws IOException {
        stop();
        Files.writeString(folder.path.resolve(OffsetCheckpoint.RECOVERY_POINT), "nonsense");
        Files.writeString(folder.path.resolve("t-0").resolve(LeaderEpochs.FILE), "0\n3\n");

        assertThat(check().findings())
                .extracting(finding -> finding.file().getFileName().toString())
                .containsExactly(OffsetCheckpoint.RECOVERY_POINT, LeaderEpochs.FILE);
        repair(check());
        assertThat(check().findings()).isEmpty();
    }

    @Test
    void segmentsOfWhichTheLogBeganBehindAreNotLookedAt() throws IOException {
        stop();
        OffsetCheckpoint.write(
                folder.kernel,
                folder.path.resolve(OffsetCheckpoint.LOG_START),
                Map.of(new PartitionName("t", 0), lastBase));
        edit(folder.file(log, 0, ".log"), flipped(70));

        assertThat(check().findings()).isEmpty();
    }

    @Test
    void aFolderThatABrokerHoldsIsRefused() throws IOException {
        assertThatThrownBy(this::check).isInstanceOf(LogDirectoryException.Held.class);
        stop();
        check();
    }

    @Test
    void aFolderOfNobodyIsRefused() throws IOException {
        Path empty = Files.createDirectory(temporary.resolve("empty"));
        assertThatThrownBy(() -> DirectoryCheck.check(folder.kernel, empty, _ -> folder.config, folder.clock()))
                .isInstanceOf(LogDirectoryException.Foreign.class)
                .hasMessageContaining("meta.properties");
        assertThat(content(empty)).isEmpty();
    }

    @Test
    void aFileThatCannotBeReadIsAFindingAndTheOthersAreLookedAt() throws IOException {
        stop();
        folder.faults.always(
                dev.sluice.io.linux.Call.PREAD,
                SegmentFiles.of(Path.of(""), 0, ".log").toString(),
                5);

        Finding finding = onlyFinding();

        assertThat(finding.what()).contains("can't be read").contains("EIO");
    }
}
