package dev.sluice.bench.broker;

import dev.sluice.bench.tools.Options;
import dev.sluice.bench.tools.Ratios;
import dev.sluice.bench.tools.Tools;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// `bin/bench dispatch`. See bench/README.md for what it measures and its options.
final class DispatchBench {
    private static final List<String> WAYS = List.of("sendfile", "pread", "mmap", "mmap-only");
    private static final int LEAST_BYTES = 512;
    private static final int MOST_BYTES = 256 << 10;
    private static final long FILE_MIB = 256;
    private static final long MOST_REQUESTS = 60_000;
    private static final int WARMUPS = 3;
    private static final long RECORD_BYTES = 1024;
    private static final long BATCH_HEAD_BYTES = 80;

    private final List<Long> sizes = new ArrayList<>();
    private int rounds = 3;
    private long mebibytes = 512;
    private Path data = Path.of("target", "bench", "data");

    /// A way, and what it costs, a request, in each round.
    @FunctionalInterface
    private interface Way {
        double microseconds(long sizeBytes) throws IOException, InterruptedException;
    }

    /// @param arguments the folder of the C sources, the folder for programs, the user's
    static void main(String[] arguments) {
        DispatchBench bench = new DispatchBench();
        bench.options().run(arguments, bench::run);
    }

    private Options options() {
        return new Options(
                        "dispatch",
                        "What an answer costs that carries little or much: by sendfile, copied, from a map.")
                .number(
                        "--bytes",
                        LEAST_BYTES,
                        "what an answer carries of the log; may be given again (512 to 262144, doubling)",
                        value -> sizes.add((long) value))
                .number("--rounds", 1, "each a run of every way (3)", value -> rounds = value)
                .number("--mib", 1, "what a run carries at most (512)", value -> mebibytes = value)
                .path(
                        "--data",
                        "DIR",
                        "where the file and the brokers' data are (target/bench/data)",
                        value -> data = value);
    }

    private void run(Path sources, Path target) throws IOException, InterruptedException {
        for (long size = LEAST_BYTES; sizes.isEmpty() || (size <= MOST_BYTES && sizes.getLast() < size); size *= 2) {
            sizes.add(size);
        }
        Path answer = Tools.compile(sources, target, "answer");
        Path load = Tools.compile(sources, target, "load");
        Path file = Files.createDirectories(data).resolve("dispatch.data");
        Filling.write(file, FILE_MIB);
        try (Peer sends = KafkaPeer.sluice(
                        "sendfile", Folders.fresh(data, "sendfile"), "pwrite", "sluice.fetch.copied.bytes=0");
                Peer copies = KafkaPeer.sluice(
                        "copied", Folders.fresh(data, "copied"), "pwrite", "sluice.fetch.copied.bytes=1048576")) {
            Map<String, Way> ways = new LinkedHashMap<>();
            WAYS.forEach(way -> ways.put("C " + way, size -> inC(answer, way, file, size)));
            ways.put("broker sendfile", size -> byBroker(load, sends, size));
            ways.put("broker copied", size -> byBroker(load, copies, size));
            for (int i = 0; i < WARMUPS; i++) {
                byBroker(load, sends, sizes.getFirst());
                byBroker(load, copies, sizes.getFirst());
            }
            System.out.println("Processor time of whoever answers, µs an answer: median of " + rounds + " rounds\n");
            System.out.println("| bytes | " + String.join(" | ", ways.keySet()) + " |");
            System.out.println("|---".repeat(1 + ways.size()) + "|");
            for (long size : sizes) {
                System.out.println(row(size, ways));
            }
        } finally {
            Files.delete(file);
        }
    }

    private String row(long size, Map<String, Way> ways) throws IOException, InterruptedException {
        double[][] figures = new double[ways.size()][rounds];
        for (int round = 0; round < rounds; round++) {
            int i = 0;
            for (Way way : ways.values()) {
                figures[i++][round] = way.microseconds(size);
            }
        }
        StringBuilder row = new StringBuilder(String.format(Locale.ROOT, "| %,d |", size));
        for (double[] of : figures) {
            row.append(String.format(Locale.ROOT, " %.1f |", Ratios.median(of)));
        }
        return row.toString();
    }

    private long requests(long size) {
        return Math.min(MOST_REQUESTS, (mebibytes << 20) / size);
    }

    private double inC(Path answer, String way, Path file, long size) throws IOException, InterruptedException {
        Figures line = ended(
                List.of(answer.toString(), way, file.toString(), Long.toString(size), Long.toString(requests(size))));
        return line.get("cpuSeconds") * 1e6 / line.get("requests");
    }

    /// Each answer is one batch of about this size, from a topic that was just filled.
    private double byBroker(Path load, Peer peer, long size) throws IOException, InterruptedException {
        String topic = "of-" + size;
        String port = Integer.toString(peer.server().port());
        List<String> options = List.of(
                "batch=" + size,
                "record=" + Math.min(RECORD_BYTES, size - BATCH_HEAD_BYTES),
                "requests=" + requests(size));
        peer.create(topic, 1);
        try {
            ended(join(List.of(load.toString(), "produce", port, topic), options));
            Tools.run(List.of("sync"));
            long before = peer.server().cpuNs();
            Figures line = ended(join(
                    join(List.of(load.toString(), "fetch", port, topic), options),
                    List.of("max=" + size, "connections=8")));
            return (peer.server().cpuNs() - before) / 1e3 / line.get("requests");
        } finally {
            peer.delete(topic);
        }
    }

    private static List<String> join(List<String> first, List<String> second) {
        List<String> both = new ArrayList<>(first);
        both.addAll(second);
        return both;
    }

    private static Figures ended(List<String> command) throws IOException, InterruptedException {
        Tools.Ended ended = Tools.run(command);
        if (ended.exitCode() != 0) {
            throw new IOException(String.join(" ", command) + ": " + ended.output());
        }
        return Figures.parse(ended.output());
    }
}
