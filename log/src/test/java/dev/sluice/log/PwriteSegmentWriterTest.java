package dev.sluice.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PwriteSegmentWriterTest extends SegmentWriterContract {
    private static final int FILLED_FROM = (int) PageCacheEngine.FILLED_FROM_BYTES;

    @Override
    SegmentWriter.Engine engine() throws ErrnoException {
        return started(SegmentWriter.pwrite());
    }

    private long append(SegmentWriter writer, int length, long seed) {
        assertThat(writer.room(length)).isZero();
        return write(writer, memory(bytes(length, seed)));
    }

    /// A writer at an end from which on files are filled, with what lies before.
    private SegmentWriter filling() throws IOException {
        Files.write(path, bytes(FILLED_FROM, 0));
        return writer(FILLED_FROM);
    }

    @Test
    void aShortFileHasNoTailBeyondTheEnd() throws IOException {
        try (SegmentWriter writer = writer(0)) {
            for (int i = 1; i <= 50; i++) {
                assertThat(writer.room(999)).isZero();
                assertThat(size()).isEqualTo(writer.end());
                write(writer, memory(bytes(999, i)));
                assertThat(size()).isEqualTo(writer.end()).isEqualTo(999L * i);
            }
        }
    }

    @Test
    void shortCountsAndInterruptionsAreWrittenPast() throws IOException {
        Faults.Fault interrupted = faults.once(Call.PWRITE, ".log", 0, Errno.EINTR);
        byte[] first = bytes(1000, 1);
        try (SegmentWriter writer = writer(0)) {
            writer.room(first.length);
            assertThat(write(writer, memory(first))).isZero();
            assertThat(interrupted.hits()).isEqualTo(1);

            Faults.Fault shortly = faults.shorten(Call.PWRITE, ".log", 7);
            assertThat(writer.room(first.length)).isZero();
            assertThat(write(writer, memory(first))).isEqualTo(1000);
            assertThat(shortly.hits()).isEqualTo(143);
        }
        assertThat(Files.readAllBytes(path)).startsWith(first).endsWith(first).hasSize(2000);
    }

    @Test
    void whatAFailedWriteLeftIsGoneBeforeTheNext() throws IOException {
        try (SegmentWriter writer = writer(0)) {
            writer.room(3000);
            write(writer, memory(bytes(1000, 1)));
            // 7 bytes get through, the rest does not.
            Faults.Fault torn = faults.once(Call.PWRITE, ".log", 1, Errno.EIO);
            Faults.Fault shortened = faults.shorten(Call.PWRITE, ".log", 700);
            assertThat(write(writer, memory(bytes(2000, 2)))).isEqualTo(-Errno.EIO);
            assertThat(torn.hits()).isEqualTo(1);
            shortened.heal();
            assertThat(writer.end()).isEqualTo(1000);
            assertThat(size()).isEqualTo(1700); // the control: without the defence this would stay

            assertThat(writer.room(10)).isZero();

            assertThat(size()).isEqualTo(1000);
            assertThat(write(writer, memory(bytes(10, 3)))).isEqualTo(1000);
            assertThat(size()).isEqualTo(1010);
        }
    }

    /// Over all boundaries, those of what is reserved too.
    @Test
    void batchesOverZerosComeOutAsTheyWentInAndTheFileEndsInZeros() throws IOException {
        Random lengths = new Random(5);
        ByteArrayOutputStream expected = new ByteArrayOutputStream();
        try (SegmentWriter writer = writer(0)) {
            for (int i = 0; i < 150; i++) {
                byte[] batch = bytes(i % 20 == 19 ? 1_200_000 : 1 + lengths.nextInt(20_000), i);
                expected.writeBytes(batch);
                assertThat(writer.room(batch.length)).isZero();
                assertThat(write(writer, memory(batch))).isEqualTo(expected.size() - batch.length);
                if (expected.size() >= FILLED_FROM && size() > writer.end()) {
                    assertThat(size() % PwriteSegmentWriter.LEAST_FILL_BYTES).isZero();
                    assertThat(size() - writer.end()).isLessThanOrEqualTo(PwriteSegmentWriter.LARGEST_FILL_BYTES);
                }
            }
            byte[] filled = Files.readAllBytes(path);
            assertThat(filled.length).isGreaterThan(expected.size());
            assertThat(filled).isEqualTo(Arrays.copyOf(expected.toByteArray(), filled.length));
            assertThat(account.count(Call.PWRITEV).calls()).isBetween(10L, 60L);
            assertThat(writer.trim()).isZero();
        }
        assertThat(Files.readAllBytes(path)).isEqualTo(expected.toByteArray());
    }

    @Test
    void theEngineThatFillsNothingLeavesNoTail() throws IOException {
        Files.write(path, bytes(FILLED_FROM, 0));
        try (SegmentWriter writer = SegmentWriter.plain().open(kernel, file, FILLED_FROM, 1 << 20, progress)) {
            append(writer, 1000, 1);
            assertThat(size()).isEqualTo(FILLED_FROM + 1000);
        }
    }

    @Test
    void zerosTakeNoRoomThatWasNotReserved() throws IOException {
        try (SegmentWriter writer = filling()) {
            Faults.Fault full = faults.once(Call.FALLOCATE, ".log", 0, Errno.ENOSPC); // the batch alone fits
            append(writer, 1000, 1);
            assertThat(full.hits()).isEqualTo(1);
            assertThat(size()).isEqualTo(FILLED_FROM + 1000);
        }
    }

    @Test
    void zerosThatFindNoRoomAreTakenBackAndTheBatchIsWritten() throws IOException {
        faults.always(Call.FALLOCATE, ".log", Errno.EOPNOTSUPP); // so that a write meets the full disk
        try (SegmentWriter writer = filling()) {
            Faults.Fault shortened = faults.shorten(Call.PWRITEV, ".log", 5000);
            assertThat(append(writer, 1000, 1)).isEqualTo(FILLED_FROM);
            assertThat(size()).isEqualTo(FILLED_FROM + 5000);
            shortened.heal();

            assertThat(append(writer, 1000, 2)).isEqualTo(FILLED_FROM + 1000);
            assertThat(size()).isEqualTo(FILLED_FROM + PwriteSegmentWriter.LEAST_FILL_BYTES);
            assertThat(writer.trim()).isZero();
        }
        assertThat(Files.readAllBytes(path)).hasSize(FILLED_FROM + 2000).endsWith(bytes(1000, 2));
    }

    @Test
    void aBatchThatFallsShortBeforeItsZerosIsWrittenToItsEnd() throws IOException {
        try (SegmentWriter writer = filling()) {
            Faults.Fault interrupted = faults.once(Call.PWRITEV, ".log", 0, Errno.EINTR);
            assertThat(append(writer, 1000, 1)).isEqualTo(FILLED_FROM);
            assertThat(interrupted.hits()).isEqualTo(1);

            Faults.Fault shortened = faults.shorten(Call.PWRITEV, ".log", 300);
            assertThat(append(writer, 1000, 2)).isEqualTo(FILLED_FROM + 1000);
            assertThat(shortened.hits()).isEqualTo(1);
            assertThat(size()).isEqualTo(FILLED_FROM + 2000);
        }
        assertThat(Files.readAllBytes(path)).endsWith(bytes(1000, 2));
    }

    @Test
    void anErrorOfAWriteWithZerosIsAnsweredAndNothingHasMoved() throws IOException {
        try (SegmentWriter writer = filling()) {
            Faults.Fault broken = faults.once(Call.PWRITEV, ".log", 0, Errno.EIO);
            assertThat(append(writer, 1000, 1)).isEqualTo(-Errno.EIO);
            assertThat(broken.hits()).isEqualTo(1);
            assertThat(writer.end()).isEqualTo(FILLED_FROM);
        }
    }

    @Test
    void whatAFailedWriteLeftOverZerosIsGoneBeforeTheNext() throws IOException {
        try (SegmentWriter writer = filling()) {
            append(writer, 1000, 1);
            faults.once(Call.PWRITE, ".log", 1, Errno.EIO);
            Faults.Fault shortened = faults.shorten(Call.PWRITE, ".log", 700);
            assertThat(write(writer, memory(bytes(2000, 2)))).isEqualTo(-Errno.EIO);
            shortened.heal();

            assertThat(append(writer, 10, 3)).isEqualTo(FILLED_FROM + 1000);

            byte[] filled = Files.readAllBytes(path);
            assertThat(Arrays.copyOfRange(filled, FILLED_FROM + 1010, filled.length))
                    .containsOnly(0);
        }
    }
}
