package dev.sluice.bench.direct;

import dev.sluice.bench.tools.CpuClock;
import dev.sluice.bench.tools.Options;
import dev.sluice.io.async.BufferPool;
import dev.sluice.io.async.FileQueue;
import dev.sluice.io.async.FileQueues;
import dev.sluice.io.async.QueueConfig;
import dev.sluice.io.cache.BlockCache;
import dev.sluice.io.cache.CacheConfig;
import dev.sluice.io.cache.CacheStatistics;
import dev.sluice.io.cache.CachedFile;
import dev.sluice.io.direct.DirectFile;
import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;

/// A scan of everything against a hot set that is read again and again: what of the hot set is left?
///
/// `bin/bench scan`. /// The hot set is the beginning of FILE (a file or a block device), the scan is all of it. First
/// through a block cache of CACHE_MIB; then, for a file and as root, the same by reads through the page cache, in a
/// control group (version 1) whose memory is as much.
final class ScanBench {
    private static final int BLOCK_BYTES = 64 << 10;
    private static final int SCAN_BYTES = 1 << 20;
    private static final int RECORD_BYTES = 4 << 10;

    private Path file = Path.of("");
    private long cacheBytes;
    private long hotBytes;

    private ScanBench() {}

    static void main(String[] arguments) {
        ScanBench bench = new ScanBench();
        new Options("scan", "What a scan of everything leaves of a hot set, in the block cache and in the page cache.")
                .parameter("FILE", "a file or a block device", value -> bench.file = Path.of(value))
                .parameter("CACHE_MIB", "what the cache holds", value -> bench.cacheBytes = mib("CACHE_MIB", value))
                .parameter("HOT_MIB", "what is read again and again", value -> bench.hotBytes = mib("HOT_MIB", value))
                .run(arguments, (_, _) -> bench.run());
    }

    private static long mib(String name, String value) {
        return (long) Options.number(name, 1, value) << 20;
    }

    private void run() throws IOException, InterruptedException {
        throughTheBlockCache(file, cacheBytes, hotBytes);
        if (Files.isRegularFile(file)) {
            throughThePageCache(file, cacheBytes, hotBytes);
        }
    }

    private static void throughTheBlockCache(Path path, long cacheBytes, long hotBytes) throws IOException {
        Kernel kernel = new Kernel();
        Account account = Account.root("bench");
        int blocks = (int) (cacheBytes / BLOCK_BYTES);
        BufferPool pool = BufferPool.open(kernel, new BufferPool.Shape(blocks + 16, BLOCK_BYTES));
        long cachedBefore = pageCacheBytes();
        try (pool;
                FileQueue queue = FileQueues.open(kernel, pool, QueueConfig.ofDepth(64), account);
                BlockCache cache = new BlockCache(queue, pool, CacheConfig.of(blocks, BLOCK_BYTES), System::nanoTime);
                CachedFile file =
                        cache.open(DirectFile.open(kernel, queue, pool, path, DirectFile.Access.READ, account));
                Arena arena = Arena.ofConfined()) {
            MemorySegment record = arena.allocate(RECORD_BYTES, 4096);
            for (int i = 0; i < 4; i++) {
                readHotSet(file, record, hotBytes);
            }
            double before = rateOfHotSet(cache, file, record, hotBytes);
            MemorySegment piece = arena.allocate(SCAN_BYTES, 4096);
            long begin = System.nanoTime();
            double cpuBefore = CpuClock.processSeconds();
            for (long position = 0; position < file.sizeBytes(); position += SCAN_BYTES) {
                file.read(piece, position);
            }
            double seconds = (System.nanoTime() - begin) / 1e9;
            double cpu = CpuClock.processSeconds() - cpuBefore;
            double after = rateOfHotSet(cache, file, record, hotBytes);
            System.out.printf(
                    "block cache of %d MiB: hot set of %d MiB, hit rate %.4f; after a scan of %d MiB (%.0f MiB/s, %.2f s/GiB CPU) %.4f; "
                            + "page cache grew by %d MiB%n",
                    cacheBytes >> 20,
                    hotBytes >> 20,
                    before,
                    file.sizeBytes() >> 20,
                    file.sizeBytes() / 1048576.0 / seconds,
                    cpu / (file.sizeBytes() / 1073741824.0),
                    after,
                    (pageCacheBytes() - cachedBefore) >> 20);
        }
    }

    private static double rateOfHotSet(BlockCache cache, CachedFile file, MemorySegment record, long hotBytes)
            throws IOException {
        CacheStatistics before = cache.statistics();
        readHotSet(file, record, hotBytes);
        return cache.statistics().since(before).hitRate();
    }

    /// One record of each block, in random order: as a database reads an index.
    private static void readHotSet(CachedFile file, MemorySegment record, long hotBytes) throws IOException {
        int blocks = (int) (hotBytes / BLOCK_BYTES);
        int[] order = new int[blocks];
        SplittableRandom random = new SplittableRandom(7);
        for (int i = 0; i < blocks; i++) {
            int other = random.nextInt(i + 1);
            order[i] = order[other];
            order[other] = i;
        }
        for (int block : order) {
            file.read(record, (long) block * BLOCK_BYTES + 8192);
        }
    }

    /// Cached of /proc/meminfo.
    private static long pageCacheBytes() throws IOException {
        return Files.readString(Path.of("/proc/meminfo"))
                .lines()
                .filter(line -> line.startsWith("Cached:"))
                .mapToLong(line -> Long.parseLong(line.split("\\s+")[1]) << 10)
                .findFirst()
                .orElseThrow();
    }

    private static void throughThePageCache(Path file, long cacheBytes, long hotBytes)
            throws IOException, InterruptedException {
        Path group = Path.of(
                "/sys/fs/cgroup/memory/sluice-scan-" + ProcessHandle.current().pid());
        if (!Files.isDirectory(Path.of("/sys/fs/cgroup/memory"))) {
            System.out.println("page cache: no control group (version 1) for memory, so no control");
            return;
        }
        Path hot = file.resolveSibling("hot-" + ProcessHandle.current().pid());
        Files.createDirectory(group);
        try {
            Files.writeString(group.resolve("memory.limit_in_bytes"), Long.toString(cacheBytes));
            String count = Long.toString(hotBytes >> 20);
            shell(group, "dd if='" + file + "' of='" + hot + "' bs=1M count=" + count + " oflag=direct status=none");
            shell(
                    group,
                    "for i in 1 2 3 4; do cat '" + hot + "' > /dev/null; done; fincore -nb -o PAGES '" + hot + "'; "
                            + "cat '" + file + "' > /dev/null; fincore -nb -o PAGES '" + hot + "'");
        } finally {
            Files.deleteIfExists(hot);
            Files.writeString(group.resolve("memory.force_empty"), "0");
            Files.deleteIfExists(group);
        }
    }

    private static void shell(Path group, String script) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        List.of("sh", "-c", "echo $$ > " + group.resolve("cgroup.procs") + "; sync; " + script))
                .redirectErrorStream(true)
                .start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        if (process.waitFor() != 0) {
            throw new IOException(script + ": " + printed);
        }
        if (!printed.isEmpty()) {
            System.out.println("page cache, 4 KiB pages of the hot set in it before and after: "
                    + printed.replaceAll("\\s+", " "));
        }
    }
}
