package dev.sluice.io.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Kernel;
import dev.sluice.testbase.Commands;
import dev.sluice.testbase.LoopFileSystem;
import dev.sluice.testbase.RequiresProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Snapshots: shared where extents can be, refused where not.
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class SnapshotTest {
    @TempDir
    Path folder;

    private final Kernel kernel = new Kernel();

    @Test
    @Tag("root")
    @RequiresProgram("mkfs.xfs")
    void aSnapshotSharesExtentsAndStaysAsItWas() throws Exception {
        try (LoopFileSystem xfs = LoopFileSystem.create(folder, "xfs", LoopFileSystem.LEAST_XFS_BYTES)) {
            Path source = xfs.folder().resolve("source");
            byte[] content = new byte[10_000_001];
            new Random(7).nextBytes(content);
            Files.write(source, content);
            Path snapshot = xfs.folder().resolve("snapshot");

            assertThat(Snapshot.take(kernel, source, snapshot, kernel.account()))
                    .isEqualTo(content.length);

            try (Descriptor file = kernel.files()
                    .open(snapshot, dev.sluice.io.linux.Files.O_RDONLY, 0, kernel.account())
                    .orThrow()) {
                assertThat(kernel.fileCopies().sharesExtent(file, 0)).isOne();
            }
            Files.write(source, new byte[4096], StandardOpenOption.WRITE);
            Files.write(source, new byte[4096], StandardOpenOption.APPEND);
            assertThat(Files.readAllBytes(snapshot)).isEqualTo(content);
            assertThat(catchThrowableOfType(
                            IOException.class, () -> Snapshot.take(kernel, source, snapshot, kernel.account())))
                    .hasMessageContaining("EEXIST");
        }
    }

    @Test
    @Tag("root")
    void whereNothingIsSharedThereIsNoSnapshotAndNothingIsLeft() throws Exception {
        Path here = Files.createDirectory(folder.resolve("tmpfs"));
        Commands.run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", here.toString());
        try {
            Path source = Files.write(here.resolve("source"), new byte[5000]);
            assertThat(catchThrowableOfType(
                            IOException.class,
                            () -> Snapshot.take(kernel, source, here.resolve("snapshot"), kernel.account())))
                    .hasMessageContaining("shares no extents");
            assertThat(catchThrowableOfType(
                            IOException.class,
                            () -> Snapshot.take(kernel, source, folder.resolve("elsewhere"), kernel.account())))
                    .hasMessageContaining("another file system");
            assertThat(here.resolve("snapshot")).doesNotExist();
            assertThat(folder.resolve("elsewhere")).doesNotExist();
        } finally {
            Commands.run("umount", here.toString());
        }
    }
}
