package dev.sluice.io.direct;

import static dev.sluice.io.direct.DirectFileFixture.bytes;
import static dev.sluice.io.direct.DirectFileFixture.read;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.async.QueueConfig.Engine;
import dev.sluice.io.direct.DirectFile.Access;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.support.LoopDevice;
import dev.sluice.testbase.LoopFileSystem;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Every test runs on io_uring and on threads.
class DirectFileTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource(names = {"RING", "THREADS"})
    void readsWhatWasWrittenAtAnyPositionAndLength(Engine engine) throws Exception {
        try (DirectFileFixture fixture = new DirectFileFixture(engine);
                DirectFile file = fixture.open(folder.resolve("data"), Access.CREATE)) {
            againstAnArray(fixture, file, 300_000, 400);
        }
    }

    /// Random reads and writes of the file and of an array; both must say the same all the time.
    private static void againstAnArray(DirectFileFixture fixture, DirectFile file, int sizeBytes, int rounds)
            throws Exception {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        byte[] model = new byte[sizeBytes];
        int modelSize = file.isBlockDevice() ? sizeBytes : 0;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment aligned = arena.allocate(sizeBytes, 4096);
            for (int round = 0; round < rounds; round++) {
                int position = random.nextInt(sizeBytes);
                int length = random.nextInt(Math.min(sizeBytes - position, 1 << random.nextInt(4, 18)) + 1);
                if (random.nextInt(4) == 0) {
                    position &= -512;
                    length = Math.min(length + 511 & -512, sizeBytes - position & -512);
                }
                // Heap memory, native memory that fits, native memory that does not.
                MemorySegment memory = switch (random.nextInt(3)) {
                    case 0 -> MemorySegment.ofArray(new byte[length]);
                    case 1 -> aligned.asSlice(0, length);
                    default -> aligned.asSlice(Math.min(13, sizeBytes - length), length);
                };
                if (random.nextBoolean()) {
                    byte[] content = new byte[length];
                    random.nextBytes(content);
                    memory.copyFrom(MemorySegment.ofArray(content));
                    if (random.nextInt(5) == 0) {
                        file.writeDurably(memory, position);
                    } else {
                        file.write(memory, position);
                    }
                    System.arraycopy(content, 0, model, position, length);
                    modelSize = length == 0 ? modelSize : Math.max(modelSize, position + length);
                } else {
                    memory.fill((byte) 0x77);
                    long count = file.read(memory, position);
                    int expected = Math.max(0, Math.min(length, modelSize - position));
                    assertThat(count).as("round %d of seed %d", round, seed).isEqualTo(expected);
                    assertThat(memory.asSlice(0, count)
                                    .mismatch(MemorySegment.ofArray(model).asSlice(position, expected)))
                            .as("round %d of seed %d", round, seed)
                            .isEqualTo(-1);
                }
                assertThat(file.sizeBytes()).isEqualTo(modelSize);
                if (random.nextInt(40) == 0) {
                    file.sync();
                }
            }
        }
        file.sync();
        if (!file.isBlockDevice()) {
            assertThat(Files.readAllBytes(file.path())).isEqualTo(Arrays.copyOf(model, modelSize));
        }
        assertThat(fixture.queue.pending()).isZero();
    }

    @ParameterizedTest
    @EnumSource(names = {"RING", "THREADS"})
    void goesOnAfterShortCounts(Engine engine) throws Exception {
        try (DirectFileFixture fixture = new DirectFileFixture(engine);
                DirectFile file = fixture.open(folder.resolve("data"), Access.CREATE)) {
            Random lengths = new Random(4);
            fixture.gate.set(
                    (call, subject, position, length) -> (fixture.isRead(call) || fixture.isWrite(call)) && length > 1
                            ? 1 + lengths.nextLong(length)
                            : length);
            againstAnArray(fixture, file, 200_000, 150);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"RING", "THREADS"})
    void reachesPastFourGibibytes(Engine engine) throws Exception {
        long far = (5L << 30) + 7;
        try (DirectFileFixture fixture = new DirectFileFixture(engine);
                DirectFile file = fixture.open(folder.resolve("sparse"), Access.CREATE)) {
            file.write(bytes(10_000, 3), far);
            file.sync();

            assertThat(read(file, far - 3, 20_000))
                    .hasSize(10_003)
                    .startsWith(0, 0, 0, 3)
                    .endsWith(3);
            assertThat(Files.size(file.path())).isEqualTo(far + 10_000);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"RING", "THREADS"})
    void theFileOnDiskHasItsLengthAfterAClose(Engine engine) throws Exception {
        Path path = folder.resolve("data");
        try (DirectFileFixture fixture = new DirectFileFixture(engine)) {
            try (DirectFile file = fixture.open(path, Access.CREATE)) {
                file.write(bytes(1000, 1), 0);
                assertThat(file.sizeBytes()).isEqualTo(1000);
            }

            assertThat(Files.size(path)).isEqualTo(1000);
            try (DirectFile again = fixture.open(path, Access.READ_WRITE)) {
                again.write(bytes(3, 2), 997);
                again.write(bytes(3, 3), 1500);
                assertThat(read(again, 995, 10_000))
                        .hasSize(508)
                        .startsWith(1, 1, 2, 2, 2, 0)
                        .endsWith(0, 3, 3, 3);
            }
            assertThat(Files.size(path)).isEqualTo(1503);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"RING", "THREADS"})
    void alignedTransfersCostOneOperationEach(Engine engine) throws Exception {
        try (DirectFileFixture fixture = new DirectFileFixture(engine);
                DirectFile file = fixture.open(folder.resolve("data"), Access.CREATE);
                Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(64 << 10, 4096);
            file.write(memory, 0);
            file.read(memory, 0);

            assertThat(fixture.calls(fixture::isWrite)).isEqualTo(1);
            assertThat(fixture.calls(fixture::isRead)).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"RING", "THREADS"})
    void aFailureNamesFileAndPositionAndLeavesNothingInFlight(Engine engine) throws Exception {
        long bad = 3L * DirectFileFixture.BUFFER_BYTES;
        try (DirectFileFixture fixture = new DirectFileFixture(engine);
                DirectFile file = fixture.open(folder.resolve("data"), Access.CREATE)) {
            file.write(bytes(10 * DirectFileFixture.BUFFER_BYTES, 1), 0);
            fixture.gate.set((call, subject, position, length) -> position == bad ? -Errno.EIO : length);

            assertThatThrownBy(() -> file.write(bytes(10 * DirectFileFixture.BUFFER_BYTES, 2), 0))
                    .isInstanceOf(ErrnoException.class)
                    .hasMessageContaining("data at byte " + bad)
                    .hasMessageContaining("EIO");
            assertThatThrownBy(() -> read(file, 0, 10 * DirectFileFixture.BUFFER_BYTES))
                    .isInstanceOf(ErrnoException.class)
                    .hasMessageContaining("at byte " + bad);
            assertThat(fixture.queue.pending()).isZero();
            fixture.gate.open();
            file.write(bytes(10, 3), bad);
            assertThat(read(file, bad, 3)).containsExactly(3, 3, 3);
        }
    }

    // ---- durability: which calls are made; what they achieve is tested in WhatIsOnDiskTest ----

    @ParameterizedTest
    @EnumSource(names = {"RING", "THREADS"})
    void theFirstSyncOfANewFileForcesItsFolderTooAndLaterOnesDoNot(Engine engine) throws Exception {
        AtomicInteger folders = new AtomicInteger();
        try (DirectFileFixture fixture = new DirectFileFixture(engine)) {
            fixture.gate.set((call, subject, position, length) -> {
                if (call == Call.FSYNC && subject.equals(folder.toString())) {
                    folders.incrementAndGet();
                }
                return length;
            });
            try (DirectFile file = fixture.open(folder.resolve("data"), Access.CREATE)) {
                file.write(bytes(512, 1), 0);
                file.sync();
                file.sync();
                assertThat(folders).hasValue(1);
            }
            try (DirectFile again = fixture.open(folder.resolve("data"), Access.CREATE)) {
                again.writeDurably(bytes(512, 1), 0);
                assertThat(folders).as("somebody else's name").hasValue(1);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"RING", "THREADS"})
    void aDurableWriteOfWholeBlocksNeedsNoSync(Engine engine) throws Exception {
        try (DirectFileFixture fixture = new DirectFileFixture(engine);
                DirectFile file = fixture.open(folder.resolve("data"), Access.CREATE)) {
            file.writeDurably(bytes(512, 1), 0); // makes file and name durable
            long syncs = fixture.calls(fixture::isSync);
            file.writeDurably(bytes(1024, 2), 0);
            assertThat(fixture.calls(fixture::isSync)).isEqualTo(syncs);

            file.writeDurably(bytes(100, 3), 1024); // the length has to be cut, and then forced
            assertThat(fixture.calls(fixture::isSync)).isEqualTo(syncs + 1);
            assertThat(Files.size(file.path())).isEqualTo(1124);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"RING", "THREADS"})
    void aFailedSyncFencesTheFileUntilItIsOpenedAgain(Engine engine) throws Exception {
        Path path = folder.resolve("data");
        try (DirectFileFixture fixture = new DirectFileFixture(engine)) {
            try (DirectFile file = fixture.open(path, Access.CREATE)) {
                file.write(bytes(512, 1), 0);
                fixture.gate.set((call, subject, position, length) -> fixture.isSync(call) ? -Errno.EIO : length);
                assertThatThrownBy(file::sync)
                        .isInstanceOf(ErrnoException.class)
                        .hasMessageContaining("EIO");
                fixture.gate.open();
                long syncs = fixture.calls(fixture::isSync);

                assertThatThrownBy(file::sync)
                        .isInstanceOf(ErrnoException.class)
                        .hasMessageContaining("fenced");
                assertThatThrownBy(() -> file.write(bytes(1, 1), 0)).hasMessageContaining("fenced");
                assertThat(fixture.calls(fixture::isSync))
                        .as("never asked again")
                        .isEqualTo(syncs);
                assertThat(read(file, 0, 1)).containsExactly(1);
            }
            try (DirectFile again = fixture.open(path, Access.READ_WRITE)) {
                again.write(bytes(1, 2), 0);
                again.sync();
            }
        }
    }

    // ---- opening ----

    @ParameterizedTest
    @EnumSource(names = {"RING", "THREADS"})
    void whatIsNoFileIsRefused(Engine engine) throws Exception {
        try (DirectFileFixture fixture = new DirectFileFixture(engine)) {
            assertThatThrownBy(() -> fixture.open(Path.of("/dev/null"), Access.READ_WRITE))
                    .isInstanceOf(ErrnoException.class);
            assertThatThrownBy(() -> fixture.open(folder.resolve("missing"), Access.READ_WRITE))
                    .isInstanceOf(ErrnoException.class)
                    .hasMessageContaining("ENOENT");
            assertThatThrownBy(() -> fixture.open(Path.of("/proc/self/status"), Access.READ))
                    .isInstanceOf(ErrnoException.class)
                    .hasMessageContaining("O_DIRECT");
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"RING", "THREADS"})
    void oneHoldsTheLockAtATime(Engine engine) throws Exception {
        Path path = folder.resolve("data");
        try (DirectFileFixture fixture = new DirectFileFixture(engine);
                DirectFile second = fixture.open(path, Access.CREATE)) {
            try (DirectFile first = fixture.open(path, Access.READ_WRITE)) {
                assertThat(first.tryLock()).isTrue();
                assertThat(second.tryLock()).isFalse();
            }
            assertThat(second.tryLock()).isTrue();
        }
    }

    // ---- other disks ----

    @ParameterizedTest
    @CsvSource({"RING, 512", "THREADS, 512", "RING, 4096", "THREADS, 4096"})
    @Tag("root")
    void worksOnRawBlockDevicesOfEitherSectorSize(Engine engine, int sectorBytes) throws Exception {
        int sizeBytes = 1 << 20;
        try (LoopDevice device = LoopDevice.open(folder, sizeBytes, sectorBytes);
                DirectFileFixture fixture = new DirectFileFixture(engine);
                DirectFile file = fixture.open(device.path(), Access.READ_WRITE)) {
            assertThat(file.isBlockDevice()).isTrue();
            assertThat(file.sizeBytes()).isEqualTo(sizeBytes);
            assertThat(file.alignment().positionBytes()).isEqualTo(sectorBytes);
            againstAnArray(fixture, file, sizeBytes, 150);

            file.write(bytes(10, 9), sizeBytes - 10);
            assertThat(read(file, sizeBytes - 4, 100)).containsExactly(9, 9, 9, 9);
            assertThatThrownBy(() -> file.write(bytes(10, 9), sizeBytes - 9))
                    .isInstanceOfSatisfying(
                            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOSPC));
        }
    }

    @ParameterizedTest
    @CsvSource({"RING, ext4", "THREADS, ext4", "RING, xfs", "THREADS, xfs"})
    @Tag("root")
    void worksOnOtherFileSystemsAndTellsWhenTheyAreFull(Engine engine, String type) throws Exception {
        try (LoopFileSystem mount = LoopFileSystem.create(
                        folder, type, type.equals("xfs") ? LoopFileSystem.LEAST_XFS_BYTES : 16L << 20);
                DirectFileFixture fixture = new DirectFileFixture(engine);
                DirectFile file = fixture.open(mount.folder().resolve("data"), Access.CREATE)) {
            againstAnArray(fixture, file, 300_000, 100);

            Path hog = mount.folder().resolve("hog");
            try (DirectFile big = fixture.open(hog, Access.CREATE)) {
                MemorySegment piece = bytes(1 << 20, 5);
                assertThatThrownBy(() -> {
                            for (long position = 0; ; position += piece.byteSize()) {
                                big.write(piece, position);
                            }
                        })
                        .isInstanceOfSatisfying(
                                ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOSPC));
                assertThat(fixture.queue.pending()).isZero();
            }
            Files.delete(hog);
            // xfs gives the blocks of what was deleted back when it comes to it; whoever wrote can go on then.
            Awaitility.await()
                    .pollInSameThread()
                    .atMost(Duration.ofMinutes(1))
                    .ignoreException(ErrnoException.class)
                    .until(() -> {
                        file.write(bytes(100_000, 6), 0);
                        return true;
                    });
            file.sync();
            assertThat(read(file, 99_999, 1)).containsExactly(6);
        }
    }
}
