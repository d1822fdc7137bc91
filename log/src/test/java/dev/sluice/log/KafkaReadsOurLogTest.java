package dev.sluice.log;

import static dev.sluice.log.Batches.T0;
import static dev.sluice.log.Batches.batch;
import static dev.sluice.log.Folder.append;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Properties;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.FileRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.storage.internals.log.FetchDataInfo;
import org.apache.kafka.storage.internals.log.LogSegment;
import org.apache.kafka.tools.DumpLogSegments;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/// Kafka 4.3.1 itself reads what we wrote, and says the same of it: its dump tool, its file reader, its segment.
@Isolated("the dump tool prints to System.out")
class KafkaReadsOurLogTest extends FolderTest {
    @BeforeEach
    void options() {
        folder.config = folder.config.withSegmentBytes(64 << 10);
    }

    /// Timestamps that rise, stand still and fall; compressed and not; with and without producers.
    private static Batches some(Random random, int i) {
        Batches built = batch().records(1 + random.nextInt(20))
                .valueBytes(random.nextInt(400))
                .timestamp(T0 + i * 10L - random.nextInt(200))
                .timestampStep(random.nextInt(5) - 2)
                .seed(i);
        return switch (random.nextInt(4)) {
            case 0 -> built.compression(Compression.gzip().build());
            case 1 -> built.compression(Compression.lz4().build());
            default -> built;
        };
    }

    private PartitionLog filled(int batches) throws IOException {
        PartitionLog log = folder.create("t", 0);
        Random random = new Random(3);
        for (int i = 0; i < batches; i++) {
            append(log, some(random, i));
        }
        return log;
    }

    private List<Path> files(String suffix) throws IOException {
        try (var all = Files.list(folder.path.resolve("t-0"))) {
            return all.filter(path -> path.toString().endsWith(suffix)).sorted().toList();
        }
    }

