package dev.sluice.systemtest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/// Apache Kafka's own tools, as processes.
final class KafkaTools {
    private static final Duration BOUND = Duration.ofMinutes(9);
    private static final List<String> BAD_WORDS =
            List.of("mismatch", "corrupt", "invalid: true", "isvalid: false", "exception", "not found");

    private static final String GAPS_IN = "Non-consecutive offsets in ";

    private KafkaTools() {}

    /// ProducerPerformance, unthrottled, acks=all and idempotent.
    ///
    /// @return its last line
    static String producerPerformance(String bootstrap, String topic, long records, int recordBytes) {
        Processes.Ended ended = Processes.run(
                        BOUND,
                        Processes.java(
                                "org.apache.kafka.tools.ProducerPerformance",
                                List.of(
                                        "--topic",
                                        topic,
                                        "--num-records",
                                        Long.toString(records),
                                        "--record-size",
                                        Integer.toString(recordBytes),
                                        "--throughput",
                                        "-1",
                                        "--command-property",
                                        "bootstrap.servers=" + bootstrap,
                                        "acks=all",
                                        "enable.idempotence=true")))
                .orThrow("ProducerPerformance");
        String last = ended.output().strip().lines().reduce("", (_, line) -> line);
        CampaignFailure.require(
                last.startsWith(records + " records sent"), "ProducerPerformance did not send all:\n" + ended.output());
        return last;
    }

    /// DumpLogSegments over every segment and index below a folder.
    ///
    /// @return how many files it accepted
    static int dumpLog(Path dataDir) throws IOException {
        List<Path> logs = withSuffix(dataDir, ".log");
        List<Path> indexes = Stream.concat(
                        withSuffix(dataDir, ".index").stream(), withSuffix(dataDir, ".timeindex").stream())
                .toList();
        if (!logs.isEmpty()) {
            dump(List.of("--deep-iteration", "--skip-record-metadata", "--files"), logs);
        }
        if (!indexes.isEmpty()) {
            dump(List.of("--index-sanity-check", "--files"), indexes);
            dump(List.of("--verify-index-only", "--files"), indexes);
        }
        return logs.size() + indexes.size();
    }

    private static void dump(List<String> options, List<Path> files) {
        String list = String.join(",", files.stream().map(Path::toString).toList());
        Processes.Ended ended = Processes.run(
                        BOUND,
                        Processes.java(
                                "org.apache.kafka.tools.DumpLogSegments",
                                Stream.concat(options.stream(), Stream.of(list)).toList()))
                .orThrow("DumpLogSegments");
        String segment = "";
        for (String line : ended.output().lines().toList()) {
            String lower = line.toLowerCase(Locale.ROOT);
            if (line.startsWith(GAPS_IN)) {
                segment = line.substring(line.lastIndexOf('/') + 1);
                continue;
            }
            if (line.contains(" is followed by ")) {
                // 4.3.1 takes the offset before a file's first record for -1, so it reports every segment but the
                // first, Kafka's own too. Only that one report of a segment is let through.
                String harmless = "-1 is followed by " + Long.parseLong(segment.replace(".log", ""));
                CampaignFailure.require(line.strip().equals(harmless), "DumpLogSegments: " + segment + ": " + line);
                continue;
            }
            for (String bad : BAD_WORDS) {
                CampaignFailure.require(!lower.contains(bad), "DumpLogSegments: " + line);
            }
        }
    }

    private static List<Path> withSuffix(Path folder, String suffix) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.toString().endsWith(suffix))
                    .sorted()
                    .toList();
        }
    }
}
