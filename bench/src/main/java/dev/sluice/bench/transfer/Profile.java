package dev.sluice.bench.transfer;

import dev.sluice.bench.tools.KernelCopies;
import dev.sluice.bench.tools.Tools;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Where a sender's processor time goes: `perf record` over the program, samples of the thread that sends. Sampled by
/// cpu-clock, which is a timer and works where there are no hardware counters; it can't fire while interrupts are off,
/// so time in such sections goes to their end.
///
/// The receiver is another process and discards in the kernel, so no copy of its is in the samples.
///
/// @param samples    of the sending thread, after its warm-up
/// @param copying    of those, in kernel functions that copy bytes
/// @param cpuCopies  copies of each byte that the account derives; -1 when there is no account
/// @param byFunction samples by function, most first
record Profile(Subject subject, int chunkBytes, long samples, long copying, double cpuCopies, List<Line> byFunction) {
    record Line(String function, long samples) {}

    double copyShare() {
        return samples == 0 ? 0 : (double) copying / samples;
    }

    /// Transfers before those whose samples count: enough for the JVM's compiler.
    private static final int WARMUPS = 3;

    /// Profiles a sender that transfers so many times, after a warm-up. Samples carry CLOCK_MONOTONIC, which is
    /// what System.nanoTime() reads on Linux; so the warm-up's can be left out.
    static Profile of(
            Programs programs, Sample sample, Subject subject, int chunkBytes, int transfers, Receiver discarding)
            throws IOException, InterruptedException {
        Path data = Files.createTempFile("sluice-bench", ".perf");
        List<String> command = new ArrayList<>(List.of(
                "perf",
                "record",
                "-q",
                "-e",
                "cpu-clock",
                "-F",
                "1999",
                "-k",
                "CLOCK_MONOTONIC",
                "-o",
                data.toString(),
                "--"));
        command.addAll(programs.command(subject.program, sample.path()));
        double cpuCopies = -1;
        long fromNs = 0;
        try {
            try (Child child = new Child(command)) {
                for (int i = -WARMUPS; i < transfers; i++) {
                    if (i == 0) {
                        fromNs = System.nanoTime();
                    }
                    child.tell(subject.way + " " + chunkBytes + " " + discarding.port());
                    cpuCopies = Sent.parse(child.answer()).cpuCopies();
                    discarding.received();
                }
                child.finish();
            }
            Tools.Ended script = Tools.run(List.of(
                    "perf", "script", "-i", data.toString(), "-F", "comm,time,ip,sym", "--ns", "--comms", "sender"));
            if (script.exitCode() != 0) {
                throw new IOException("perf script failed:\n" + script.output());
            }
            return parse(subject, chunkBytes, cpuCopies, fromNs, script.output());
        } finally {
            Files.delete(data);
        }
    }

    /// @param fromNs samples before it are left out
    /// @param script lines "sender  12345.678901234:  ffffffff81234567 function"
    static Profile parse(Subject subject, int chunkBytes, double cpuCopies, long fromNs, String script) {
        Map<String, Long> functions = new HashMap<>();
        long samples = 0;
        long copying = 0;
        for (String line : script.split("\n")) {
            String[] words = line.strip().split(" +", 4);
            if (words.length < 4 || !words[0].equals("sender") || timeNs(words[1]) < fromNs) {
                continue;
            }
            samples++;
            if (KernelCopies.isCopy(words[3])) {
                copying++;
            }
            functions.merge(words[3], 1L, Long::sum);
        }
        List<Line> lines = functions.entrySet().stream()
                .map(entry -> new Line(entry.getKey(), entry.getValue()))
                .sorted(Comparator.comparingLong(Line::samples).reversed().thenComparing(Line::function))
                .toList();
        return new Profile(subject, chunkBytes, samples, copying, cpuCopies, lines);
    }

    /// @param seconds as perf prints it: "12345.678901234:"
    private static long timeNs(String seconds) {
        int point = seconds.indexOf('.');
        return Long.parseLong(seconds.substring(0, point)) * 1_000_000_000
                + Long.parseLong(seconds.substring(point + 1, seconds.length() - 1));
    }
}
