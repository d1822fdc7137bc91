package dev.sluice.io.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.TransferException.Failure;
import dev.sluice.testbase.Commands;
import dev.sluice.testbase.RequiresProgram;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Clones, on an xfs image that is mounted for the test.
@Tag("root")
@RequiresProgram("mkfs.xfs")
class ReflinkTest {
    private static final long BLOCK = 4096;

    @TempDir
    static Path image;

    private static Path mounted;

    private final ScriptedGate gate = new ScriptedGate();
    private final Kernel kernel = new Kernel(gate);
    private Path folder;

    @BeforeAll
    static void mount() throws Exception {
        Path file = image.resolve("xfs.img");
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(512L << 20);
        }
        Path at = Files.createDirectory(image.resolve("mounted"));
        Commands.assume("mkfs.xfs", "-q", "-m", "reflink=1", file.toString());
        Commands.assume("mount", "-o", "loop", file.toString(), at.toString());
        mounted = at;
    }

    @AfterAll
    static void unmount() throws Exception {
        if (mounted != null) {
            Commands.run("umount", mounted.toString());
        }
    }

    @BeforeEach
    void freshFolder() throws IOException {
        folder = Files.createTempDirectory(mounted, "test");
    }

    private Rig rig(long length, long sourcePosition, long sinkPosition) throws IOException {
        return new Rig(kernel, folder, EndType.FILE, EndType.FILE, true, length, sourcePosition, sinkPosition);
    }

    private static TransferAccount run(Transfers transfers, Rig rig, long length, TransferOptions options)
            throws IOException {
        try (Transfer transfer = rig.begin(transfers, length, options)) {
            transfer.run();
            return transfer.account();
        }
    }

    @Test
    void aWholeFileIsClonedInOneCallWithoutACopy() throws Exception {
        long length = 50_000_003;
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = rig(length, 0, 0)) {
            TransferAccount account = run(transfers, rig, length, TransferOptions.DEFAULT);
            assertThat(account.bytesByMethod()).containsOnlyKeys(Method.REFLINK);
            assertThat(account.calls().get(Call.IOCTL).calls()).isEqualTo(1);
            assertThat(account.cpuCopies().value()).isZero();
            assertThat(account.dmaCopies().value()).isZero();
            assertThat(account.fallbacks()).isEmpty();
            assertThat(rig.received()).isEqualTo(length);
        }
    }

    @Test
    void aCloneIsItsOwnFile() throws Exception {
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = rig(100_000, 0, 0)) {
            run(transfers, rig, 100_000, TransferOptions.DEFAULT.only(Method.REFLINK));
            Files.write(rig.sourcePath, new byte[100_000]);
            assertThat(rig.received()).isEqualTo(100_000);
        }
    }

    @Test
    void blocksInTheMiddleAreSharedAndTheRestIsCopied() throws Exception {
        long length = 10 * BLOCK + 100;
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = rig(20 * BLOCK, BLOCK, 3 * BLOCK)) {
            TransferAccount account = run(transfers, rig, length, TransferOptions.DEFAULT);
            assertThat(account.bytesByMethod())
                    .containsEntry(Method.REFLINK, 10 * BLOCK)
                    .containsEntry(Method.READ_WRITE, 100L);
            assertThat(rig.received()).isEqualTo(length);
            // The rest said nothing about the file system: the next transfer is a clone again.
            assertThat(transfers
                            .plan(rig.source, rig.sink, 10 * BLOCK, TransferOptions.DEFAULT)
                            .method())
                    .isEqualTo(Method.REFLINK);
        }
    }

    @Test
    void positionsThatAreNoMultiplesOfABlockAreCopied() throws Exception {
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = rig(100_000, 1, 1)) {
            TransferAccount account = run(transfers, rig, 100_000, TransferOptions.DEFAULT);
            assertThat(account.bytesByMethod()).containsOnlyKeys(Method.READ_WRITE);
            assertThat(rig.received()).isEqualTo(100_000);
            TransferException thrown = catchThrowableOfType(
                    TransferException.class,
                    () -> run(transfers, rig, 100_000, TransferOptions.DEFAULT.only(Method.REFLINK)));
            assertThat(thrown.failure()).isEqualTo(Failure.UNSUPPORTED);
        }
    }

    @Test
    void positionsPastFourGiBAreCloned() throws Exception {
        long far = 5L << 30;
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = rig(100 * BLOCK, far, far + BLOCK)) {
            run(transfers, rig, 100 * BLOCK, TransferOptions.DEFAULT.only(Method.REFLINK));
            assertThat(rig.received()).isEqualTo(100 * BLOCK);
        }
    }

    @Test
    void aFileThatShrankIsToldByTheMethodThatFollows() throws Exception {
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = rig(50_000, 0, 0)) {
            TransferException thrown = catchThrowableOfType(
                    TransferException.class,
                    () -> run(transfers, rig, 80_000, TransferOptions.DEFAULT.preferring(Method.REFLINK)));
            assertThat(thrown.failure()).isEqualTo(Failure.SOURCE_SHRANK);
            assertThat(thrown).hasMessageContaining("ends at byte 50000, expected at least 80000");
            assertThat(thrown.deliveredBytes()).isEqualTo(50_000);
        }
    }

    @Test
    void whatCopyFileRangeSharesIsNoCopyEither() throws Exception {
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = rig(1_000_000, 0, 0)) {
            TransferAccount account =
                    run(transfers, rig, 1_000_000, TransferOptions.DEFAULT.only(Method.COPY_FILE_RANGE));
            assertThat(account.cpuCopies().value()).isZero();
            assertThat(account.cpuCopies().source()).contains("extents shared (FIEMAP)");
            assertThat(rig.received()).isEqualTo(1_000_000);
        }
        freshFolder();
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = rig(1_000_000, 1, 0)) { // can't be shared
            TransferAccount account =
                    run(transfers, rig, 1_000_000, TransferOptions.DEFAULT.only(Method.COPY_FILE_RANGE));
            assertThat(account.cpuCopies().value()).isEqualTo(1);
            assertThat(rig.received()).isEqualTo(1_000_000);
        }
    }

    @Test
    void aCloneFitsWhereACopyDoesNot() throws Exception {
        // 512 MiB: a source that fills more than half of it.
        long length = 300L << 20;
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = rig(length, 0, 0)) {
            TransferException full = catchThrowableOfType(
                    TransferException.class,
                    () -> run(transfers, rig, length, TransferOptions.DEFAULT.only(Method.READ_WRITE)));
            assertThat(full.failure()).isEqualTo(Failure.OUT_OF_SPACE);
            assertThat(full.deliveredBytes()).isPositive();
            // The name was made before the disk was full; room for its extents' records, not for its bytes, is what a
            // clone needs.
            try (Descriptor sink = Flow.descriptor(rig.sink)) {
                assertThat(kernel.files().ftruncate(sink, 0)).isZero();
                TransferAccount clone = run(transfers, rig, length, TransferOptions.DEFAULT.only(Method.REFLINK));
                assertThat(clone.bytesByMethod()).containsEntry(Method.REFLINK, length);
            }
            assertThat(Rig.verified(rig.sinkPath, 0, length)).isEqualTo(length);
        } finally {
            for (String name : new String[] {"source", "sink"}) {
                Files.deleteIfExists(folder.resolve(name));
            }
        }
    }
}
