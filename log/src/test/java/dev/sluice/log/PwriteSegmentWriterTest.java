package dev.sluice.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import java.io.IOException;
import java.nio.file.Files;
import org.junit.jupiter.api.Test;

class PwriteSegmentWriterTest extends SegmentWriterContract {
    @Override
    SegmentWriter.Engine stopped() {
        return SegmentWriter.pwrite();
    }

    @Test
    void theFileNeverHasATailBeyondTheEnd() throws IOException {
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
}
