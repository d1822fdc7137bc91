package dev.sluice.bench.transfer;

import dev.sluice.bench.tools.CpuClock;
import dev.sluice.bench.tools.Ratios;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Every subject in turn, round after round, so that what disturbs the machine disturbs all alike. Each round begins
/// one pair further on, and which of a pair goes first alternates.
final class Comparison {
    /// A transfer, and how busy the whole machine was meanwhile.
    ///
    /// @param machineSecondsPerGib processor time of everything that ran: sender, receiver, and who else was there
    record Run(Sent sent, double machineSecondsPerGib) {}

    /// One chunk size's figures. `runs` has a run a round for each subject that could be measured, in the order of
    /// the rounds.
    ///
    /// @param roundsAlone rounds that were measured with the lock held
    record Result(
            int chunkBytes,
            int rounds,
            int roundsAlone,
            Map<Subject, List<Run>> runs,
            Map<Subject, String> unavailable) {
        double[] processSecondsPerGib(Subject subject) {
            return figures(subject).stream()
                    .mapToDouble(run -> run.sent().processSecondsPerGib())
                    .toArray();
        }

        double[] threadSecondsPerGib(Subject subject) {
            return figures(subject).stream()
                    .mapToDouble(run -> run.sent().threadSecondsPerGib())
                    .toArray();
        }

        double[] machineSecondsPerGib(Subject subject) {
            return figures(subject).stream()
                    .mapToDouble(Run::machineSecondsPerGib)
                    .toArray();
        }

        List<Run> figures(Subject subject) {
            return runs.getOrDefault(subject, List.of());
        }

        /// Ours by the C program's, of process time.
        Optional<Ratios> ratio(Subject subject) {
            Subject pair = subject.pair();
            return pair == null
                    ? Optional.empty()
                    : Optional.of(Ratios.of(processSecondsPerGib(subject), processSecondsPerGib(pair)));
        }
    }

    private final Bench bench;
    private final String lock;

    Comparison(Bench bench, String lock) {
        this.bench = bench;
        this.lock = lock;
    }

    /// Checks the bytes of each subject, warms each up with `warmups` transfers, then measures.
    Result measure(int chunkBytes, int warmups, int rounds) throws IOException {
        Map<Subject, String> unavailable = new EnumMap<>(Subject.class);
        List<List<Subject>> groups = new ArrayList<>();
        try (Turn _ = Turn.take(lock)) {
            for (Subject subject : Subject.values()) {
                bench.check(subject, chunkBytes).ifPresent(why -> unavailable.put(subject, why));
            }
        }
        for (Subject subject : Subject.values()) {
            if (unavailable.containsKey(subject) || isPaired(subject)) {
                continue;
            }
            Subject pair = subject.pair();
            groups.add(pair == null ? List.of(subject) : List.of(subject, pair));
        }
        Map<Subject, List<Run>> runs = new EnumMap<>(Subject.class);
        int alone = 0;
        for (int round = -warmups; round < rounds; round++) {
            try (Turn turn = Turn.take(lock)) {
                alone += round >= 0 && turn.isHeld() ? 1 : 0;
                for (int i = 0; i < groups.size(); i++) {
                    List<Subject> group = groups.get(Math.floorMod(i + round, groups.size()));
                    for (Subject subject : round % 2 == 0 ? group : group.reversed()) {
                        Run run = run(subject, chunkBytes);
                        if (round >= 0) {
                            runs.computeIfAbsent(subject, _ -> new ArrayList<>())
                                    .add(run);
                        }
                    }
                }
            }
            System.err.printf(Locale.ROOT, "chunk %d: round %d of %d%n", chunkBytes, round + 1, rounds);
        }
        return new Result(chunkBytes, rounds, alone, runs, unavailable);
    }

    private static boolean isPaired(Subject subject) {
        return Arrays.stream(Subject.values()).anyMatch(other -> other.pair() == subject);
    }

    private Run run(Subject subject, int chunkBytes) throws IOException {
        double before = CpuClock.machineSeconds();
        Sent sent = bench.send(subject, chunkBytes);
        double busySeconds = CpuClock.machineSeconds() - before;
        return new Run(sent, busySeconds / (sent.bytes() / (double) (1L << 30)));
    }
}
