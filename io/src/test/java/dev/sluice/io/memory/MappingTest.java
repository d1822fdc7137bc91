package dev.sluice.io.memory;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MappingTest {
    @TempDir
    Path folder;

    private final Kernel kernel = new Kernel();

    @Test
    void storesThroughASharedMapReachTheFile() throws IOException {
        Path path = folder.resolve("f");
        try (Descriptor file = kernel.files()
                .open(path, Files.O_RDWR | Files.O_CREAT, 0644, Account.root("test"))
                .orThrow()) {
            kernel.files().ftruncate(file, 4096);
            try (Mapping mapping = Mapping.ofFile(kernel, file, 0, 1 << 20, true)) {
                mapping.segment().set(ValueLayout.JAVA_BYTE, 7, (byte) 'x');
                assertThat(java.nio.file.Files.readAllBytes(path)[7]).isEqualTo((byte) 'x');
                kernel.files().ftruncate(file, 8192); // the reserved range beyond the old end becomes usable
                mapping.segment().set(ValueLayout.JAVA_BYTE, 8191, (byte) 'y');
                assertThat(java.nio.file.Files.readAllBytes(path)[8191]).isEqualTo((byte) 'y');
            }
        }
    }

    @Test
    void theMapLivesUntilTheLastReferenceAndIsThenRefused() throws ErrnoException {
        String before = maps();
        Mapping mapping = Mapping.reserve(kernel, 64 << 20);
        assertThat(mapping.retain()).isTrue();
        mapping.close();
        mapping.close();
        mapping.segment().set(ValueLayout.JAVA_BYTE, 5, (byte) 1); // still ours: the retained reference
        mapping.release();
        assertThat(mapping.retain()).as("gone").isFalse();
        assertThat(maps()).doesNotContain(address(mapping)).hasSizeLessThan(before.length() + 4096);
    }

    @Test
    void discardedPagesReadAsZeros() throws ErrnoException {
        try (Mapping mapping = Mapping.reserve(kernel, 1 << 20)) {
            mapping.segment().set(ValueLayout.JAVA_BYTE, 100_000, (byte) 9);
            mapping.discard(0, 1 << 20);
            assertThat(mapping.segment().get(ValueLayout.JAVA_BYTE, 100_000)).isZero();
        }
    }

    private static String address(Mapping mapping) {
        return Long.toHexString(mapping.segment().address()) + "-";
    }

    private static String maps() {
        try {
            return java.nio.file.Files.readString(Path.of("/proc/self/maps"));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
