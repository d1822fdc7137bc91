package dev.sluice.testkit;

import java.util.Random;

/// Random runs that can be run again: a failure names its seed, and `-Dsluice.test.seed=N` takes it.
public final class Seeds {
    /// A run with numbers of its own.
    @FunctionalInterface
    public interface Run {
        void with(Random random) throws Exception;
    }

    private Seeds() {}

    /// Runs with a fresh seed, or the given one.
    ///
    /// @throws AssertionError naming the seed, caused by what the run threw
    public static void run(Run run) {
        long seed = Long.getLong("sluice.test.seed", System.nanoTime());
        try {
            run.with(new Random(seed));
        } catch (Exception | AssertionError failure) {
            // On one line: a summary of many tests shows only the first.
            String what = failure.toString().strip().replaceAll("\\s+", " ");
            throw new AssertionError("failed with -Dsluice.test.seed=" + seed + ": " + what, failure);
        }
    }
}
