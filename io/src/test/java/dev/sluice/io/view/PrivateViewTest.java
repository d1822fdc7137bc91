package dev.sluice.io.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Resources.Totals;
import dev.sluice.io.view.MappedFile.Mode;
import dev.sluice.io.view.MappedFileException.Cause;
import dev.sluice.testbase.Commands;
import java.io.RandomAccessFile;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Copy on write by the page, and stores that find no room.
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class PrivateViewTest {
    private static final int PAGES = 64;
    private static final int PAGE = 4096;

    @TempDir
    Path folder;

    private final Kernel kernel = new Kernel();

    private Path file() throws Exception {
        return Files.write(folder.resolve("data"), new byte[PAGES * PAGE]);
    }

    private static void store(MappedFile mapped, long position) throws Exception {
        mapped.access(position, 1, bytes -> {
            bytes.set(ValueLayout.JAVA_BYTE, 0, (byte) 7);
            return 0;
        });
    }

    private static byte load(MappedFile mapped, long position) throws Exception {
        return mapped.<Byte, RuntimeException>access(position, 1, bytes -> bytes.get(ValueLayout.JAVA_BYTE, 0));
    }

    @Test
    void aStoreCopiesItsPageOnceAndTheFileStaysAsItIs() throws Exception {
        Path path = file();
        try (MappedFile mapped = MappedFile.open(kernel, path, Mode.PRIVATE, kernel.account())) {
            for (int page = 0; page < PAGES; page++) {
                load(mapped, (long) page * PAGE);
            }
            assertThat(mapped.copiedBytes()).as("reading copies nothing").isZero();
            store(mapped, 3 * PAGE + 5);
            store(mapped, 3 * PAGE + 6); // the same page
            store(mapped, 9 * PAGE);
            store(mapped, 63 * PAGE + 4095);
            assertThat(mapped.copiedBytes()).isEqualTo(3 * PAGE);
            assertThat(load(mapped, 3 * PAGE + 5)).isEqualTo((byte) 7);
        }
        assertThat(Files.readAllBytes(path)).isEqualTo(new byte[PAGES * PAGE]);
    }

    @Test
    void theFaultsThatTheKernelCountsAreThePagesWeCount() throws Exception {
        Path path = file();
        long least = Long.MAX_VALUE; // the JVM's own come in between: new pages of its heap and of what it compiles
        for (int round = 0; round < 5; round++) {
            try (MappedFile mapped = MappedFile.open(kernel, path, Mode.PRIVATE, kernel.account())) {
                mapped.load(0, PAGES * PAGE); // so that reading faults no more
                store(mapped, 0); // the code's own first faults are over
                load(mapped, 0);
                Totals before = kernel.resources().ofThread();
                for (int page = 1; page < PAGES; page++) {
                    store(mapped, (long) page * PAGE);
                }
                Totals after = kernel.resources().ofThread();
                assertThat(mapped.copiedBytes()).isEqualTo(PAGES * PAGE);
                least = Math.min(least, after.minorFaults() - before.minorFaults());
            }
        }
        assertThat(least).isBetween(PAGES - 1L, PAGES + 15L);
    }

    @Test
    void whatOthersWriteIsSeenWhereNothingWasStoredYet() throws Exception {
        Path path = file();
        try (MappedFile mapped = MappedFile.open(kernel, path, Mode.PRIVATE, kernel.account());
                RandomAccessFile other = new RandomAccessFile(path.toFile(), "rw")) {
            store(mapped, 0);
            other.write(new byte[] {1});
            other.seek(PAGE);
            other.write(1);
            assertThat(load(mapped, 0)).as("a page of our own").isEqualTo((byte) 7);
            assertThat(load(mapped, PAGE)).as("the file's still").isEqualTo((byte) 1);
        }
    }

    @Test
    void aMapOfTheFileItselfCopiesNothing() throws Exception {
        Path path = file();
        try (MappedFile mapped = MappedFile.open(kernel, path, Mode.SHARED, kernel.account())) {
            store(mapped, 5);
            assertThat(mapped.copiedBytes()).isZero();
        }
        assertThat(Files.readAllBytes(path)[5]).isEqualTo((byte) 7);
    }

    @Test
    @Tag("root")
    void aStoreIntoAHoleOfAFullDiskSaysThatThereIsNoRoom() throws Exception {
        Path small = Files.createDirectory(folder.resolve("small"));
        Commands.run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small.toString());
        try {
            Path sparse = small.resolve("sparse");
            try (RandomAccessFile made = new RandomAccessFile(sparse.toFile(), "rw")) {
                made.setLength(PAGES * PAGE);
            }
            try (MappedFile mapped = MappedFile.open(kernel, sparse, Mode.SHARED, kernel.account())) {
                MappedFileException thrown = catchThrowableOfType(MappedFileException.class, () -> {
                    for (int page = 0; page < PAGES; page++) {
                        store(mapped, (long) page * PAGE);
                    }
                });
                assertThat(thrown.why()).isEqualTo(Cause.UNBACKED);
                assertThat(thrown).hasMessageContaining(sparse.toString()).hasMessageContaining("no room");
            }
        } finally {
            Commands.run("umount", small.toString());
        }
    }
}
