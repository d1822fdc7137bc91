package dev.sluice.systemtest;

import dev.sluice.systemtest.CrashCase.Crash;
import dev.sluice.testkit.Anomaly;
import dev.sluice.testkit.Anomaly.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/// kill -9 and power cuts of a broker under eight producers and a reader, again and again, over ext4 and xfs and each
/// flush policy. Ends with a table; the first line of trouble is told when it is seen.
final class CrashCampaign {
    private static final List<String> FILE_SYSTEMS = List.of("ext4", "xfs");
    private static final List<String> POLICIES = List.of("os", "interval", "ack");
    private static final List<String> OTHER_ENGINES = List.of("mapped", "direct");
    private static final int CONTROL_CYCLES = 5;

    private CrashCampaign() {}

    /// Arguments: the repository's root, kills in all, power cuts in all, a file for JSON; then what to run if not
    /// all: words that a case's name contains, such as `xfs` or `ack`.
    static void main(String[] args) throws Exception {
        if (args.length < 4) {
            System.err.println("usage: CrashCampaign HOME KILLS CUTS JSON [WORD]...");
            System.exit(2);
        }
        boolean root = "root".equals(System.getProperty("user.name"));
        List<CrashCase> cases = cases(root).stream()
                .filter(each -> List.of(args).subList(4, args.length).stream().allMatch(each.toString()::contains))
                .toList();
        if (cases.isEmpty()) {
            throw CampaignFailure.usage("no case has all of these words in its name; there are "
                    + cases(root).stream().map(CrashCase::toString).collect(Collectors.joining("; ")));
        }
        if (!root) {
            System.out.println("not root: no file systems can be mounted, so there are kills in a plain folder alone");
        }
        List<CrashRun.Result> results = run(
                Path.of(args[0]),
                cases,
                Integer.parseInt(args[1]),
                Integer.parseInt(args[2]),
                CONTROL_CYCLES,
                System.nanoTime());
        sum(results).forEach(System.out::println);
        Files.writeString(Path.of(args[3]), json(results));
        System.out.println("as JSON: " + args[3]);
        System.exit(results.stream().allMatch(each -> each.failures().isEmpty()) ? 0 : 1);
    }

    /// @param root whether file systems can be mounted
    static List<CrashCase> cases(boolean root) {
        List<CrashCase> cases = new ArrayList<>();
        for (String policy : POLICIES) {
            if (!root) {
                cases.add(new CrashCase(Crash.KILL, CrashCase.FOLDER, policy, false));
                continue;
            }
            for (String fileSystem : FILE_SYSTEMS) {
                cases.add(new CrashCase(Crash.KILL, fileSystem, policy, false));
                cases.add(new CrashCase(Crash.POWER_CUT, fileSystem, policy, false));
                if (!policy.equals("interval")) { // which adds nothing to the two others
                    for (String engine : OTHER_ENGINES) {
                        cases.add(new CrashCase(Crash.KILL, fileSystem, policy, false, engine));
                        cases.add(new CrashCase(Crash.POWER_CUT, fileSystem, policy, false, engine));
                    }
                }
            }
        }
        if (root) {
            FILE_SYSTEMS.forEach(each -> cases.add(new CrashCase(Crash.POWER_CUT, each, "ack", true)));
        }
        return cases;
    }

    /// Runs the cases one after the other, the cycles spread evenly over them.
    static List<CrashRun.Result> run(
            Path home, List<CrashCase> cases, int kills, int cuts, int controlCycles, long seed)
            throws IOException, InterruptedException {
        long killCases =
                cases.stream().filter(each -> each.crash() == Crash.KILL).count();
        long cutCases = cases.stream()
                .filter(each -> each.crash() == Crash.POWER_CUT && !each.lying())
                .count();
        Path parent = Files.createTempDirectory(
                Files.isWritable(Path.of("/dev/shm")) ? Path.of("/dev/shm") : Path.of("/var/tmp"), "sluice-crash");
        List<CrashRun.Result> results = new ArrayList<>();
        System.out.println(heading());
        try {
            long number = 0;
            for (CrashCase each : cases) {
                int cycles = each.lying()
                        ? controlCycles
                        : Math.toIntExact(
                                each.crash() == Crash.KILL
                                        ? (kills + killCases - 1) / killCases
                                        : (cuts + cutCases - 1) / cutCases);
                CrashRun.Result result = CrashRun.run(home, parent, each, cycles, seed + number++);
                results.add(result);
                System.out.println(line(result));
                result.failures().forEach(failure -> System.out.println("    " + failure));
            }
        } finally {
            Files.delete(parent);
        }
        return results;
    }

    private static String heading() {
        return String.format(
                Locale.ROOT,
                "%-9s %-6s %-10s %7s %5s %5s %12s %7s %10s %9s %5s %7s %5s %12s %14s",
                "crash",
                "on",
                "policy",
                "cycles",
                "zeros",
                "cut",
                "acknowledged",
                "lost",
                "duplicated",
                "reordered",
                "torn",
                "reused",
                "stale",
                "oldest lost",
                "start p50/max");
    }

