package dev.sluice.systemtest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/// Seeds of [LogSimulator], one after the other, for a time; then one run of the control, which must fail.
public final class SimulatorCampaign {
    private static final int BOUND = 8;

    private SimulatorCampaign() {}

    /// Arguments: the repository's root (not used), seconds, and the first seed if it is not to be a fresh one.
    public static void main(String[] args) throws IOException {
        if (args.length < 2) {
            System.err.println("usage: SimulatorCampaign HOME SECONDS [SEED]");
            System.exit(2);
        }
        long first = args.length > 2 ? Long.parseLong(args[2]) : System.nanoTime();
        System.exit(run(Long.parseLong(args[1]), first) ? 0 : 1);
    }

    private static boolean run(long seconds, long first) throws IOException {
        Path work = Files.createTempDirectory(
                Files.isWritable(Path.of("/dev/shm")) ? Path.of("/dev/shm") : Path.of("/var/tmp"), "sluice-simulate");
        try {
            long startNs = System.nanoTime();
            long states = 0;
            long moments = 0;
            long crashes = 0;
            long bad = 0;
            long seed = first;
            do {
                LogSimulator.Outcome outcome = LogSimulator.run(work, seed, BOUND, false);
                states += outcome.states();
                moments += outcome.moments();
                crashes += outcome.crashes();
                if (!outcome.failures().isEmpty()) {
                    bad++;
                    System.out.println(
                            "seed " + seed + ": " + outcome.failures().getFirst());
                }
                seed++;
            } while (System.nanoTime() - startNs < seconds * 1_000_000_000L);
            double hours = (System.nanoTime() - startNs) / 3.6e12;
            System.out.println(String.format(
                    Locale.ROOT,
                    "%d seeds (from %d), %d crashes gone on from, %d crash states at %d moments (at most %d each) recovered: %d"
                            + " seeds failed; %.0f seeds and %.0f states an hour",
                    seed - first,
                    first,
                    crashes,
                    states,
                    moments,
                    BOUND,
                    bad,
                    (seed - first) / hours,
                    states / hours));
            boolean caught = false;
            for (int i = 0; i < 10 && !caught; i++) {
                caught = !LogSimulator.run(work, first + i, BOUND, true)
                        .failures()
                        .isEmpty();
            }
            System.out.println("the control, whose syncs do nothing: " + (caught ? "caught" : "NOT CAUGHT"));
            return bad == 0 && caught;
        } finally {
            Files.delete(work);
        }
    }
}
