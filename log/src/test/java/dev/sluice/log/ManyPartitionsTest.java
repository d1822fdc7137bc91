package dev.sluice.log;

import static dev.sluice.log.Batches.batch;
import static dev.sluice.log.Folder.append;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ManyPartitionsTest {
    private static final int PARTITIONS = 2000;
    private static final int OPEN_FILES = 50;
    private static final int LOCK = 1;

    @TempDir(factory = InMemory.class)
    Path temporary;

    @Test
    void twoThousandPartitionsAtRestTakeABoundedNumberOfDescriptorsAndMaps() throws IOException {
        try (Folder folder = new Folder(temporary.resolve("data"))) {
            folder.options = new LogDirectory.Options(2, OPEN_FILES, Folder.engine(), UUID::randomUUID, Folder::atOnce);
            folder.config = folder.config.withIndexIntervalBytes(0).withPreallocateStepBytes(4096);
            folder.open().close();
            // Laid out as a broker would leave them, without waiting for 4,000 syncs.
            byte[] content = batch().bytes();
            java.nio.ByteBuffer.wrap(content).putInt(12, 0);
            for (int i = 0; i < PARTITIONS; i++) {
                Path partition = Files.createDirectory(folder.path.resolve("t-" + i));
                Files.write(SegmentFiles.of(partition, 0, ".log"), content);
                Files.createFile(SegmentFiles.of(partition, 0, ".index"));
                Files.createFile(SegmentFiles.of(partition, 0, ".timeindex"));
            }

            LogDirectory directory = folder.open();

            assertThat(directory.logs()).hasSize(PARTITIONS);
            assertThat(OpenHandles.descriptors(folder.path)).hasSize(LOCK);
            assertThat(OpenHandles.maps(folder.path)).isEmpty();
            // Read: files are opened, and no more of them stay open than agreed.
            for (int i = 0; i < PARTITIONS; i++) {
                assertThat(folder.read(folder.log("t", i), 0, 1)).hasSize(content.length);
            }
            assertThat(OpenHandles.descriptors(folder.path)).hasSizeLessThanOrEqualTo(LOCK + OPEN_FILES);
            assertThat(OpenHandles.maps(folder.path)).isEmpty();
            // Appended to: a descriptor each, and no maps for a few index entries.
            for (int i = 0; i < PARTITIONS; i++) {
                append(folder.log("t", i), batch());
                if (i < 100) {
                    append(folder.log("t", i), batch());
                }
            }
            assertThat(OpenHandles.descriptors(folder.path)).hasSizeLessThanOrEqualTo(LOCK + OPEN_FILES + PARTITIONS);
            assertThat(OpenHandles.maps(folder.path)).isEmpty();
            // At rest again.
            folder.directory().checkpoint();
            folder.directory().checkpoint();
            assertThat(OpenHandles.descriptors(folder.path)).hasSizeLessThanOrEqualTo(LOCK + OPEN_FILES);
            assertThat(OpenHandles.maps(folder.path)).isEmpty();
        }
    }
}
