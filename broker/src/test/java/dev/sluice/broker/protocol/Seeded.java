package dev.sluice.broker.protocol;

import java.util.Random;

/// Random runs that can be run again: a failure says the seed, `-Dsluice.test.seed=` takes it.
final class Seeded {
    interface Run {
        void with(Random random);
    }

    private Seeded() {}

    static void runs(int count, Run run) {
        Long given = Long.getLong("sluice.test.seed");
        long first = given != null ? given : System.nanoTime();
        for (long seed = first; seed < first + (given != null ? 1 : count); seed++) {
            try {
                run.with(new Random(seed));
            } catch (Throwable failure) {
                throw new AssertionError(
                        "failed with -Dsluice.test.seed=" + seed + ": " + failure.getMessage(), failure);
            }
        }
    }
}
