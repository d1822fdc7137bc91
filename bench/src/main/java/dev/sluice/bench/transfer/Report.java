package dev.sluice.bench.transfer;

import dev.sluice.bench.tools.Ratios;
import java.io.IOException;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Results as Markdown tables and as JSON.
final class Report {
    private Report() {}

    /// Where and on what it was measured: stands above every table.
    static String circumstances(Sample sample) throws IOException {
        String cpu = Sample.proc("cpuinfo")
                .lines()
                .filter(line -> line.startsWith("model name"))
                .findFirst()
                .map(line -> line.substring(line.indexOf(':') + 2))
                .orElse(System.getProperty("os.arch"));
        return LocalDate.now(ZoneOffset.UTC) + ", " + Runtime.getRuntime().availableProcessors() + " × " + cpu
                + ", Linux "
                + System.getProperty("os.version") + ", JDK " + System.getProperty("java.version") + ", over loopback, "
                + sample.bytes() + " bytes on " + sample.fileSystem() + ", in the page cache; load average "
                + Sample.proc("loadavg").split(" ")[0];
    }

    static String comparison(Comparison.Result result) {
        StringBuilder table = new StringBuilder(
                String.format(Locale.ROOT, """
                Chunks of %d bytes, %d rounds, %d of them with the lock held. Processor time of the sender in s/GiB: least / **median** / most.

                | way | process | sending thread | whole machine | GB/s | process ÷ C's: median (95%%; pairs' range) |
                |---|---|---|---|---|---|
                """, result.chunkBytes(), result.rounds(), result.roundsAlone()));
        for (Subject subject : Subject.values()) {
            if (result.unavailable().containsKey(subject)) {
                table.append("| ")
                        .append(subject.label)
                        .append(" | unavailable: ")
                        .append(result.unavailable().get(subject))
                        .append(" |||||\n");
                continue;
            }
            table.append(String.format(
                    Locale.ROOT,
                    "| %s | %s | %s | %s | %.2f | %s |%n",
                    subject.label,
                    spread(result.processSecondsPerGib(subject)),
                    isNetty(subject) ? "its event loop's" : spread(result.threadSecondsPerGib(subject)),
                    spread(result.machineSecondsPerGib(subject)),
                    Ratios.median(result.figures(subject).stream()
                            .mapToDouble(run ->
                                    (double) run.sent().bytes() / run.sent().wallNs())
                            .toArray()),
                    result.ratio(subject).map(Ratios::toString).orElse("")));
        }
        return table.toString();
    }

    private static boolean isNetty(Subject subject) {
        return subject == Subject.NETTY_EPOLL || subject == Subject.NETTY_IO_URING;
    }

    private static String spread(double[] figures) {
        return String.format(
                Locale.ROOT,
                "%.3f / **%.3f** / %.3f",
                Arrays.stream(figures).min().orElse(0),
                Ratios.median(figures),
                Arrays.stream(figures).max().orElse(0));
    }

    static List<Map<String, Object>> rows(List<Comparison.Result> results) {
        List<Map<String, Object>> rows = new ArrayList<>();
        for (Comparison.Result result : results) {
            for (Subject subject : Subject.values()) {
                Map<String, Object> row = new LinkedHashMap<>();
                row.put("chunkBytes", result.chunkBytes());
                row.put("way", subject.label);
                if (result.unavailable().containsKey(subject)) {
                    row.put("unavailable", result.unavailable().get(subject));
                } else {
                    row.put("processSecondsPerGib", result.processSecondsPerGib(subject));
                    row.put("threadSecondsPerGib", result.threadSecondsPerGib(subject));
                    row.put("machineSecondsPerGib", result.machineSecondsPerGib(subject));
                    result.ratio(subject).ifPresent(ratio -> {
                        row.put("ratioMedian", ratio.median());
                        row.put("ratioInterval", new double[] {ratio.low(), ratio.high()});
                        row.put("ratioRange", new double[] {ratio.least(), ratio.most()});
                    });
                }
                rows.add(row);
            }
        }
        return rows;
    }

    static String calls(Subject subject, int chunkBytes, List<CallCheck.Line> lines) {
        StringBuilder table = new StringBuilder();
        for (CallCheck.Line line : lines) {
            table.append(String.format(
                    Locale.ROOT,
                    "| %s | %d | %s | %d | %d | %d | %s |%n",
                    subject.label,
                    chunkBytes,
                    line.call(),
                    line.counted(),
                    line.traced(),
                    line.ofHarness(),
                    line.agrees() ? "yes" : "NO"));
        }
        return table.toString();
    }

    static Map<String, Object> callRow(Subject subject, int chunkBytes, CallCheck.Line line) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("way", subject.label);
        row.put("chunkBytes", chunkBytes);
        row.put("call", line.call());
        row.put("counted", line.counted());
        row.put("traced", line.traced());
        row.put("ofHarness", line.ofHarness());
        row.put("agrees", line.agrees());
        return row;
    }

    static String profile(Profile profile) {
        StringBuilder top = new StringBuilder();
        profile.byFunction().stream()
                .limit(4)
                .forEach(line -> top.append(top.isEmpty() ? "" : ", ")
                        .append(line.function())
                        .append(String.format(Locale.ROOT, " %.0f%%", 100.0 * line.samples() / profile.samples())));
        return String.format(
                Locale.ROOT,
                "| %s | %d | %d | %.0f%% | %s | %s |%n",
                profile.subject().label,
                profile.chunkBytes(),
                profile.samples(),
                profile.copyShare() * 100,
                profile.cpuCopies() < 0 ? "" : String.format(Locale.ROOT, "%.2f", profile.cpuCopies()),
                top);
    }

    static Map<String, Object> profileRow(Profile profile) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("way", profile.subject().label);
        row.put("chunkBytes", profile.chunkBytes());
        row.put("samples", profile.samples());
        row.put("copyShare", profile.copyShare());
        row.put("derivedCpuCopiesPerByte", profile.cpuCopies());
        Map<String, Object> functions = new LinkedHashMap<>();
        profile.byFunction().stream().limit(20).forEach(line -> functions.put(line.function(), line.samples()));
        row.put("samplesByFunction", functions);
        return row;
    }
}
