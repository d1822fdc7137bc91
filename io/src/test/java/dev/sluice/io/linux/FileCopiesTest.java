package dev.sluice.io.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Clones that succeed need a file system with shared extents: `ReflinkTest`.
class FileCopiesTest {
    @TempDir
    Path folder;

    private final Kernel kernel = new Kernel();

    private Descriptor file(String name, String content) throws Exception {
        Path path = folder.resolve(name);
        java.nio.file.Files.writeString(path, content);
        return kernel.files().open(path, Files.O_RDWR, 0, kernel.account()).orThrow();
    }

    @Test
    void aRangeIsCopiedBetweenPositions() throws Exception {
        try (Arena arena = Arena.ofConfined();
                Descriptor in = file("in", "0123456789");
                Descriptor out = file("out", "----------")) {
            long n = kernel.fileCopies().copyRange(in, 3, out, 1, 4, arena.allocate(16, 8));
            assertThat(n).isEqualTo(4);
            assertThat(java.nio.file.Files.readString(folder.resolve("out"))).isEqualTo("-3456-----");
            assertThat(kernel.fileCopies().copyRange(in, 10, out, 0, 4, arena.allocate(16, 8)))
                    .isZero();
        }
    }

    @Test
    void filesOfDifferentSystemsAreNotCopied() throws Exception {
        Path elsewhere = java.nio.file.Files.createTempFile(Path.of("/dev/shm"), "sluice", ".sink");
        try (Arena arena = Arena.ofConfined();
                Descriptor in = file("in", "0123456789");
                Descriptor out = kernel.files()
                        .open(elsewhere, Files.O_RDWR, 0, kernel.account())
                        .orThrow()) {
            assertThat(kernel.fileCopies().copyRange(in, 0, out, 0, 4, arena.allocate(16, 8)))
                    .isEqualTo(-Errno.EXDEV);
            assertThat(kernel.fileCopies().cloneWhole(in, out)).isEqualTo(-Errno.EXDEV);
        } finally {
            java.nio.file.Files.delete(elsewhere);
        }
    }

    @Test
    void anOrdinaryFileSharesNothing() throws Exception {
        try (Descriptor in = file("in", "0123456789")) {
            kernel.files().fsync(in);
            assertThat(kernel.fileCopies().sharesExtent(in, 0)).isIn(0L, (long) -Errno.EOPNOTSUPP);
        }
    }
}
