package dev.sluice.log;

import static dev.sluice.log.Batches.T0;
import static dev.sluice.log.Batches.batch;
import static dev.sluice.log.Folder.append;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TimestampSearchTest extends FolderTest {
    private PartitionLog log;

    @BeforeEach
    void aLog() throws IOException {
        folder.config = folder.config.withSegmentBytes(3000).withIndexIntervalBytes(300);
        log = folder.create("t", 0);
    }

    @Test
    void anEmptyLogHasNone() throws IOException {
        assertThat(log.offsetForTimestamp(0, Batches.CODEC)).isEmpty();
        assertThat(log.offsetOfMaxTimestamp(Batches.CODEC)).isEmpty();
    }

    @Test
    void theExactRecordInsideABatchIsFound() throws IOException {
        append(
                log,
                batch().records(10)
                        .timestamp(T0)
                        .timestampStep(10)
                        .compression(Compression.gzip().build()));
        append(log, batch().records(10).timestamp(T0 + 100).timestampStep(10));

        assertThat(log.offsetForTimestamp(T0 - 1, Batches.CODEC)).contains(new TimestampedOffset(T0, 0, 0));
        assertThat(log.offsetForTimestamp(T0 + 41, Batches.CODEC)).contains(new TimestampedOffset(T0 + 50, 5, 0));
        assertThat(log.offsetForTimestamp(T0 + 190, Batches.CODEC)).contains(new TimestampedOffset(T0 + 190, 19, 0));
        assertThat(log.offsetForTimestamp(T0 + 191, Batches.CODEC)).isEmpty();
        assertThat(log.offsetOfMaxTimestamp(Batches.CODEC)).contains(new TimestampedOffset(T0 + 190, 19, 0));
    }

    @Test
    void theFirstOfSeveralRecordsWithTheLargestTimestampIsFound() throws IOException {
        append(log, batch().records(3).timestamp(T0 + 7));
        append(log, batch().records(3).timestamp(T0 + 9).timestampStep(-1));
        append(log, batch().records(3).timestamp(T0 + 9));

        assertThat(log.offsetOfMaxTimestamp(Batches.CODEC)).contains(new TimestampedOffset(T0 + 9, 3, 0));
    }

    /// What the definition says, by looking at every record: the first batch in log order, from the first segment
    /// that has such a timestamp on, and in it the first record.
    private static Optional<TimestampedOffset> first(List<TimestampedOffset> records, long timestamp) {
        return records.stream().filter(each -> each.timestampMs() >= timestamp).findFirst();
    }

    @Test
    void inALogOfManySegmentsTheAnswerIsThatOfLookingAtEveryRecord() throws IOException {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        List<TimestampedOffset> records = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            int count = 1 + random.nextInt(4);
            long timestamp = T0 + i * 5L + random.nextInt(300) - 150;
            int step = random.nextInt(9) - 4;
            long base = append(
                    log,
                    batch().records(count)
                            .timestamp(timestamp)
                            .timestampStep(step)
                            .valueBytes(random.nextInt(150)));
            for (int j = 0; j < count; j++) {
                records.add(new TimestampedOffset(timestamp + (long) j * step, base + j, 0));
            }
        }
        long largest =
                records.stream().mapToLong(TimestampedOffset::timestampMs).max().orElseThrow();
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < 300; i++) {
                long wanted = T0 - 200 + random.nextInt(1500);
                assertThat(log.offsetForTimestamp(wanted, Batches.CODEC))
                        .as("seed %d, timestamp %d", seed, wanted)
                        .isEqualTo(first(records, wanted));
            }
            assertThat(log.offsetOfMaxTimestamp(Batches.CODEC))
                    .as("seed %d", seed)
                    .isEqualTo(first(records, largest));
            log = round == 0 ? folder.restart(log) : folder.crash(log);
        }
    }

    @Test
    void aBatchThatIsSpoiltIsNotHandedToTheCodec() throws IOException {
        append(log, batch().records(3).timestamp(T0));
        Path file = folder.file(log, 0, ".log");
        byte[] bytes = java.nio.file.Files.readAllBytes(file);
        bytes[(int) log.bytesOnDisk() - 3] ^= 1;
        java.nio.file.Files.write(file, bytes);

        assertThatThrownBy(() -> log.offsetForTimestamp(T0, (_, _) -> {
                    throw new AssertionError("must not be asked");
                }))
                .isInstanceOf(CorruptBatchException.class)
                .hasMessageContaining("CRC");
    }

    @Test
    void whatTheCodecCannotReadIsTheCallersToKnow() {
        append(log, batch().timestamp(T0));

        assertThatThrownBy(() -> log.offsetForTimestamp(T0, (_, _) -> {
                    throw new IOException("bad snappy");
                }))
                .hasMessage("bad snappy");
    }
}
