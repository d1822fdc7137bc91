package dev.sluice.bench.shared;

import dev.sluice.bench.tools.KernelCopies;
import dev.sluice.bench.tools.Tools;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/// `perf record` on both processes while messages stream: how much of their time the kernel's copy functions take.
/// Sampled by cpu-clock, a timer, which works where there are no hardware counters.
final class Profile implements AutoCloseable {
    private final Path data;
    private final Process perf;

    private Profile(Path data, Process perf) {
        this.data = data;
        this.perf = perf;
    }

    static Profile begin(long pid, long peersPid) throws IOException {
        Path data = Files.createTempFile("sluice-bench", ".perf");
        String pids = pid + "," + peersPid;
        Process perf = new ProcessBuilder(List.of(
                        "perf", "record", "-q", "-e", "cpu-clock", "-F", "1999", "-p", pids, "-o", data.toString()))
                .inheritIO()
                .start();
        return new Profile(data, perf);
    }

    /// Ends the recording.
    ///
    /// @return a row of the table
    String end(Way way, int messageBytes) throws IOException, InterruptedException {
        perf.destroy(); // SIGTERM: it writes what it has
        perf.waitFor();
        Tools.Ended script = Tools.run(List.of("perf", "script", "-i", data.toString(), "-F", "ip,sym"));
        if (script.exitCode() != 0) {
            throw new IOException("perf script failed:\n" + script.output());
        }
        long samples = 0;
        long copying = 0;
        for (String line : script.output().split("\n")) {
            String[] words = line.strip().split(" +", 2);
            if (words.length == 2) {
                samples++;
                copying += KernelCopies.isCopy(words[1]) ? 1 : 0;
            }
        }
        return String.format(
                Locale.ROOT,
                "| %d | %s | %d | %.1f%% |",
                messageBytes,
                way.title,
                samples,
                samples == 0 ? 0 : 100.0 * copying / samples);
    }

    @Override
    public void close() throws IOException {
        perf.destroy();
        Files.deleteIfExists(data);
    }
}
