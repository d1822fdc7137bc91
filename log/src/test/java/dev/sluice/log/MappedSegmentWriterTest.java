package dev.sluice.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(180)
class MappedSegmentWriterTest extends SegmentWriterContract {
    private static final String MAPPED_MEMORY = "mapped memory"; // what the gate calls what madvise is made on

    @Override
    SegmentWriter.Engine engine() throws ErrnoException {
        return started(SegmentWriter.mapped());
    }

    private long stored() {
        return account.count(Call.MAPPED_STORE).bytes();
    }

    private void append(SegmentWriter writer, byte[] batch) {
        assertThat(writer.room(batch.length)).isZero();
        assertThat(write(writer, memory(batch))).isEqualTo(writer.end() - batch.length);
    }

    /// Over several maps, and lengths beyond what is filled at a time.
    @Test
    void batchesOfAllLengthsAreStoredAndComeOutAsTheyWentIn() throws IOException {
        Random lengths = new Random(5);
        ByteArrayOutputStream expected = new ByteArrayOutputStream();
        try (SegmentWriter writer = writer(0)) {
            for (int i = 0; i < 300; i++) {
                byte[] batch = bytes(i % 10 == 0 ? 1_200_000 : 1 + lengths.nextInt(20_000), i);
                expected.writeBytes(batch);
                append(writer, batch);
            }
            // What came to the end of the zeros was written: the long ones, and one of a few of the others.
            assertThat(stored()).isBetween(1_500_000L, 3_000_000L);
            assertThat(writer.trim()).isZero();
        }
        assertThat(Files.readAllBytes(path)).isEqualTo(expected.toByteArray());
    }

    @Test
    void theFileEndsInZerosUntilItIsTrimmedAndAppendingGoesOnAfterwards() throws IOException {
        byte[] first = bytes(100, 1);
        byte[] second = bytes(70_000, 2);
        try (SegmentWriter writer = writer(0)) {
            append(writer, first);
            assertThat(size()).isEqualTo(PwriteSegmentWriter.LEAST_FILL_BYTES);
            assertThat(Files.readAllBytes(path)).isEqualTo(Arrays.copyOf(first, PwriteSegmentWriter.LEAST_FILL_BYTES));
            assertThat(writer.trim()).isZero();
            assertThat(size()).isEqualTo(100);
            append(writer, second);
            assertThat(writer.trim()).isZero();
        }
        assertThat(Files.readAllBytes(path)).hasSize(70_100).startsWith(first).endsWith(second);
    }

    /// Without the call before the store this would be SIGBUS.
    @Test
    void aFileThatWasCutIsWrittenAllTheSame() throws IOException {
        byte[] batch = bytes(5000, 1);
        try (SegmentWriter writer = writer(0)) {
            append(writer, bytes(100, 2)); // brings the zeros
            append(writer, batch);
            try (FileChannel other = FileChannel.open(path, StandardOpenOption.WRITE)) {
                other.truncate(0);
            }
            append(writer, batch);
            assertThat(stored()).isEqualTo(5000); // the control: the second was not
            assertThat(writer.trim()).isZero();
        }
        assertThat(Files.readAllBytes(path)).hasSize(10_100).endsWith(batch);
    }

    /// What ends the store is a fault in its source, behind which nothing is there.
    @Test
    void ofBatchesThatAreStoredTogetherADeathLeavesTheFirstOnes() throws IOException {
        ByteArrayOutputStream batches = new ByteArrayOutputStream();
        for (int i = 0; i < 8; i++) {
            batches.writeBytes(Batches.batch().valueBytes(900).bytesAt(i));
        }
        int length = batches.size() / 8;
        Path source = folder.resolve("source");
        Files.write(source, batches.toByteArray());
        try (SegmentWriter writer = writer(0);
                Arena arena = Arena.ofConfined();
                FileChannel channel = FileChannel.open(source, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            MemorySegment all = channel.map(FileChannel.MapMode.READ_ONLY, 0, batches.size(), arena);
            append(writer, Batches.batch().valueBytes(900).bytesAt(0)); // brings the zeros
            channel.truncate(4096);
            Faults.Fault dead = faults.once(Call.PWRITE, ".log", 0, Errno.EIO);

            assertThat(writer.room(7L * length)).isZero();
            assertThat(writer.write(all, length, all.byteSize() - length)).isEqualTo(-Errno.EIO);
            assertThat(dead.hits()).isEqualTo(1);
        }

        int size = (int) size();
        try (SegmentScanner scanner = new SegmentScanner(kernel, size, SegmentScanner.Rest.FILLED)) {
            SegmentScanner.Result result = scanner.scan(file, size, 0, false, (_, _) -> {});
            assertThat(result.batches()).isEqualTo(4096 / length);
            assertThat(result.problem()).isNull();
        }
    }

    @Test
    void whereNoPageIsToBeHadTheErrorIsThatOfTheWrite() throws IOException {
        try (SegmentWriter writer = writer(0)) {
            append(writer, bytes(100, 0)); // brings the zeros
            append(writer, bytes(100, 1));
            Faults.Fault unbacked = faults.always(Call.MADVISE, MAPPED_MEMORY, Errno.EFAULT);
            Faults.Fault broken = faults.once(Call.PWRITE, ".log", 0, Errno.EROFS);

            assertThat(writer.room(100)).isZero();
            assertThat(write(writer, memory(bytes(100, 2)))).isEqualTo(-Errno.EROFS);
            assertThat(writer.end()).isEqualTo(200);
            assertThat(unbacked.hits()).isEqualTo(1);
            assertThat(broken.hits()).isEqualTo(1);

            append(writer, bytes(100, 2)); // by pwrite
            unbacked.heal();
            append(writer, bytes(100, 3));
            assertThat(stored()).isEqualTo(200);
        }
    }

    @Test
    void whereNoMapIsToBeHadBatchesAreWritten() throws IOException {
        faults.always(Call.MMAP, ".log", Errno.ENOMEM);
        try (SegmentWriter writer = writer(0)) {
            append(writer, bytes(100, 1));
            append(writer, bytes(100, 2));
            assertThat(stored()).isZero();
            assertThat(writer.trim()).isZero();
        }
        assertThat(Files.readAllBytes(path)).hasSize(200).endsWith(bytes(100, 2));
    }
}
