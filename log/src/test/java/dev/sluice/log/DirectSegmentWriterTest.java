package dev.sluice.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.async.QueueConfig;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The direct engine on io_uring; [DirectOnThreadsTest] is the same on its fallback.
@Timeout(180)
class DirectSegmentWriterTest extends SegmentWriterContract {
    private static final int BLOCK = Staging.BLOCK_BYTES;

    private final AtomicLong written = new AtomicLong();
    private volatile int failure;

    QueueConfig.Engine queue() {
        return QueueConfig.Engine.BEST;
    }

    Call writeCall() {
        return Call.RING_WRITE_FIXED;
    }

    DirectSegmentWriterTest() {
        progress = new SegmentWriter.Progress() {
            @Override
            public void written(long mark) {
                written.set(mark);
            }

            @Override
            public void grown(long lengthBytes) {}

            @Override
            public void failed(int errno, String what) {
                failure = errno;
            }
        };
    }

    @Override
    SegmentWriter.Engine engine() throws ErrnoException {
        return started(SegmentWriter.direct(new DirectOptions(DirectOptions.LEAST_POOL_BYTES, queue())));
    }

    private static void await(java.util.concurrent.Callable<Boolean> condition) {
        Awaitility.await()
                .atMost(Duration.ofMinutes(1))
                .pollInterval(Duration.ofMillis(1))
                .until(condition);
    }

    private byte[] onDisk() throws IOException {
        return Files.readAllBytes(path);
    }

    @Test
    void batchesOfAllLengthsComeOutAsTheyWentIn() throws IOException {
        Random lengths = new Random(5);
        ByteArrayOutputStream expected = new ByteArrayOutputStream();
        try (SegmentWriter writer = writer(0)) {
            for (int i = 0; i < 300; i++) {
                byte[] batch = bytes(i % 50 == 0 ? 700_000 : 1 + lengths.nextInt(20_000), i);
                expected.writeBytes(batch);
                assertThat(writer.room(batch.length)).isZero();
                long position = writer.write(memory(batch), 0, batch.length);
                while (position == -Errno.EAGAIN) { // the pool is small: the disk has to come along
                    engine().awaitMemory();
                    position = writer.write(memory(batch), 0, batch.length);
                }
                assertThat(position).isEqualTo(expected.size() - batch.length);
                writer.commit(writer.end());
            }
            assertThat(writer.trim()).isZero();
            assertThat(written).hasValue(expected.size());
        }
        assertThat(onDisk()).isEqualTo(expected.toByteArray());
    }

    @Test
    void whatIsWrittenGrowsByWholeBlocksUntilItIsTrimmed() throws IOException {
        byte[] batch = bytes(1000, 1);
        try (SegmentWriter writer = writer(0)) {
            write(writer, memory(batch));
            await(() -> written.get() == 1000);
            assertThat(onDisk()).hasSize(BLOCK).startsWith(batch);
            assertThat(Arrays.copyOfRange(onDisk(), 1000, BLOCK)).containsOnly(0);

            write(writer, memory(batch));
            await(() -> written.get() == 2000);
            assertThat(onDisk()).hasSize(BLOCK);

            assertThat(writer.trim()).isZero();
            assertThat(onDisk()).hasSize(2000).endsWith(batch);
        }
    }

    @Test
    void aTrimThatFailedIsMadeGoodByTheNext() throws IOException {
        byte[] batch = bytes(1000, 1);
        try (SegmentWriter writer = engine().open(kernel, file, 0, 0, progress)) { // padding alone is to be cut off
            write(writer, memory(batch));
            faults.once(Call.FTRUNCATE, "", 0, Errno.EIO);
            assertThat(writer.trim()).isEqualTo(-Errno.EIO);
            assertThat(onDisk()).hasSize(BLOCK);

            assertThat(writer.trim()).isZero();
            assertThat(onDisk()).isEqualTo(batch);
        }
    }

    @Test
    void theNewestBytesAreReadFromThePoolAndStayWhatTheyAre() throws IOException {
        byte[] batch = bytes(300_000, 1); // in two buffers
        try (SegmentWriter writer = writer(0)) {
            write(writer, memory(batch));
            SegmentWriter.InMemory inMemory = writer.inMemory(100, 299_900);
            assertThat(inMemory).isNotNull();
            // All of the pool goes to others meanwhile.
            for (int i = 0; i < 40; i++) {
                byte[] other = bytes(250_000, i);
                while (write(writer, memory(other)) < 0) {
                    engine().awaitMemory();
                }
            }
            ByteArrayOutputStream got = new ByteArrayOutputStream();
            inMemory.slices().forEach(slice -> got.writeBytes(slice.toArray(ValueLayout.JAVA_BYTE)));
            inMemory.hold().release();

            assertThat(got.toByteArray()).isEqualTo(Arrays.copyOfRange(batch, 100, 300_000));
            assertThat(writer.inMemory(0, 300_000)).as("taken away for others").isNull();
        }
    }