    private static String line(CrashRun.Result result) {
        CrashCase of = result.of();
        Map<Kind, Long> counts = result.anomalies();
        return String.format(
                Locale.ROOT,
                "%-9s %-6s %-10s %7d %5d %5d %12d %7d %10d %9d %5d %7d %5d %9d ms %6d/%d ms%s",
                of.crash(),
                of.fileSystem(),
                of.policyAndEngine(),
                result.cycles(),
                result.endedInZeros(),
                result.cut(),
                result.acknowledged(),
                counts.get(Kind.LOST),
                counts.get(Kind.DUPLICATED),
                counts.get(Kind.REORDERED),
                counts.get(Kind.TORN),
                counts.get(Kind.REUSED_OFFSET),
                counts.get(Kind.STALE),
                result.oldestLostMs(),
                result.recoveryP50Ms(),
                result.recoveryMaxMs(),
                of.lying()
                        ? "  the control, without fsync: " + (result.failures().isEmpty() ? "caught" : "NOT CAUGHT")
                        : result.failures().isEmpty() ? "" : "  FAILED (seed " + result.seed() + ")");
    }

    /// What all of it comes to, the controls left out.
    private static List<String> sum(List<CrashRun.Result> results) {
        List<String> lines = new ArrayList<>();
        for (Crash crash : Crash.values()) {
            List<CrashRun.Result> of = results.stream()
                    .filter(each -> each.of().crash() == crash && !each.of().lying())
                    .toList();
            List<Long> startNs = of.stream()
                    .flatMap(each -> each.recoveryNs().stream())
                    .sorted()
                    .toList();
            if (startNs.isEmpty()) {
                continue;
            }
            lines.add(String.format(
                    Locale.ROOT,
                    "%d × %s, after %d a log ended in zeros, after %d something was cut off: %d acknowledged; lost where none may be %d, lost within what the policy allows %d; duplicated %d,"
                            + " reordered %d, torn %d, reused %d, stale %d; from the command to serving again: median %.2f s,"
                            + " 99 %% within %.2f s, at most %.2f s",
                    startNs.size(),
                    crash,
                    of.stream().mapToInt(CrashRun.Result::endedInZeros).sum(),
                    of.stream().mapToInt(CrashRun.Result::cut).sum(),
                    of.stream().mapToLong(CrashRun.Result::acknowledged).sum(),
                    count(of.stream().filter(each -> !each.of().mayLose()).toList(), Kind.LOST),
                    count(of.stream().filter(each -> each.of().mayLose()).toList(), Kind.LOST),
                    count(of, Kind.DUPLICATED),
                    count(of, Kind.REORDERED),
                    count(of, Kind.TORN),
                    count(of, Kind.REUSED_OFFSET),
                    count(of, Kind.STALE),
                    startNs.get(startNs.size() / 2) / 1e9,
                    startNs.get(Math.min(startNs.size() - 1, startNs.size() * 99 / 100)) / 1e9,
                    startNs.getLast() / 1e9));
        }
        return lines;
    }

    private static long count(List<CrashRun.Result> results, Kind kind) {
        return results.stream().mapToLong(each -> each.anomalies().get(kind)).sum();
    }

    private static String json(List<CrashRun.Result> results) {
        StringBuilder out = new StringBuilder("[");
        for (CrashRun.Result result : results) {
            out.append(out.length() == 1 ? "\n" : ",\n")
                    .append(String.format(
                            Locale.ROOT,
                            "{\"crash\":\"%s\",\"on\":\"%s\",\"policy\":\"%s\",\"engine\":\"%s\",\"control\":%b,\"cycles\":%d,"
                                    + "\"ended_in_zeros\":%d,\"cut\":%d,\"acknowledged\":%d",
                            result.of().crash(),
                            result.of().fileSystem(),
                            result.of().policy(),
                            result.of().engine(),
                            result.of().lying(),
                            result.cycles(),
                            result.endedInZeros(),
                            result.cut(),
                            result.acknowledged()));
            for (Map.Entry<Anomaly.Kind, Long> each : result.anomalies().entrySet()) {
                out.append(",\"")
                        .append(each.getKey().name().toLowerCase(Locale.ROOT))
                        .append("\":")
                        .append(each.getValue());
            }
            out.append(String.format(
                    Locale.ROOT,
                    ",\"oldest_lost_ms\":%d,\"recovery_p50_ms\":%d,\"recovery_max_ms\":%d,\"seed\":%d,\"failures\":%d}",
                    result.oldestLostMs(),
                    result.recoveryP50Ms(),
                    result.recoveryMaxMs(),
                    result.seed(),
                    result.failures().size()));
        }
        return out.append("\n]\n").toString();
    }
}
