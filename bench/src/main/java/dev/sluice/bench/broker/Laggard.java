package dev.sluice.bench.broker;

import dev.sluice.bench.tools.Tools;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// A consumer that reads, as fast as it is served, a topic that is not in the page cache; from the beginning again,
/// with the topic out of the page cache again, as long as it is let. And a topic that lies there in the page cache, for
/// others who might read it, to see how much of it the laggard drives out.
final class Laggard {
    private static final int BATCH_BYTES = 1_000_000;
    private static final long COLD_FACTOR = 4;
    private static final long LOOK_MS = 20;

    private final Path load;
    private final Subject subject;
    private final Peer peer;
    private final long hotMib;
    private final String hot;
    private final String cold;
    private final Kernel kernel = new Kernel();

    /// Makes both topics; they stay for all runs.
    ///
    /// @param hotMib what lies in the page cache; the other is four times as long
    Laggard(Path load, Subject subject, Peer peer, long hotMib) throws IOException, InterruptedException {
        this.load = load;
        this.subject = subject;
        this.peer = peer;
        this.hotMib = hotMib;
        this.hot = "hot-" + subject.label;
        this.cold = "cold-" + subject.label;
        peer.create(cold, 1);
        Comparison.ended(program("produce", cold, COLD_FACTOR * hotMib));
        peer.create(hot, 1);
        Comparison.ended(program("produce", hot, hotMib));
    }

    /// Measures while nobody else reads, and while the laggard does.
    ///
    /// @param alone  a run of some seconds
    /// @param beside the same, another time: for so long the laggard reads
    Run measure(Callable<Run> alone, Callable<Run> beside) throws IOException, InterruptedException {
        try (ExecutorService other = Executors.newSingleThreadExecutor()) {
            Run undisturbed = alone.call();
            Comparison.ended(program("fetch", hot, hotMib)); // what an earlier run has driven out is there again
            double hotBefore = residentShare(hot);
            Future<Run> disturbed = other.submit(beside);
            double readMib = 0;
            while (!disturbed.isDone()) {
                readMib += readUntil(disturbed);
            }
            return disturbed
                    .get()
                    .with(Map.of(
                            "aloneP50Ms",
                            undisturbed.field("p50Ms"),
                            "aloneP99Ms",
                            undisturbed.field("p99Ms"),
                            "laggardMib",
                            readMib,
                            "hotBefore",
                            hotBefore,
                            "hotAfter",
                            residentShare(hot)));
        } catch (IOException | InterruptedException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException(e);
        }
    }

    /// Reads the topic once, or until the other has ended.
    ///
    /// @return MiB
    private double readUntil(Future<?> other) throws IOException, InterruptedException {
        for (Path file : segments(cold)) {
            Tools.run(List.of("dd", "if=" + file, "iflag=nocache", "count=0", "status=none")); // out of the page cache
        }
        Path output = Files.createTempFile("sluice-bench", ".out");
        try {
            Process reading = new ProcessBuilder(program("fetch", cold, COLD_FACTOR * hotMib))
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            while (!reading.waitFor(LOOK_MS, TimeUnit.MILLISECONDS)) {
                if (other.isDone()) {
                    reading.destroy(); // it prints what it has read, and ends
                    reading.waitFor();
                }
            }
            return Figures.parse(Files.readString(output)).get("payloadBytes") / (1 << 20);
        } finally {
            Files.delete(output);
        }
    }

    private List<String> program(String kind, String topic, long mib) {
        return List.of(
                load.toString(),
                kind,
                Integer.toString(peer.server().port()),
                topic,
                "protocol=" + subject.protocol,
                "batch=" + BATCH_BYTES,
                "mib=" + mib);
    }

    private List<Path> segments(String topic) throws IOException {
        try (Stream<Path> files =
                Files.list(peer.server().folder().resolve("data").resolve(topic + "-0"))) {
            return files.filter(file -> file.toString().endsWith(".log")).toList();
        }
    }

    /// How much of a topic is in the page cache, 0 to 1.
    private double residentShare(String topic) throws IOException {
        long resident = 0;
        long size = 0;
        for (Path file : segments(topic)) {
            try (Descriptor open =
                    kernel.files().open(file, 0, 0, kernel.account()).orThrow()) {
                long length = Files.size(file);
                size += length;
                resident += kernel.pageCache().residentBytes(open, 0, length);
            }
        }
        return (double) resident / size;
    }
}