    @Test
    void readersGetNoMoreThanHalfOfThePool() throws IOException {
        int buffers = (int) (DirectOptions.LEAST_POOL_BYTES / DirectOptions.BUFFER_BYTES);
        try (SegmentWriter writer = writer(0)) {
            byte[] all = bytes((buffers - 2) * DirectOptions.BUFFER_BYTES, 1);
            write(writer, memory(all));
            assertThat(writer.inMemory(0, all.length)).isNull();
            SegmentWriter.InMemory half = writer.inMemory(0, all.length / 2);
            assertThat(half).isNotNull();
            assertThat(writer.inMemory(0, DirectOptions.BUFFER_BYTES * 2L)).isNull();
            half.hold().release();
            SegmentWriter.InMemory again = writer.inMemory(0, DirectOptions.BUFFER_BYTES);
            assertThat(again).isNotNull();
            again.hold().release();
        }
    }

    @Test
    void aBatchLargerThanThePoolIsRefusedAndNothingMoves() throws IOException {
        MemorySegment large = memory(new byte[(int) DirectOptions.LEAST_POOL_BYTES + 1]);
        try (SegmentWriter writer = writer(0)) {
            assertThat(writer.write(large, 0, large.byteSize())).isEqualTo(-Errno.ENOMEM);
            assertThat(writer.end()).isZero();
            assertThat(write(writer, memory(bytes(10, 1)))).isZero();
        }
    }

    @Test
    void aShortCountIsWrittenOn() throws IOException {
        byte[] batch = bytes(50_000, 1);
        Faults.Fault shortly = faults.shorten(writeCall(), ".log", BLOCK);
        try (SegmentWriter writer = writer(0)) {
            write(writer, memory(batch));
            assertThat(writer.trim()).isZero();
        }
        assertThat(shortly.hits()).isGreaterThan(10);
        assertThat(onDisk()).isEqualTo(batch);
    }

    @Test
    void aLostWriteIsNeverReportedAndNoneFollows() throws IOException {
        byte[] batch = bytes(5000, 1);
        try (SegmentWriter writer = writer(0)) {
            write(writer, memory(batch));
            await(() -> written.get() == 5000);
            faults.once(writeCall(), ".log", 0, Errno.EIO);

            write(writer, memory(batch));
            await(() -> failure == Errno.EIO);

            assertThat(written).as("what was written before").hasValue(5000);
            assertThat(writer.write(memory(batch), 0, batch.length)).isEqualTo(-Errno.EIO);
            assertThat(writer.flush()).isEqualTo(-Errno.EIO);
            assertThat(writer.trim()).isEqualTo(-Errno.EIO);
        }
    }

    @Test
    void afterAnErrorInTheMiddleOnlyWhatCameBeforeItCounts() throws IOException {
        byte[] first = bytes(100_000, 1);
        byte[] second = bytes(600_000, 2);
        try (SegmentWriter writer = writer(0)) {
            writer.write(memory(first), 0, first.length);
            long firstEnd = writer.end();
            writer.commit(firstEnd);
            await(() -> written.get() == firstEnd);
            faults.once(writeCall(), ".log", 1, Errno.EIO); // of three pieces the second
            write(writer, memory(second));
            await(() -> failure == Errno.EIO);
            assertThat(written).hasValue(firstEnd);
        }
        assertThat(onDisk()).startsWith(first);
    }

    @Test
    void aFullDiskIsTriedAgainUntilThereIsRoom() throws IOException {
        byte[] batch = bytes(5000, 1);
        Faults.Fault full = faults.always(writeCall(), ".log", Errno.ENOSPC);
        try (SegmentWriter writer = writer(0)) {
            write(writer, memory(batch));
            await(() -> full.hits() > 0 && writer.room(10) == -Errno.ENOSPC);
            assertThat(writer.flush()).as("nobody waits for it").isEqualTo(-Errno.EAGAIN);
            assertThat(written).hasValue(0);

            full.heal();

            await(() -> written.get() == 5000);
            assertThat(writer.room(10)).isZero();
            assertThat(writer.trim()).isZero();
            assertThat(failure).isZero();
        }
        assertThat(onDisk()).isEqualTo(batch);
    }

    @Test
    void thePageCacheHoldsNothingOfIt() throws IOException {
        byte[] batch = bytes(900_000, 1);
        try (SegmentWriter writer = writer(0)) {
            write(writer, memory(batch));
            assertThat(writer.flush()).isZero();
            assertThat(kernel.pageCache().residentBytes(file, 0, batch.length)).isZero();
        }
    }

    @Test
    void oneFolderIsWrittenByOneAtATime() throws Exception {
        engine();
        Path lock = folder.resolve(OrphanWrites.FILE);
        try (dev.sluice.io.linux.Descriptor other = kernel.files()
                .open(lock, dev.sluice.io.linux.Files.O_RDWR, 0, account)
                .orThrow()) {
            assertThat(kernel.files().tryLock(other)).isEqualTo(-Errno.EAGAIN);
            engine().close();
            assertThat(kernel.files().tryLock(other)).isZero();
        }
    }
}
