package dev.sluice.io.direct;

import static dev.sluice.io.direct.DirectFileFixture.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.async.QueueConfig.Engine;
import dev.sluice.io.direct.DirectFile.Access;
import dev.sluice.testbase.LoopFileSystem;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What a power cut leaves of a write that has returned, on the ways of writing that [DirectFile] has. The fault is
/// FS_IOC_SHUTDOWN without a log flush: the file system stops, its journal in memory is lost, the device keeps what it
/// has. The device's own cache is not lost with it, so what 'the device has' is here what was sent to it.
@Tag("root")
class WhatIsOnDiskTest {
    private static final int LENGTH = 64 << 10;

    @TempDir
    Path folder;

    private interface Way {
        void write(DirectFile file, MemorySegment content) throws Exception;
    }

    /// Writes a new file one way, cuts the power, and answers what is found: its length, −1 for no file, −2 for a
    /// file of the right length with other bytes.
    private long leftOfANewFile(String type, Engine engine, int lengthBytes, Way way) throws Exception {
        try (LoopFileSystem mount =
                LoopFileSystem.create(folder, type, type.equals("xfs") ? LoopFileSystem.LEAST_XFS_BYTES : 32L << 20)) {
            Path path = mount.folder().resolve("data");
            try (DirectFileFixture fixture = new DirectFileFixture(engine)) {
                DirectFile file = fixture.open(path, Access.CREATE);
                way.write(file, bytes(lengthBytes, 0x5A));
                mount.cutPower();
                closeDead(file);
            }
            mount.remount();
            if (!Files.exists(path)) {
                return -1;
            }
            byte[] found = Files.readAllBytes(path);
            for (byte one : found) {
                if (one != 0x5A) {
                    return -2;
                }
            }
            return found.length;
        }
    }

    /// Its file system is dead, so the length can't be set; the descriptor goes all the same.
    private static void closeDead(DirectFile file) {
        try {
            file.close();
        } catch (java.io.IOException e) {
            assertThat(e).hasMessageContaining("EIO");
        }
    }

    @ParameterizedTest
    @CsvSource({"ext4, RING", "ext4, THREADS", "xfs, RING", "xfs, THREADS"})
    void aDurableWriteIsThereWholeWithItsNameAndLength(String type, Engine engine) throws Exception {
        assertThat(leftOfANewFile(type, engine, LENGTH, (file, content) -> file.writeDurably(content, 0)))
                .isEqualTo(LENGTH);
        assertThat(leftOfANewFile(type, engine, LENGTH + 777, (file, content) -> file.writeDurably(content, 0)))
                .isEqualTo(LENGTH + 777);
    }

    @ParameterizedTest
    @CsvSource({"ext4, RING", "ext4, THREADS", "xfs, RING", "xfs, THREADS"})
    void aWriteFollowedByASyncIsThereWhole(String type, Engine engine) throws Exception {
        long left = leftOfANewFile(type, engine, LENGTH + 777, (file, content) -> {
            file.write(content, 0);
            file.sync();
        });
        assertThat(left).isEqualTo(LENGTH + 777);
    }

    @ParameterizedTest
    @CsvSource({"ext4, RING", "ext4, THREADS", "xfs, RING", "xfs, THREADS"})
    void eachDurableAppendIsThereEvenWhenOthersFollowThatAreNot(String type, Engine engine) throws Exception {
        long left = leftOfANewFile(type, engine, 512, (file, content) -> {
            for (int i = 0; i < 10; i++) {
                file.writeDurably(content, i * 512L);
            }
        });
        assertThat(left).isEqualTo(5120);
    }

    @ParameterizedTest
    @CsvSource({"ext4, RING", "ext4, THREADS", "xfs, RING", "xfs, THREADS"})
    void controlAWriteAloneOfANewFileIsLost(String type, Engine engine) throws Exception {
        // Its bytes were sent to the device; the file system never learned where they belong.
        assertThat(leftOfANewFile(type, engine, LENGTH, (file, content) -> file.write(content, 0)))
                .isNotEqualTo(LENGTH);
    }

    @ParameterizedTest
    @CsvSource({"ext4, RING", "ext4, THREADS", "xfs, RING", "xfs, THREADS"})
    void aWriteAloneOverSyncedBytesIsOnTheDevice(String type, Engine engine) throws Exception {
        long left = leftOfANewFile(type, engine, LENGTH, (file, content) -> {
            file.writeDurably(bytes(LENGTH, 1), 0);
            file.write(content, 0);
        });
        assertThat(left).isEqualTo(LENGTH);
    }
}
