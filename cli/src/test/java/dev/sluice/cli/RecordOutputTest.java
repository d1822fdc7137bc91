package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Gate;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecordOutputTest {
    @TempDir
    Path folder;

    @Test
    void bytesComeOutInOrderHoweverTheyCompareWithTheBuffer() throws IOException {
        byte[] bytes = randomBytes(10_000);
        byte[] written = write(Gate.OPEN, 64, output -> {
            int at = 0;
            Random random = new Random(7);
            while (at < bytes.length) {
                int length = Math.min(bytes.length - at, random.nextInt(200));
                output.put(MemorySegment.ofArray(bytes).asSlice(at, length));
                at += length;
            }
        });
        assertThat(written).isEqualTo(bytes);
    }

    @Test
    void numbersAreDecimalDigits() throws IOException {
        assertThat(write(Gate.OPEN, 64, output -> {
                    output.put(Long.MAX_VALUE);
                    output.put(-1L);
                }))
                .asString()
                .isEqualTo("9223372036854775807-1");
    }

    /// Short counts, EINTR and EAGAIN are everyday answers of write(2): nothing is lost or written twice.
    @Test
    void shortAndInterruptedWritesGoOn() throws IOException {
        byte[] bytes = randomBytes(10_000);
        Random random = new Random(3);
        Gate gate = (call, _, _, lengthBytes) -> {
            if (call != Call.WRITE) {
                return lengthBytes;
            }
            return switch (random.nextInt(4)) {
                case 0 -> -Errno.EINTR;
                case 1 -> -Errno.EAGAIN;
                default -> 1 + random.nextLong(lengthBytes);
            };
        };
        assertThat(write(gate, 512, output -> output.put(bytes))).isEqualTo(bytes);
    }

    @Test
    void aReaderThatIsGoneIsToldApart() {
        assertThatThrownBy(() -> write(failingWith(Errno.EPIPE), 64, output -> output.put(new byte[100])))
                .isInstanceOf(RecordOutput.ReaderGoneException.class);
    }

    @Test
    void aFullDiskIsAnErrorThatNamesTheOutput() {
        assertThatThrownBy(() -> write(failingWith(Errno.ENOSPC), 64, output -> output.put(new byte[100])))
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining("standard output")
                .hasMessageContaining("ENOSPC");
    }

    private static Gate failingWith(int errno) {
        return (call, _, _, lengthBytes) -> call == Call.WRITE ? -errno : lengthBytes;
    }

    private interface Writing {
        void to(RecordOutput output) throws IOException;
    }

    private byte[] write(Gate gate, int bufferBytes, Writing writing) throws IOException {
        Path file = folder.resolve("output");
        Files.deleteIfExists(file);
        Kernel kernel = new Kernel(gate);
        // Under the name that messages show.
        Descriptor opened = kernel.files()
                .open(
                        file,
                        dev.sluice.io.linux.Files.O_WRONLY | dev.sluice.io.linux.Files.O_CREAT,
                        0600,
                        kernel.account())
                .orThrow();
        try (Descriptor descriptor = kernel.adopt(opened.number(), "standard output", kernel.account());
                RecordOutput output = new RecordOutput(kernel.files(), descriptor, bufferBytes)) {
            writing.to(output);
            output.flush();
        }
        return Files.readAllBytes(file);
    }

    private static byte[] randomBytes(int count) {
        byte[] bytes = new byte[count];
        new Random(count).nextBytes(bytes);
        return Arrays.copyOf(bytes, count);
    }
}
