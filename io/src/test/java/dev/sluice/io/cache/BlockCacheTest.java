package dev.sluice.io.cache;

import static dev.sluice.io.direct.DirectFileFixture.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.async.QueueConfig.Engine;
import dev.sluice.io.direct.DirectFile.Access;
import dev.sluice.io.direct.DirectFileFixture;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.support.LoopDevice;
import dev.sluice.testbase.Commands;
import dev.sluice.testbase.LoopFileSystem;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/// Every test runs on io_uring and on threads.
@ParameterizedClass
@EnumSource(names = {"RING", "THREADS"})
class BlockCacheTest {
    private static final int BLOCK = DirectFileFixture.BUFFER_BYTES;
    private static final int BLOCKS = 32;
    private static final long AGE_NS = 1_000;

    @Parameter
    Engine engine;

    @TempDir
    Path folder;

    private DirectFileFixture fixture;

    /// Moved by hand.
    private long nowNs;

    @BeforeEach
    void openTheQueue() throws Exception {
        fixture = new DirectFileFixture(engine, BLOCKS + 8);
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        fixture.close();
    }

    private BlockCache newCache() {
        return newCache(new CacheConfig(BLOCKS, 8L * BLOCK, AGE_NS, 4L * BLOCK));
    }

    private BlockCache newCache(CacheConfig config) {
        return new BlockCache(fixture.queue, fixture.pool, config, () -> nowNs);
    }

    private CachedFile open(BlockCache cache, String name) throws Exception {
        return cache.open(fixture.open(folder.resolve(name), Access.CREATE));
    }

    private void lay(String name, int lengthBytes, int value) throws Exception {
        byte[] content = new byte[lengthBytes];
        Arrays.fill(content, (byte) value);
        Files.write(folder.resolve(name), content);
        Commands.run("sync", folder.resolve(name).toString());
    }

    private static byte[] read(CachedFile file, long position, int length) throws Exception {
        byte[] target = new byte[length];
        long count = file.read(MemorySegment.ofArray(target), position);
        return Arrays.copyOf(target, (int) count);
    }

    private long deviceReads() {
        return fixture.calls(fixture::isRead);
    }

    private long deviceWrites() {
        return fixture.calls(fixture::isWrite);
    }

    // ---- like a file ----

    @Test
    void isAFileToItsUsers() throws Exception {
        againstArrays(false);
    }

    @Test
    void isAFileToItsUsersWithShortCounts() throws Exception {
        againstArrays(true);
    }

    /// Random reads, writes, flushes, ticks of the clock, closes and openings of two files, and of two arrays.
    private void againstArrays(boolean shortCounts) throws Exception {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        int most = 3 * BLOCKS * BLOCK / 2; // both together are three times what the cache holds
        byte[][] model = {new byte[most], new byte[most]};
        int[] size = new int[2];
        if (shortCounts) {
            Random lengths = new Random(seed);
            fixture.gate.set((call, subject, position, length) ->
                    (fixture.isRead(call) || fixture.isWrite(call)) && length > 1 && position % 3 == 0
                            ? 1 + lengths.nextLong(length)
                            : length);
        }
        try (BlockCache cache = newCache()) {
            CachedFile[] files = {open(cache, "a"), open(cache, "b")};
            for (int round = 0; round < 3_000; round++) {
                int which = random.nextInt(2);
                String as = "round " + round + " of seed " + seed;
                int position = random.nextInt(most);
                int length = Math.min(most - position, random.nextInt(1 << random.nextInt(1, 18)));
                switch (random.nextInt(20)) {
                    case 0 -> files[which].flush();
                    case 1 -> {
                        nowNs += random.nextLong(2 * AGE_NS);
                        cache.poll();
                    }
                    case 2 -> {
                        files[which].close();
                        assertThat(Files.size(files[which].path())).as(as).isEqualTo(size[which]);
                        files[which] = open(cache, which == 0 ? "a" : "b");
                    }
                    case 3, 4, 5, 6, 7, 8, 9 -> {
                        byte[] content = new byte[length];
                        random.nextBytes(content);
                        files[which].write(MemorySegment.ofArray(content), position);
                        System.arraycopy(content, 0, model[which], position, length);
                        size[which] = length == 0 ? size[which] : Math.max(size[which], position + length);
                    }
                    default -> {
                        int expected = Math.max(0, Math.min(length, size[which] - position));
                        assertThat(read(files[which], position, length))
                                .as(as)
                                .isEqualTo(Arrays.copyOfRange(model[which], position, position + expected));
                    }
                }
                assertThat(files[which].sizeBytes()).as(as).isEqualTo(size[which]);
                assertThat(cache.statistics().dirtyBytes()).as(as).isLessThanOrEqualTo(8L * BLOCK);
            }
            assertThat(cache.statistics().evictions()).isPositive();
        }
        for (int which = 0; which < 2; which++) {
            assertThat(Files.readAllBytes(folder.resolve(which == 0 ? "a" : "b")))
                    .isEqualTo(Arrays.copyOf(model[which], size[which]));
        }
    }

