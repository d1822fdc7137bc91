package dev.sluice.bench.transfer;

import dev.sluice.bench.tools.Json;
import dev.sluice.bench.tools.Options;
import dev.sluice.bench.tools.Tools;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// `bin/bench transfer`. See bench/README.md for what it measures and its options.
final class TransferBench {
    private Path file = Path.of("target", "bench", "transfer.data");
    private final List<Integer> chunks = new ArrayList<>();
    private long mebibytes = 1024;
    private int rounds = 9;
    private int warmups = 3;
    private String lock = "";
    private @Nullable Path json;
    private String mode = "";

    /// @param arguments the folder of the C sources, the folder for programs, then the user's
    static void main(String[] arguments) {
        TransferBench bench = new TransferBench();
        bench.options().run(arguments, bench::run);
    }

    private Options options() {
        return new Options("transfer", "Sending a file by each method, beside C programs, the JDK's ways and Netty's.")
                .flag(
                        "--strace",
                        "system calls: the account beside strace -c (package strace); fails when a count disagrees",
                        () -> mode = "--strace")
                .flag(
                        "--perf",
                        "share of processor samples in kernel copy functions, beside the derived copies (package"
                                + " linux-perf)",
                        () -> mode = "--perf")
                .number("--mib", 1, "length of the file that is sent, at most 2047 (1024)", this::length)
                .text(
                        "--chunk",
                        "N",
                        "bytes a call; may be given again (65536 and 1048576)",
                        value -> chunks.add(Options.number("--chunk", 1, value)))
                .number("--rounds", 1, "measured rounds, each a run of every way (9)", value -> rounds = value)
                .number("--warmups", 1, "rounds before them (3)", value -> warmups = value)
                .path(
                        "--file",
                        "FILE",
                        "the file; made if it isn't there or has another length (target/bench/transfer.data)",
                        value -> file = value)
                .path("--json", "OUT", "results as JSON too", value -> json = value)
                .text(
                        "--lock",
                        "FILE",
                        "hold this file as flock(1) does while a round is measured",
                        value -> lock = value);
    }

    private void length(int value) {
        if (value > 2047) {
            throw new IllegalArgumentException("--mib at most 2047: the JDK maps no more in one buffer");
        }
        mebibytes = value;
    }

    private void run(Path sources, Path target) throws IOException, InterruptedException {
        if (chunks.isEmpty()) {
            chunks.addAll(List.of(64 << 10, 1 << 20));
        }
        require("--strace", "strace", "strace");
        require("--perf", "perf", "linux-perf");
        Programs programs = Programs.compile(sources, target);
        Sample sample = Sample.at(file, mebibytes << 20);
        String circumstances = Report.circumstances(sample);
        System.out.println(circumstances + "\n");
        switch (mode) {
            case "--strace" -> checkCalls(programs, sample, circumstances);
            case "--perf" -> profile(programs, sample, circumstances);
            default -> compare(programs, sample, circumstances);
        }
    }

    private void require(String wantedBy, String program, String debianPackage) throws IOException {
        if (mode.equals(wantedBy) && !Tools.isInstalled(program)) {
            throw new IOException(program + " is not installed, and " + wantedBy + " needs it (Debian: apt install "
                    + debianPackage + ")");
        }
    }

    private void compare(Programs programs, Sample sample, String circumstances) throws IOException {
        List<Comparison.Result> results = new ArrayList<>();
        try (Bench bench = new Bench(programs, sample)) {
            for (int chunkBytes : chunks) {
                Comparison.Result result = new Comparison(bench, lock).measure(chunkBytes, warmups, rounds);
                System.out.println(Report.comparison(result));
                results.add(result);
            }
        }
        save(circumstances, Report.rows(results));
    }

    private void checkCalls(Programs programs, Sample sample, String circumstances)
            throws IOException, InterruptedException {
        System.out.println(
                "| way | chunk | call | counted by the account | by strace | of those the harness's | agree |");
        System.out.println("|---|---|---|---|---|---|---|");
        CallCheck check = new CallCheck(programs, sample);
        List<Map<String, Object>> rows = new ArrayList<>();
        boolean agree = true;
        try (Receiver discarding = new Receiver(programs.receiver(), false)) {
            for (Subject subject : Subject.library()) {
                for (int chunkBytes : chunks) {
                    List<CallCheck.Line> lines = check.of(subject, chunkBytes, discarding);
                    System.out.print(Report.calls(subject, chunkBytes, lines));
                    for (CallCheck.Line line : lines) {
                        rows.add(Report.callRow(subject, chunkBytes, line));
                        agree &= line.agrees();
                    }
                }
            }
        }
        save(circumstances, rows);
        if (!agree) {
            throw new IOException("Not all counts agree.");
        }
    }

    private void profile(Programs programs, Sample sample, String circumstances)
            throws IOException, InterruptedException {
        System.out.println(
                "| way | chunk | samples | in kernel copy functions | CPU copies a byte, derived | most samples in |");
        System.out.println("|---|---|---|---|---|---|");
        List<Map<String, Object>> rows = new ArrayList<>();
        try (Receiver discarding = new Receiver(programs.receiver(), false)) {
            for (int chunkBytes : chunks) {
                for (Subject subject : Subject.library()) {
                    for (Subject each : List.of(subject, subject.pair() == null ? subject : subject.pair())) {
                        try (Turn _ = Turn.take(lock)) {
                            Profile profile = Profile.of(programs, sample, each, chunkBytes, rounds, discarding);
                            System.out.print(Report.profile(profile));
                            rows.add(Report.profileRow(profile));
                        }
                    }
                }
            }
        }
        save(circumstances, rows);
    }

    private void save(String circumstances, List<Map<String, Object>> rows) throws IOException {
        if (json != null) {
            Map<String, Object> document = new LinkedHashMap<>();
            document.put("circumstances", circumstances);
            document.put("rows", rows);
            Json.write(json, document);
        }
    }
}
