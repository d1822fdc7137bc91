package dev.sluice.bench.transfer;

import dev.sluice.bench.tools.Tools;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// `bin/bench transfer`. See bench/README.md for what it measures and its options.
final class TransferBench {
    private static final String USAGE = """
            bin/bench transfer [OPTIONS]
              --strace        system calls: the account beside strace -c (package strace)
              --perf          share of processor samples in kernel copy functions, beside the derived copies (package linux-perf)
              --mib N         length of the file that is sent (1024)
              --chunk N       bytes a call; may be given again (65536 and 1048576)
              --rounds N      measured rounds, each a run of every way (9)
              --warmups N     rounds before them (3)
              --file FILE     the file; made if it isn't there or has another length (target/bench/transfer.data)
              --json OUT      results as JSON too
              --lock FILE     hold this file as flock(1) does while a round is measured
            """;

    private Path file = Path.of("target", "bench", "transfer.data");
    private final List<Integer> chunks = new ArrayList<>();
    private long mebibytes = 1024;
    private int rounds = 9;
    private int warmups = 3;
    private String lock = "";
    private String json = "";
    private String mode = "";

    /// Exits with 1 when calls disagree or something failed, and with 2 when the arguments are wrong.
    ///
    /// @param arguments the folder of the C sources, the folder for programs, then the user's
    static void main(String[] arguments) throws InterruptedException {
        if (List.of(arguments).contains("--help")) {
            System.out.print(USAGE);
            return;
        }
        TransferBench bench = new TransferBench();
        try {
            bench.parse(List.of(arguments).subList(2, arguments.length));
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage());
            System.err.print(USAGE);
            System.exit(2);
        }
        try {
            System.exit(bench.run(Path.of(arguments[0]), Path.of(arguments[1])) ? 0 : 1);
        } catch (IOException e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
    }

    private void parse(List<String> arguments) {
        for (int i = 0; i < arguments.size(); i++) {
            String option = arguments.get(i);
            if (option.equals("--strace") || option.equals("--perf")) {
                mode = option;
                continue;
            }
            if (i + 1 == arguments.size()) {
                throw new IllegalArgumentException("Unknown, or without its value: " + option);
            }
            String value = arguments.get(++i);
            switch (option) {
                case "--mib" -> mebibytes = atLeastOne(option, value);
                case "--chunk" -> chunks.add(atLeastOne(option, value));
                case "--rounds" -> rounds = atLeastOne(option, value);
                case "--warmups" -> warmups = atLeastOne(option, value);
                case "--file" -> file = Path.of(value);
                case "--json" -> json = value;
                case "--lock" -> lock = value;
                default -> throw new IllegalArgumentException("Unknown option " + option);
            }
        }
        if (mebibytes > 2047) {
            throw new IllegalArgumentException("--mib at most 2047: the JDK maps no more in one buffer");
        }
        if (chunks.isEmpty()) {
            chunks.addAll(List.of(64 << 10, 1 << 20));
        }
    }

    private static int atLeastOne(String option, String value) {
        try {
            int number = Integer.parseInt(value);
            if (number >= 1) {
                return number;
            }
        } catch (NumberFormatException e) {
            // the same message
        }
        throw new IllegalArgumentException(option + " wants a number from 1 to 2147483647, not " + value);
    }

    /// @return false when something that must agree doesn't
    private boolean run(Path sources, Path target) throws IOException, InterruptedException {
        require("--strace", "strace", "strace");
        require("--perf", "perf", "linux-perf");
        Programs programs = Programs.compile(sources, target);
        Sample sample = Sample.at(file, mebibytes << 20);
        String circumstances = Report.circumstances(sample);
        System.out.println(circumstances + "\n");
        return switch (mode) {
            case "--strace" -> checkCalls(programs, sample, circumstances);
            case "--perf" -> profile(programs, sample, circumstances);
            default -> compare(programs, sample, circumstances);
        };
    }

    private void require(String wantedBy, String program, String debianPackage) throws IOException {
        if (mode.equals(wantedBy) && !Tools.isInstalled(program)) {
            throw new IOException(program + " is not installed, and " + wantedBy + " needs it (Debian: apt install "
                    + debianPackage + ")");
        }
    }

    private boolean compare(Programs programs, Sample sample, String circumstances) throws IOException {
        List<Comparison.Result> results = new ArrayList<>();
        try (Bench bench = new Bench(programs, sample)) {
            for (int chunkBytes : chunks) {
                Comparison.Result result = new Comparison(bench, lock).measure(chunkBytes, warmups, rounds);
                System.out.println(Report.comparison(result));
                results.add(result);
            }
        }
        save(Report.json(circumstances, results));
        return true;
    }

    private boolean checkCalls(Programs programs, Sample sample, String circumstances)
            throws IOException, InterruptedException {
        System.out.println(
                "| way | chunk | call | counted by the account | by strace | of those the harness's | agree |");
        System.out.println("|---|---|---|---|---|---|---|");
        CallCheck check = new CallCheck(programs, sample);
        List<String> rows = new ArrayList<>();
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
        save(Report.document(circumstances, rows));
        return agree;
    }

    private boolean profile(Programs programs, Sample sample, String circumstances)
            throws IOException, InterruptedException {
        System.out.println(
                "| way | chunk | samples | in kernel copy functions | CPU copies a byte, derived | most samples in |");
        System.out.println("|---|---|---|---|---|---|");
        List<String> rows = new ArrayList<>();
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
        save(Report.document(circumstances, rows));
        return true;
    }

    private void save(String document) throws IOException {
        if (!json.isEmpty()) {
            Files.writeString(Path.of(json), document);
        }
    }
}
