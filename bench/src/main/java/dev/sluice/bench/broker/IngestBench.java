package dev.sluice.bench.broker;

import dev.sluice.bench.tools.Json;
import dev.sluice.bench.tools.Options;
import dev.sluice.bench.tools.Tools;
import dev.sluice.testbase.LoopFileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// `bin/bench ingest`: the ways that a broker's records can take to a file, on the same work in one run. See
/// bench/README.md.
final class IngestBench {
    private static final List<Subject> WAYS = List.of(
            Subject.SLUICE,
            Subject.SLUICE_MAPPED,
            Subject.SLUICE_DIRECT,
            Subject.LIMIT,
            Subject.LIMIT_MAPPED,
            Subject.LIMIT_FRESH,
            Subject.LIMIT_SPLICE,
            Subject.LIMIT_SPLICE_PREAD);
    private static final List<Integer> BATCHES = List.of(1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20);
    private static final List<Integer> PARTITIONS = List.of(1, 12, 1000);

    /// A plain one, where `--data` says.
    private static final String FOLDER = "folder";

    /// So that small batches take no longer than large ones.
    private static final long MOST_REQUESTS = 65_536;

    /// How large a file system of its own is: room for the runs whose topics are still being deleted. The image
    /// takes what was written to it once.
    private static final long DISK_BYTES = 16L << 30;

    private final List<Integer> batches = new ArrayList<>();
    private final List<Integer> partitions = new ArrayList<>();
    private final List<Subject> subjects = new ArrayList<>();
    private final List<String> fileSystems = new ArrayList<>();
    private long mebibytes = 256;
    private int rounds = 5;
    private int warmups = 2;
    private boolean touch;
    private Path data = Path.of("target", "bench", "data");
    private @Nullable Path json;

    /// @param arguments the folder of the C sources, the folder for programs, the user's
    static void main(String[] arguments) {
        IngestBench bench = new IngestBench();
        bench.options().run(arguments, bench::run);
    }

    private Options options() {
        return new Options("ingest", "The engines that records come in by, and what the kernel can do at best.")
                .text(
                        "--batch",
                        "BYTES",
                        "may be given again (1024 4096 16384 65536 262144 1048576 without it)",
                        value -> batches.add(Options.number("--batch", 1, value)))
                .text(
                        "--partitions",
                        "N",
                        "may be given again (1 12 1000 without it)",
                        value -> partitions.add(Options.number("--partitions", 1, value)))
                .text(
                        "--subject",
                        "NAME",
                        "may be given again: sluice sluice-mapped sluice-direct limit limit-mapped limit-mapped-fresh"
                                + " limit-splice limit-splice-pread (all without it)",
                        value -> subjects.add(Subject.of(value)))
                .text(
                        "--file-system",
                        "TYPE",
                        "may be given again: ext4 or xfs, in an image of its own, needs root; folder for that of --data"
                                + " (ext4 and xfs for root, folder for others)",
                        value -> fileSystems.add(value))
                .number("--mib", 1, "what a run moves, in 65,536 batches at most (256)", value -> mebibytes = value)
                .number("--rounds", 1, "measured rounds, each a run of every way (5)", value -> rounds = value)
                .number("--warmups", 0, "rounds before them (2)", value -> warmups = value)
                .flag(
                        "--touch",
                        "first write once to nine tenths of the free memory, as for bin/bench broker",
                        () -> touch = true)
                .path("--data", "DIR", "where data and images are kept (target/bench/data)", value -> data = value)
                .path("--json", "OUT", "results as JSON too", value -> json = value);
    }

    private static <T> List<T> orElse(List<T> given, List<T> otherwise) {
        return given.isEmpty() ? otherwise : given;
    }

    private void run(Path sources, Path target) throws Exception {
        Path load = Tools.compile(sources, target, "load");
        Path limit = Tools.compile(sources, target, "limit");
        if (touch) {
            Tools.touchMemory(sources, target);
        }
        boolean isRoot = "root".equals(System.getProperty("user.name"));
        Files.createDirectories(data);
        List<Map<String, Object>> rows = new ArrayList<>();
        for (String fileSystem : orElse(fileSystems, isRoot ? List.of("ext4", "xfs") : List.of(FOLDER))) {
            if (fileSystem.equals(FOLDER)) {
                measure(fileSystem, data, load, limit, target, rows);
                continue;
            }
            try (LoopFileSystem disk = LoopFileSystem.create(data, fileSystem, DISK_BYTES)) {
                measure(fileSystem, disk.folder(), load, limit, target, rows);
            }
        }
        if (json != null) {
            Map<String, Object> document = new LinkedHashMap<>();
            document.put("mebibytes", mebibytes);
            document.put("rows", rows);
            Json.write(json, document);
        }
    }

    private void measure(
            String fileSystem, Path folder, Path load, Path limit, Path target, List<Map<String, Object>> rows)
            throws IOException, InterruptedException {
        List<Subject> ways = orElse(subjects, WAYS);
        Map<Subject, Peer> peers = new EnumMap<>(Subject.class);
        try {
            for (Subject way : ways) {
                if (!way.isProgram()) {
                    peers.put(way, way.start(folder, target));
                }
            }
            for (int count : orElse(partitions, PARTITIONS)) {
                for (int batch : orElse(batches, BATCHES)) {
                    Work work = Work.ingest(batch, count);
                    long moved = Math.min(mebibytes, Math.max(1, (MOST_REQUESTS * batch) >> 20));
                    Comparison comparison = new Comparison(load, limit, folder, moved, peers);
                    Map<Subject, List<Run>> runs = comparison.measure(work, ways, warmups, rounds);
                    System.out.print(IngestReport.table(fileSystem, work, runs));
                    for (Map<String, Object> row : Report.rows(work, runs)) {
                        row.put("fileSystem", fileSystem);
                        row.put("batchBytes", batch);
                        row.put("partitions", count);
                        rows.add(row);
                    }
                }
            }
        } finally {
            for (Peer peer : peers.values()) {
                peer.close();
            }
        }
    }
}
