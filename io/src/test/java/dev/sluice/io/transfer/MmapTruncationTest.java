package dev.sluice.io.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.memory.Mapping;
import dev.sluice.io.transfer.TransferException.Failure;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// A mapped file that is truncated under a transfer: the process lives, and no byte that isn't the file's goes
/// unmentioned.
class MmapTruncationTest extends GatedTransfers {
    private static final long LENGTH = 1_000_000;

    private void truncate(Path path, long length) {
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(length);
        } catch (java.io.IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void theKernelItselfSendsZerosFromTheLastPageAndSaysNothing() throws Exception {
        // Control: what the mover's look at the length defends against.
        Path path = folder.resolve("source");
        Rig.write(path, 0, 8192);
        try (Arena arena = Arena.ofConfined();
                Descriptor file = kernel.files()
                        .open(path, Files.O_RDONLY, 0, kernel.account())
                        .orThrow();
                Descriptor sink = kernel.files()
                        .open(folder.resolve("sink"), Files.O_RDWR | Files.O_CREAT, 0x1A4, kernel.account())
                        .orThrow();
                Mapping mapping = Mapping.ofFile(kernel, file, 0, 8192, false)) {
            truncate(path, 5000);
            long written = kernel.files().pwrite(sink, mapping.segment(), 0);
            assertThat(written).isEqualTo(8192); // although the file has 5000
            MemorySegment read = arena.allocate(8192);
            ErrnoException.check(kernel.files().preadFully(sink, read, 0), Call.PREAD, "sink");
            assertThat(Pattern.mismatch(read, 0)).isBetween(5000L, 5008L); // the content has a zero here and there too
            assertThat(read.get(ValueLayout.JAVA_BYTE, 5001)).isZero();
        }
    }

    @Test
    void withoutANamedLengthZerosBehindTheEndFailTheTransferToo() throws Exception {
        for (EndType sink : new EndType[] {EndType.FILE, EndType.TCP, EndType.PIPE}) {
            try (Transfers transfers = new Transfers(kernel);
                    Rig rig = new Rig(kernel, folder, EndType.FILE, sink, true, LENGTH, 0, 0);
                    Transfer transfer = rig.begin(
                            transfers,
                            Transfer.UNTIL_END,
                            TransferOptions.DEFAULT.only(Method.MMAP_WRITE).withChunkBytes(100_000))) {
                rig.collect();
                gate.on(ScriptedGate.before(3, () -> truncate(rig.sourcePath, 250_001)));
                TransferException thrown = catchThrowableOfType(TransferException.class, transfer::run);
                gate.off();
                if (thrown == null) {
                    // A socket gives up before the page that is cut; then all that was delivered is the file's.
                    assertThat(transfer.deliveredBytes()).isEqualTo(250_001);
                    assertThat(rig.received()).isEqualTo(250_001);
                } else {
                    assertThat(thrown.failure()).isEqualTo(Failure.SOURCE_SHRANK);
                    assertThat(thrown)
                            .hasMessageContaining("ends at byte 250001")
                            .hasMessageContaining(
                                    (thrown.deliveredBytes() - 250_001) + " bytes delivered may be zeros");
                }
            }
        }
    }

    @Test
    void aTransferThatMayChangeMethodDeliversTheGoodBytesFirst() throws Exception {
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = new Rig(kernel, folder, EndType.FILE, EndType.TCP, true, LENGTH, 0, 0);
                Transfer transfer = rig.begin(
                        transfers,
                        LENGTH,
                        TransferOptions.DEFAULT.preferring(Method.MMAP_WRITE).withChunkBytes(100_000))) {
            rig.collect();
            gate.on(ScriptedGate.before(3, () -> truncate(rig.sourcePath, 253_952))); // 62 pages
            TransferException thrown = catchThrowableOfType(TransferException.class, transfer::run);
            gate.off();
            assertThat(thrown.failure()).isEqualTo(Failure.SOURCE_SHRANK);
            assertThat(thrown.deliveredBytes()).isEqualTo(253_952);
            assertThat(thrown.getMessage()).doesNotContain("zeros");
            assertThat(rig.received()).isEqualTo(253_952);
        }
    }
}
