package dev.sluice.cli.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What tells right bytes from wrong ones, for a comparison that delivers wrong bytes fast is worth nothing.
@Timeout(180)
class ChecksumsTest {
    private static final int MIB = 1 << 20;
    private static final int LENGTH_BYTES = 3 * MIB + 5;

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(ints = {0, MIB - 1, MIB, 3 * MIB, LENGTH_BYTES - 1})
    void oneWrongBitIsFoundAndItsMibNamed(int position) throws IOException {
        byte[] bytes = content();
        Checksums right = Checksums.of(write(bytes), 0, LENGTH_BYTES);
        bytes[position] ^= 1;
        Checksums wrong = Checksums.of(write(bytes), 0, LENGTH_BYTES);

        assertThatThrownBy(() -> right.check(wrong, "a method"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("a method")
                .hasMessageContaining("MiB " + position / MIB + " ");
    }

    @Test
    void theSumsOfARangeAreThoseOfTheWholeFromThere() throws IOException {
        Path file = write(content());
        Checksums whole = Checksums.of(file, 0, LENGTH_BYTES);

        assertThatCode(() -> {
                    whole.range(MIB, 2 * MIB).check(Checksums.of(file, MIB, 2 * MIB), "middle");
                    whole.range(2 * MIB, MIB + 5).check(Checksums.of(file, 2 * MIB, MIB + 5), "end");
                })
                .doesNotThrowAnyException();
        assertThatThrownBy(() -> whole.range(0, MIB).check(Checksums.of(file, MIB, MIB), "moved"))
                .hasMessageContaining("other bytes");
    }

    @Test
    void fewerBytesAreAnEarlyEnd() throws IOException {
        Path file = write(content());
        assertThatThrownBy(() -> Checksums.of(file, 0, LENGTH_BYTES + 1)).isInstanceOf(EOFException.class);
    }

    @Test
    void missingBlocksDiffer() {
        assertThatThrownBy(() -> new Checksums(new int[] {1, 2}).check(new Checksums(new int[] {1}), "short"))
                .hasMessageContaining("MiB 1 ");
        assertThat(new Checksums(new int[0]).range(0, 0).sums()).isEmpty();
    }

    private static byte[] content() {
        byte[] bytes = new byte[LENGTH_BYTES];
        new Random(7).nextBytes(bytes);
        return bytes;
    }

    private Path write(byte[] bytes) throws IOException {
        return Files.write(folder.resolve("file"), bytes);
    }
}