    private static String dump(List<Path> files, String... more) throws IOException {
        List<String> arguments = new ArrayList<>(List.of(
                "--files", String.join(",", files.stream().map(Path::toString).toList())));
        arguments.addAll(List.of(more));
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        PrintStream out = System.out;
        PrintStream err = System.err;
        try (PrintStream both = new PrintStream(printed, true, StandardCharsets.UTF_8)) {
            System.setOut(both);
            System.setErr(both);
            DumpLogSegments.main(arguments.toArray(String[]::new));
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
        return printed.toString(StandardCharsets.UTF_8);
    }

    /// The tool of 4.3.1 holds the first record of every segment against offset -1, and so calls each segment but
    /// the first non-consecutive at its start. Anything else it complains of is ours.
    private static void assertNothingWrong(String dump) {
        String complaints = dump.lines()
                .filter(line -> !line.startsWith("Non-consecutive offsets in "))
                .filter(line -> !line.startsWith("  -1 is followed by "))
                .reduce("", (all, line) -> all + line + "\n");
        assertThat(complaints.toLowerCase(Locale.ROOT))
                .doesNotContain("mismatch")
                .doesNotContain("invalid")
                .doesNotContain("corrupt")
                .doesNotContain("isvalid: false")
                .doesNotContain("non-consecutive")
                .doesNotContain("followed by")
                .doesNotContain("not found")
                .doesNotContain("out of order")
                .doesNotContain("exception");
    }

    private void assertKafkasToolAccepts() throws IOException {
        String batches = dump(files(".log"), "--deep-iteration", "--print-data-log");
        assertNothingWrong(batches);
        assertThat(batches.lines().filter(line -> line.contains("isvalid: true")))
                .isNotEmpty();
        for (String suffix : List.of(".index", ".timeindex")) {
            List<Path> indexes = files(suffix);
            assertNothingWrong(dump(indexes, "--verify-index-only"));
            assertNothingWrong(dump(indexes));
            String sanity = dump(indexes, "--index-sanity-check");
            assertNothingWrong(sanity);
            long filled = 0;
            for (Path index : indexes) {
                filled += Files.size(index) > 0 ? 1 : 0;
            }
            assertThat(sanity.lines().filter(line -> line.contains("passed sanity check")))
                    .hasSizeGreaterThanOrEqualTo((int) filled);
        }
        assertNothingWrong(dump(files(".snapshot")));
    }

    @Test
    void itsDumpToolAcceptsEverythingAfterACleanClose() throws IOException {
        PartitionLog log = filled(300);
        assertThat(files(".log")).hasSizeGreaterThan(3);
        folder.directory().close();

        assertKafkasToolAccepts();
        assertThat(log.logEndOffset()).isPositive();
    }

    @Test
    void itsDumpToolAcceptsEverythingAfterACrashAndACleanClose() throws IOException {
        PartitionLog log = filled(300);
        log = folder.crash(log);
        Random random = new Random(5);
        for (int i = 300; i < 400; i++) {
            append(log, some(random, i));
        }
        folder.directory().close();

        assertKafkasToolAccepts();
    }

    @Test
    void itsDumpToolAcceptsAPartitionThatRestedInBetween() throws IOException {
        PartitionLog log = filled(40);
        Random random = new Random(5);
        for (int i = 40; i < 120; i++) {
            if (i % 10 == 0) {
                log.rest();
                log.rest();
            }
            append(log, some(random, i));
        }
        folder.directory().close();

        assertKafkasToolAccepts();
    }

    @Test
    void theCheckOfTheDumpToolFindsWhatIsWrong() throws IOException {
        filled(300);
        folder.directory().close();
        Path index = files(".index").getFirst();
        byte[] entries = Files.readAllBytes(index);
        entries[3]++;
        Files.write(index, entries);

        assertThat(dump(List.of(index), "--verify-index-only").toLowerCase(Locale.ROOT))
                .contains("mismatch");
        // Mended, for the folder's own check at the end.
        entries[3]--;
        Files.write(index, entries);
    }

    @Test
    void itsFileReaderReadsTheSameBatches() throws IOException {
        filled(200);
        folder.directory().close();
        folder.open();
        PartitionLog log = folder.log("t", 0);
        long offset = 0;
        for (Path path : files(".log")) {
            try (FileRecords theirs = FileRecords.open(path.toFile(), false)) {
                for (RecordBatch batch : theirs.batches()) {
                    batch.ensureValid();
                    assertThat(batch.baseOffset()).isEqualTo(offset);
                    byte[] ours = folder.take(log.read(offset, 1, true));
                    RecordBatch same = MemoryRecords.readableRecords(ByteBuffer.wrap(ours))
                            .batchIterator()
                            .next();
                    assertThat(same.checksum()).isEqualTo(batch.checksum());
                    assertThat(same.sizeInBytes())
                            .isEqualTo(batch.sizeInBytes())
                            .isEqualTo(ours.length);
                    offset = batch.nextOffset();
                }
            }
        }
        assertThat(offset).isEqualTo(log.logEndOffset());
    }

    /// Kafka's own segment, given the same batches, makes the same three files.
    @Test
    void itsSegmentMakesTheSameFiles() throws IOException {
        folder.config = folder.config.withSegmentBytes(1 << 20).withIndexIntervalBytes(1000);
        PartitionLog log = filled(300);
        byte[] content = folder.read(log, 0, 1 << 20);
        folder.directory().close();
        assertThat(files(".log")).hasSize(1);
        assertThat(Files.size(files(".timeindex").getFirst())).isPositive();

        Path theirFolder = Files.createDirectory(temporary.resolve("theirs"));
        LogSegment theirs = segment(theirFolder, 1000);
        for (RecordBatch batch :
                MemoryRecords.readableRecords(ByteBuffer.wrap(content)).batches()) {
            ByteBuffer one = ByteBuffer.allocate(batch.sizeInBytes());
            batch.writeTo(one);
            theirs.append(batch.lastOffset(), MemoryRecords.readableRecords(one.flip()));
        }
        theirs.onBecomeInactiveSegment();
        theirs.close();

        for (String suffix : List.of(".log", ".index", ".timeindex")) {
            assertThat(Files.readAllBytes(files(suffix).getFirst()))
                    .as(suffix)
                    .isEqualTo(Files.readAllBytes(SegmentFiles.of(theirFolder, 0, suffix)));
        }
    }

    private static LogSegment segment(Path folder, int indexIntervalBytes) throws IOException {
        Properties properties = new Properties();
        properties.setProperty("index.interval.bytes", Integer.toString(indexIntervalBytes));
        return LogSegment.open(
                folder.toFile(),
                0,
                new org.apache.kafka.storage.internals.log.LogConfig(properties),
                Time.SYSTEM,
                0,
                false);
    }

    /// For every offset, and several byte limits, the answer is that of Kafka's segment on the same files.
    @Test
    void itsSegmentAnswersReadsAlike() throws IOException {
        folder.config = folder.config.withSegmentBytes(1 << 20).withIndexIntervalBytes(1000);
        PartitionLog log = filled(150);
        log = folder.restart(log);
        LogSegment theirs = LogSegment.open(
                folder.path.resolve("t-0").toFile(),
                0,
                new org.apache.kafka.storage.internals.log.LogConfig(new Properties()),
                Time.SYSTEM,
                true,
                0,
                false,
                "");
        for (long offset = 0; offset < log.logEndOffset(); offset++) {
            for (int limit : new int[] {1, 100, 5000}) {
                FetchDataInfo expected = theirs.read(offset, limit, Optional.of((long) theirs.size()), true);
                ByteBuffer bytes = ByteBuffer.allocate(expected.records.sizeInBytes());
                ((FileRecords) expected.records).readInto(bytes, 0);
                ReadOutcome.Found found = (ReadOutcome.Found) log.read(offset, limit, true);
                assertThat(found.span().position()).isEqualTo(expected.fetchOffsetMetadata.relativePositionInSegment);
                assertThat(folder.take(found)).isEqualTo(bytes.array());
            }
        }
        theirs.close();
    }

    @Test
    void itsSegmentFindsTheSameRecordsByTimestamp() throws IOException {
        folder.config = folder.config.withSegmentBytes(1 << 20).withIndexIntervalBytes(1000);
        PartitionLog log = filled(150);
        for (int round = 0; round < 2; round++) { // appended to, and after a restart
            if (round == 1) {
                log = folder.restart(log);
            }
            Path copied = Files.createDirectory(temporary.resolve("copy" + round));
            for (String suffix : List.of(".index", ".timeindex")) {
                Files.copy(files(suffix).getFirst(), SegmentFiles.of(copied, 0, suffix));
            }
            // Without the zeros that follow while it is appended to.
            Files.write(SegmentFiles.of(copied, 0, ".log"), folder.read(log, 0, 1 << 20));
            LogSegment theirs = LogSegment.open(
                    copied.toFile(),
                    0,
                    new org.apache.kafka.storage.internals.log.LogConfig(new Properties()),
                    Time.SYSTEM,
                    true,
                    0,
                    false,
                    "");
            for (long timestamp = T0 - 300; timestamp < T0 + 1700; timestamp += 3) {
                long wanted = timestamp;
                Optional<FileRecords.TimestampAndOffset> expected =
                        Optional.ofNullable(theirs.log().searchForTimestamp(wanted, 0, 0));
                assertThat(log.offsetForTimestamp(wanted, Batches.CODEC))
                        .as("timestamp %d", wanted)
                        .isEqualTo(expected.map(e -> new TimestampedOffset(e.timestamp, e.offset, 0)));
            }
            theirs.close();
        }
    }
}
