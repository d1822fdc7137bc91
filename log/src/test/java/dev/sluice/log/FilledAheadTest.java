package dev.sluice.log;

import static dev.sluice.log.Batches.T0;
import static dev.sluice.log.Batches.batch;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What a broker that fills files ahead leaves behind its last batch when it is killed, and who may take it for
/// nothing.
@Timeout(180)
class FilledAheadTest extends FolderTest {
    private PartitionLog log;

    @BeforeEach
    void aLog() throws IOException {
        folder.options = folder.options.withEngine(SegmentWriter.mapped());
        log = folder.create("t", 0);
    }

    private long append() {
        return Folder.append(log, batch().records(2).timestamp(T0));
    }

    private static int batchBytes() {
        return batch().records(2).timestamp(T0).bytes().length;
    }

    private void reopen() throws IOException {
        folder.open();
        log = folder.log("t", 0);
    }

    /// Three batches, and a death.
    private Path killed() {
        append();
        append();
        append();
        folder.directory().abandon();
        return folder.file(log, 0, ".log");
    }

    private void assertNothingWasLost() {
        assertThat(folder.report(log).skip()).isNull();
        assertThat(append()).isEqualTo(6);
    }

    @Test
    void zerosAreCutOffAndNothingWasLost() throws IOException {
        Path file = killed();
        assertThat(Files.size(file)).isEqualTo(PwriteSegmentWriter.LEAST_FILL_BYTES);
        CheckReport checked = DirectoryCheck.check(folder.kernel, folder.path, _ -> folder.config, folder.clock());
        assertThat(checked.findings()).isEmpty();

        reopen();

        assertThat(Files.size(file)).isEqualTo(3L * batchBytes());
        assertThat(folder.report(log).cut()).isNull();
        assertNothingWasLost();
    }

    @Test
    void aSegmentThatWasFilledAndNeverStoredToIsEmpty() throws IOException {
        folder.directory().abandon();
        Files.write(folder.file(log, 0, ".log"), new byte[PwriteSegmentWriter.LEAST_FILL_BYTES]);

        reopen();

        assertThat(folder.report(log).skip()).isNull();
        assertThat(append()).isZero();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aBatchWithoutItsLengthWasNotPublished(boolean hasOffset) throws IOException {
        Path file = killed();
        byte[] bytes = Files.readAllBytes(file);
        byte[] torn = batch().records(2).bytesAt(6);
        int lengthAt = MappedSegmentWriter.LENGTH_ENDS_AT - Integer.BYTES;
        Arrays.fill(torn, hasOffset ? lengthAt : 0, MappedSegmentWriter.LENGTH_ENDS_AT, (byte) 0);
        System.arraycopy(torn, 0, bytes, 3 * batchBytes(), torn.length);
        Files.write(file, bytes);

        reopen();

        assertNothingWasLost();
    }

    /// The kernel ends the write of a process that is killed between two folios.
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void aBatchOfWhichTheFirstPagesWereWrittenWasNotPublished(int pages) throws IOException {
        written(pages * 4096);

        reopen();

        assertNothingWasLost();
    }

    /// The control: no write ends within a page.
    @Test
    void aBatchWhoseLastPageEndsInZerosIsALoss() throws IOException {
        written(3 * batchBytes() + batch().records(2).valueBytes(8000).bytesAt(6).length - 10);

        reopen();

        assertThat(folder.report(log).skip()).isNotNull();
    }

    /// Of a batch of four pages all up to `end` in the file.
    private void written(int end) throws IOException {
        Path file = killed();
        byte[] torn = Arrays.copyOf(batch().records(2).valueBytes(8000).bytesAt(6), end - 3 * batchBytes());
        byte[] bytes = Files.readAllBytes(file);
        System.arraycopy(torn, 0, bytes, 3 * batchBytes(), torn.length);
        Files.write(file, bytes);
    }

    /// Zeros that a device has left in place of the last records look the same; its error tells them.
    @Test
    void zerosAreNotBelievedWhereTheDeviceHasFailed() throws IOException {
        killed();
        folder.faults.once(Call.FDATASYNC, "0.log", 0, Errno.EIO);
        assertThatThrownBy(folder::open).hasMessageContaining("EIO");

        reopen();

        assertThat(folder.report(log).skip()).isNotNull();
    }

    @Test
    void zerosBeforeAWholeBatchAreALoss() throws IOException {
        Path file = killed();
        byte[] bytes = Files.readAllBytes(file);
        Arrays.fill(bytes, batchBytes(), 2 * batchBytes(), (byte) 0);
        Files.write(file, bytes);

        reopen();

        assertThat(folder.report(log).skip()).isNotNull();
        assertThat(append()).isGreaterThanOrEqualTo(6);
    }

    /// The control: who fills nothing must not take zeros, which a device may have left in place of records, for
    /// the end.
    @Test
    void ofAnotherEngineZerosAreALoss() throws IOException {
        folder.directory().close();
        folder.options = folder.options.withEngine(SegmentWriter.plain());
        reopen();
        Path file = killed();
        Files.write(file, Arrays.copyOf(Files.readAllBytes(file), PwriteSegmentWriter.LEAST_FILL_BYTES));

        reopen();

        assertThat(folder.report(log).skip()).isNotNull();
        assertThat(append()).isGreaterThanOrEqualTo(6);
    }

    /// A start after a power loss reads nothing below the recovery point, and would leave the zeros in the log's
    /// middle.
    @Test
    void whereAllWasFlushedTheLengthOfASealedSegmentIsTooAndElsewhereNobodyWaits() throws IOException {
        folder.config = folder.config.withSegmentBytes(3 * batchBytes());
        log.configure(folder.config);
        append();
        append();
        append();
        assertThat(flushesWhileAppending(6)).isZero();

        append();
        append();
        log.flush();
        assertThat(flushesWhileAppending(12)).isEqualTo(1);
    }

    /// A segment that ends between the flush of its file and the word that it was flushed.
    @Test
    void norDoesTheLengthGetLostBehindAFlushThatIsUnderWay() throws IOException {
        folder.config = folder.config.withSegmentBytes(3 * batchBytes());
        log.configure(folder.config);
        for (int i = 0; i < 6; i++) {
            append();
        }
        AtomicLong flushes = new AtomicLong();
        Faults.Fault named = folder.faults.whenever(Call.FSYNC, "t-0", () -> flushes.set(flushesWhileAppending(12)));

        log.flush();
        named.heal();

        assertThat(named.hits()).isEqualTo(1);
        assertThat(flushes).hasValue(1);
    }

    /// Appends wait behind it, and with them all producers of the loop.
    @ParameterizedTest
    @EnumSource(names = {"OS", "INTERVAL"})
    void noSegmentIsFlushedBecauseItEnds(FlushPolicy policy) throws IOException {
        folder.config = folder.config
                .withSegmentBytes(3 * batchBytes())
                .withFlushPolicy(policy)
                .withFlushMs(TimeUnit.HOURS.toMillis(1));
        log.configure(folder.config);
        append();
        append();
        append();

        assertThat(flushesWhileAppending(6)).isZero();
    }

    private long flushesWhileAppending(long offset) {
        long before = folder.account.count(Call.FDATASYNC).calls();
        assertThat(append()).isEqualTo(offset);
        return folder.account.count(Call.FDATASYNC).calls() - before;
    }
}