    @Test
    @Tag("root")
    void isADeviceToItsUsers() throws Exception {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        int size = 64 * BLOCK + 4096; // the last block is not whole
        byte[] model = new byte[size];
        try (LoopDevice device = LoopDevice.open(folder, size, 512);
                BlockCache cache = newCache()) {
            CachedFile file = cache.open(fixture.open(device.path(), Access.READ_WRITE));
            for (int round = 0; round < 1_000; round++) {
                int position = random.nextInt(size);
                int length = Math.min(size - position, random.nextInt(3 * BLOCK));
                if (random.nextBoolean()) {
                    byte[] content = new byte[length];
                    random.nextBytes(content);
                    file.write(MemorySegment.ofArray(content), position);
                    System.arraycopy(content, 0, model, position, length);
                } else {
                    assertThat(read(file, position, length))
                            .as("round %d of seed %d", round, seed)
                            .isEqualTo(Arrays.copyOfRange(model, position, position + length));
                }
            }
            assertThatThrownBy(() -> file.write(bytes(2, 1), size - 1))
                    .isInstanceOfSatisfying(
                            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOSPC));
            file.close();
            CachedFile again = cache.open(fixture.open(device.path(), Access.READ));
            assertThat(read(again, 0, size)).isEqualTo(model);
        }
    }

    // ---- what is read ----

    @Test
    void whatIsInMemoryIsNotReadAgain() throws Exception {
        lay("data", 8 * BLOCK, 1);
        try (BlockCache cache = newCache()) {
            CachedFile file = open(cache, "data");
            read(file, 0, 8 * BLOCK);
            long before = deviceReads();
            for (int i = 0; i < 100; i++) {
                assertThat(read(file, i * 700L, 600)).containsOnly(1);
            }

            assertThat(deviceReads()).isEqualTo(before);
            assertThat(cache.statistics().misses()).isEqualTo(8);
        }
    }

    @Test
    void aSequentialReaderFindsItsBlocksReadAhead() throws Exception {
        lay("data", 24 * BLOCK, 1);
        try (BlockCache cache = newCache()) {
            CachedFile file = open(cache, "data");
            for (int position = 0; position < 24 * BLOCK; position += BLOCK / 4) {
                assertThat(read(file, position, BLOCK / 4)).containsOnly(1);
            }

            // The first block is waited for; all others were asked for before.
            assertThat(cache.statistics().misses()).isEqualTo(1);
            assertThat(cache.statistics().readAhead()).isEqualTo(23);
            assertThat(deviceReads()).isEqualTo(24);
        }
    }

    @Test
    void twoSequentialReadersOfOneFileAreBothReadAheadOf() throws Exception {
        lay("data", 24 * BLOCK, 1);
        try (BlockCache cache = newCache()) {
            CachedFile file = open(cache, "data");
            for (int i = 0; i < 12; i++) {
                read(file, (long) i * BLOCK, BLOCK);
                read(file, (long) (i + 12) * BLOCK, BLOCK);
            }

            assertThat(cache.statistics().misses()).isLessThanOrEqualTo(3);
        }
    }

    @Test
    void aRandomReaderHasNothingReadAhead() throws Exception {
        lay("data", 24 * BLOCK, 1);
        List<Integer> blocks = new ArrayList<>();
        for (int i = 1; i < 24; i += 2) {
            blocks.add(i);
        }
        Collections.shuffle(blocks, new Random(1));
        try (BlockCache cache = newCache()) {
            CachedFile file = open(cache, "data");
            for (int block : blocks) {
                read(file, (long) block * BLOCK + 5, 100);
            }

            assertThat(cache.statistics().readAhead()).isZero();
            assertThat(deviceReads()).isEqualTo(blocks.size());
        }
    }

    @Test
    void aScanLeavesTheHotSetAndThePageCacheAlone() throws Exception {
        int hot = BLOCKS / 2;
        int scanned = 40 * BLOCKS;
        lay("hot", hot * BLOCK, 1);
        lay("scanned", scanned * BLOCK, 2);
        dropFromPageCache("scanned");
        try (BlockCache cache = newCache()) {
            CachedFile hotFile = open(cache, "hot");
            CachedFile scannedFile = open(cache, "scanned");
            for (int round = 0; round < 4; round++) {
                readEachBlock(hotFile, hot);
            }
            CacheStatistics before = cache.statistics();
            readEachBlock(hotFile, hot);
            double rateBefore = cache.statistics().since(before).hitRate();
            // Records smaller than a block: a reader that goes on inside one must not make it look popular.
            for (long position = 0; position < (long) scanned * BLOCK; position += 1000) {
                read(scannedFile, position, 1000);
            }
            CacheStatistics after = cache.statistics();
            readEachBlock(hotFile, hot);
            double rateAfter = cache.statistics().since(after).hitRate();

            assertThat(rateBefore).isEqualTo(1.0);
            assertThat(rateAfter).isEqualTo(1.0);
            assertThat(residentPages("scanned"))
                    .as("pages of the scanned file in the page cache")
                    .isZero();
        }
        // The control: read the same through the page cache, and it is there.
        Files.readAllBytes(folder.resolve("scanned"));
        assertThat(residentPages("scanned")).isGreaterThan(scanned);
    }

    private static void readEachBlock(CachedFile file, int blocks) throws Exception {
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < blocks; i++) {
            order.add(i);
        }
        Collections.shuffle(order, new Random(2));
        for (int block : order) {
            read(file, (long) block * BLOCK + 8, 100);
        }
    }

    private long residentPages(String name) throws Exception {
        return Long.parseLong(Commands.run(
                "fincore",
                "--noheadings",
                "--bytes",
                "--output",
                "PAGES",
                folder.resolve(name).toString()));
    }

    private void dropFromPageCache(String name) throws Exception {
        Path path = folder.resolve(name);
        Commands.run("dd", "of=" + path, "oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none");
        assertThat(residentPages(name)).isZero();
    }

    @Test
    void aBlockThatCantBeReadIsToldAndReadAgainWhenAskedAgain() throws Exception {
        lay("data", 4 * BLOCK, 1);
        try (BlockCache cache = newCache()) {
            CachedFile file = open(cache, "data");
            fixture.gate.set((call, subject, position, length) ->
                    fixture.isRead(call) && position == 2L * BLOCK ? -Errno.EIO : length);

            assertThatThrownBy(() -> read(file, 2L * BLOCK + 100, 10))
                    .isInstanceOf(ErrnoException.class)
                    .hasMessageContaining("data at byte " + 2 * BLOCK);
            assertThatThrownBy(() -> read(file, 0, 4 * BLOCK)).isInstanceOf(ErrnoException.class);
            assertThat(read(file, 3L * BLOCK, 10)).containsOnly(1);
            fixture.gate.open();
            assertThat(read(file, 0, 4 * BLOCK)).hasSize(4 * BLOCK).containsOnly(1);
        }
    }

    @Test
    void whatFailsAheadOfAReaderIsToldWhenItGetsThere() throws Exception {
        lay("data", 8 * BLOCK, 1);
        try (BlockCache cache = newCache()) {
            CachedFile file = open(cache, "data");
            fixture.gate.set((call, subject, position, length) ->
                    fixture.isRead(call) && position == 2L * BLOCK ? -Errno.EIO : length);
            read(file, 0, BLOCK); // reads blocks 1 and 2 ahead
            assertThat(read(file, BLOCK, BLOCK)).containsOnly(1);

            assertThatThrownBy(() -> read(file, 2L * BLOCK, BLOCK)).isInstanceOf(ErrnoException.class);
            fixture.gate.open();
            assertThat(read(file, 2L * BLOCK, BLOCK)).containsOnly(1);
        }
    }

    // ---- delayed writes ----

    @Test
    void writesWaitUntilTheyAreOldEnough() throws Exception {
        try (BlockCache cache = newCache()) {
            CachedFile file = open(cache, "data");
            assertThat(cache.nextDueNs()).isEqualTo(Long.MAX_VALUE);
            file.write(bytes(100, 1), 0);
            nowNs += AGE_NS / 2;
            file.write(bytes(100, 2), 3L * BLOCK);
            assertThat(cache.nextDueNs()).isEqualTo(AGE_NS / 2);
            cache.poll();
            assertThat(deviceWrites()).isZero();

            nowNs += AGE_NS / 2;
            assertThat(cache.nextDueNs()).isZero();
            cache.poll();
            while (fixture.queue.pending() > 0) {
                fixture.queue.await(1, -1);
            }
            assertThat(deviceWrites()).as("the older one").isEqualTo(1);
            assertThat(cache.nextDueNs()).isEqualTo(AGE_NS / 2);
            assertThat(cache.statistics().dirtyBytes()).isEqualTo(BLOCK);
        }
    }

    @Test
    void manyWritesToABlockAreOneToTheDisk() throws Exception {
        try (BlockCache cache = newCache()) {
            CachedFile file = open(cache, "data");
            for (int i = 0; i < 160; i++) {
                file.write(bytes(100, i), i * 100L);
            }
            file.flush();

            assertThat(deviceWrites()).isEqualTo(1);
            assertThat(deviceReads()).isZero();
        }
    }

    @Test
    void aBatchGoesOutInTheOrderOfPositions() throws Exception {
        List<Long> order = new ArrayList<>();
        try (BlockCache cache = newCache(new CacheConfig(BLOCKS, 16L * BLOCK, AGE_NS, 0))) {
            CachedFile file = open(cache, "data");
            for (int block : new int[] {6, 2, 7, 0, 3, 5, 1, 4}) {
                file.write(bytes(BLOCK, block), (long) block * BLOCK);
            }
            fixture.gate.set((call, subject, position, length) -> {
                if (fixture.isWrite(call)) {
                    synchronized (order) {
                        order.add(position / BLOCK);
                    }
                }
                return length;
            });
            file.flush();

            if (engine == Engine.RING) { // threads are handed them in order, and run them as they are scheduled
                assertThat(order).containsExactly(0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L);
            } else {
                assertThat(order).containsExactlyInAnyOrder(0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L);
            }
        }
    }

    @Test
    void aWriterWaitsWhenTooMuchIsDirty() throws Exception {
        try (BlockCache cache = newCache()) {
            CachedFile file = open(cache, "data");
            long most = 0;
            for (int i = 0; i < 200; i++) {
                file.write(bytes(BLOCK, i), (long) i * BLOCK);
                most = Math.max(most, cache.statistics().dirtyBytes());
            }

            assertThat(most).isLessThanOrEqualTo(8L * BLOCK).isGreaterThan(4L * BLOCK);
            assertThat(deviceWrites()).as("without a flush").isGreaterThan(180);
        }
    }

    @Test
    void aFlushSurvivesWhatACloseWithoutOneNeedNot() throws Exception {
        try (BlockCache cache = newCache()) {
            CachedFile file = open(cache, "data");
            file.write(bytes(1234, 7), 5);
            long syncs = fixture.calls(fixture::isSync);
            file.flush();

            assertThat(fixture.calls(fixture::isSync)).isGreaterThan(syncs);
            assertThat(Files.size(folder.resolve("data"))).isEqualTo(1239);
            assertThat(cache.statistics().dirtyBytes()).isZero();
        }
    }

    // ---- lost writes ----

    @Test
    void aFailedWriteBackFencesItsFileIsToldAndNeverTriedAgain() throws Exception {
        lay("bad", 8 * BLOCK, 1);
        try (BlockCache cache = newCache()) {
            CachedFile bad = open(cache, "bad");
            CachedFile good = open(cache, "good");
            good.write(bytes(BLOCK, 3), 0);
            fixture.gate.set((call, subject, position, length) ->
                    fixture.isWrite(call) && subject.endsWith("bad") && position == 2L * BLOCK ? -Errno.EIO : length);
            for (int block = 0; block < 5; block++) {
                bad.write(bytes(BLOCK, 9), (long) block * BLOCK);
            }
            nowNs += AGE_NS;
            cache.poll(); // the owner's tick writes them out; nobody is there to be told
            while (fixture.queue.pending() > 0) {
                fixture.queue.await(1, -1);
            }
            fixture.gate.open();
            long writes = deviceWrites();

            assertThatThrownBy(() -> read(bad, 0, 10))
                    .isInstanceOfSatisfying(WriteBackException.class, e -> {
                        assertThat(e.errno()).isEqualTo(Errno.EIO);
                        assertThat(e.position()).isEqualTo(2L * BLOCK);
                    })
                    .hasMessageContaining("bad at byte " + 2 * BLOCK);
            assertThatThrownBy(() -> bad.write(bytes(1, 1), 0)).isInstanceOf(WriteBackException.class);
            assertThatThrownBy(bad::flush).isInstanceOf(WriteBackException.class);
            assertThatThrownBy(bad::close).isInstanceOf(WriteBackException.class);
            assertThat(deviceWrites()).as("nothing was tried again").isEqualTo(writes);
            assertThat(cache.statistics().dirtyBytes()).isZero();

            good.flush();
            CachedFile again = open(cache, "bad");
            assertThat(read(again, 2L * BLOCK, BLOCK)).as("what is on disk").containsOnly(1);
            assertThat(read(again, 0, BLOCK)).containsOnly(9);
        }
    }

    @Test
    void aFailedSyncFencesToo() throws Exception {
        try (BlockCache cache = newCache()) {
            CachedFile file = open(cache, "data");
            file.write(bytes(BLOCK, 3), 0);
            fixture.gate.set((call, subject, position, length) -> fixture.isSync(call) ? -Errno.EIO : length);
            assertThatThrownBy(file::flush)
                    .isInstanceOf(WriteBackException.class)
                    .hasMessageContaining("its sync");
            fixture.gate.open();
            long syncs = fixture.calls(fixture::isSync);

            assertThatThrownBy(file::flush).isInstanceOf(WriteBackException.class);
            assertThatThrownBy(() -> read(file, 0, 1)).isInstanceOf(WriteBackException.class);
            assertThatThrownBy(file::close).isInstanceOf(WriteBackException.class);
            assertThat(fixture.calls(fixture::isSync)).isEqualTo(syncs);
        }
    }

    @Test
    void underRandomFailuresNothingIsReportedAsFlushedThatIsNotOnDisk() throws Exception {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        int blocks = 40;
        int fences = 0;
        try (BlockCache cache = newCache()) {
            int[] flushed = new int[blocks]; // values that a flush has acknowledged
            for (int life = 0; life < 40; life++) {
                CachedFile file = open(cache, "data");
                int[] seen = flushed.clone();
                boolean[] writtenSince = new boolean[blocks]; // since the last flush that said it was well
                Random faults = new Random(random.nextLong());
                fixture.gate.set((call, subject, position, length) -> {
                    synchronized (faults) {
                        return fixture.isWrite(call) && faults.nextInt(150) == 0 ? -Errno.EIO : length;
                    }
                });
                try {
                    for (int i = 0; i < 60; i++) {
                        int block = random.nextInt(blocks);
                        int value = 1 + random.nextInt(100);
                        writtenSince[block] = true;
                        file.write(bytes(BLOCK, value), (long) block * BLOCK);
                        seen[block] = value;
                        if (random.nextInt(20) == 0) {
                            file.flush();
                            flushed = seen.clone();
                            writtenSince = new boolean[blocks];
                        }
                    }
                    file.close();
                    flushed = seen.clone();
                    writtenSince = new boolean[blocks];
                } catch (WriteBackException e) {
                    fences++;
                    closeAnyway(file); // it may have been the close that told
                }
                fixture.gate.open();
                // What was flushed and not written again since is there. What was written since may be there or not.
                try (CachedFile look = open(cache, "data")) {
                    for (int block = 0; block < blocks; block++) {
                        byte[] content = read(look, (long) block * BLOCK, BLOCK);
                        int there = content.length == 0 ? 0 : content[BLOCK / 2];
                        if (!writtenSince[block]) {
                            assertThat(there)
                                    .as("block %d, seed %d", block, seed)
                                    .isEqualTo(flushed[block]);
                        }
                        flushed[block] = there;
                    }
                }
            }
            assertThat(fences).as("lives that ended in a failure").isPositive();
        }
    }

    private static void closeAnyway(CachedFile file) {
        try {
            file.close();
        } catch (IOException e) {
            assertThat(e).isInstanceOf(WriteBackException.class);
        }
    }

    private static void closeFenced(CachedFile file) {
        assertThatThrownBy(file::close).isInstanceOf(WriteBackException.class);
    }

    @Test
    @Tag("root")
    void aDeviceThatLosesWritesFencesAndOneThatLosesReadsSaysSo() throws Exception {
        Path small = Files.createDirectory(folder.resolve("small"));
        Commands.run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", small.toString());
        try (LoopDevice device = LoopDevice.open(small, 32L << 20, 512);
                BlockCache cache = newCache()) {
            CachedFile file = cache.open(fixture.open(device.path(), Access.READ_WRITE));
            assertThatThrownBy(() -> {
                        for (int i = 0; i < 2_000; i++) {
                            file.write(bytes(BLOCK, i), (long) i * BLOCK);
                        }
                        file.flush();
                    })
                    .isInstanceOf(WriteBackException.class);
            closeFenced(file);

            CachedFile again = cache.open(fixture.open(device.path(), Access.READ_WRITE));
            cutImages(small);
            assertThatThrownBy(() -> read(again, 16L << 20, BLOCK)).isInstanceOf(ErrnoException.class);
            again.close();
        } finally {
            LoopFileSystem.unmount(small);
        }
    }

    private static void cutImages(Path folder) throws IOException {
        try (var images = Files.list(folder)) {
            for (Path image : images.toList()) {
                try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
                    file.setLength(1 << 20);
                }
            }
        }
    }

    // ---- bounds and ends ----

    @Test
    void boundsThatDontFitAreRefused() throws Exception {
        assertThatThrownBy(() -> newCache(new CacheConfig(BLOCKS, BLOCK - 1, 0, 0)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> newCache(new CacheConfig(BLOCKS, 17L * BLOCK, 0, 0)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> newCache(new CacheConfig(BLOCKS + 9, BLOCK, 0, 0)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aTinyCacheWorksAsWell() throws Exception {
        try (BlockCache cache = newCache(new CacheConfig(8, BLOCK, AGE_NS, 4L * BLOCK))) {
            CachedFile file = open(cache, "data");
            file.write(bytes(50 * BLOCK + 3, 5), 1);
            assertThat(read(file, 0, 51 * BLOCK))
                    .hasSize(50 * BLOCK + 4)
                    .endsWith(5)
                    .startsWith(0, 5);
        }
    }

    @Test
    void aClosedFileLeavesNothingToTheNextOneOfItsNumber() throws Exception {
        lay("one", 4 * BLOCK, 1);
        lay("two", 4 * BLOCK, 2);
        try (BlockCache cache = newCache()) {
            CachedFile one = open(cache, "one");
            read(one, 0, BLOCK); // reads ahead, and closes while that is under way
            one.close();
            CachedFile two = open(cache, "two");

            assertThat(read(two, 0, 4 * BLOCK)).containsOnly(2);
            assertThatThrownBy(() -> read(one, 0, 1)).isInstanceOf(IllegalStateException.class);
            assertThat(fixture.account.count(Call.OPENAT).errors()).isEqualTo(2); // O_EXCL, of files that were there
        }
    }
}
