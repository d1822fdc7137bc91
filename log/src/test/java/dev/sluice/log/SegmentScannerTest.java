package dev.sluice.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class SegmentScannerTest {
    @TempDir
    Path folder;

    /// In the last page that positions reach into.
    @Test
    void atTheEndOfTheLongestFileALossIsNoEndWithinAWrite() throws IOException {
        int size = Integer.MAX_VALUE - 100;
        int position = size - 500;
        Path path = folder.resolve("0.log");
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(Batches.batch().valueBytes(1000).bytesAt(7), 0, 500), position);
            channel.write(ByteBuffer.allocate(1), size - 1);
        }
        Kernel kernel = new Kernel();
        try (Descriptor file = kernel.files()
                        .open(path, Files.O_RDONLY, 0, Account.root("test"))
                        .orThrow();
                SegmentScanner scanner = new SegmentScanner(kernel, size, SegmentScanner.Rest.FILLED)) {
            assertThat(scanner.endsWithinAWrite(file, found(position, 7), size, 0))
                    .isTrue();
            assertThat(scanner.endsWithinAWrite(file, found(position, 6), size, 0))
                    .as("the batch that follows is another")
                    .isFalse();
        }
    }

    private static SegmentScanner.Result found(int validBytes, long endOffset) {
        return new SegmentScanner.Result(validBytes, 1, endOffset, "a batch that is not there");
    }
}
