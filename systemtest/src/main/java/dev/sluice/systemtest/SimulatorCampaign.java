package dev.sluice.systemtest;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Kernel;
import dev.sluice.log.LogDirectoryException;
import dev.sluice.log.SegmentWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/// Seeds of [LogSimulator], one after the other, for a time; then one run of the control, which must fail. Seeds that
/// are multiples of [#DIRECT_EVERY] go through the direct engine, where the disk knows direct I/O.
final class SimulatorCampaign {
    private static final int BOUND = 8;
    private static final int DIRECT_EVERY = 4;
    private static final Path DISK = Path.of("/var/tmp");

    private SimulatorCampaign() {}

    /// Arguments: the repository's root (not used), seconds, and the first seed if it is not to be a fresh one.
    static void main(String[] args) throws IOException {
        if (args.length < 2) {
            System.err.println("usage: SimulatorCampaign HOME SECONDS [SEED]");
            System.exit(2);
        }
        long first = args.length > 2 ? Long.parseLong(args[2]) : System.nanoTime();
        System.exit(run(Long.parseLong(args[1]), first) ? 0 : 1);
    }

    private static boolean run(long seconds, long first) throws IOException {
        Path memory = Path.of("/dev/shm");
        Path work = Files.createTempDirectory(Files.isWritable(memory) ? memory : DISK, "sluice-simulate");
        Path onDisk = Files.createTempDirectory(DISK, "sluice-simulate");
        try {
            boolean isDirectKnown = knowsDirectIo(onDisk);
            long startNs = System.nanoTime();
            long states = 0;
            long moments = 0;
            long crashes = 0;
            long bad = 0;
            long direct = 0;
            long seed = first;
            do {
                boolean isDirect = isDirectKnown && seed % DIRECT_EVERY == 0;
                LogSimulator.Outcome outcome = run(work, onDisk, isDirect, seed, false);
                direct += isDirect ? 1 : 0;
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
                    "%d seeds (from %d), %d of them by direct I/O, %d crashes gone on from, %d crash states at %d moments (at most %d each) recovered: %d"
                            + " seeds failed; %.0f seeds and %.0f states an hour",
                    seed - first,
                    first,
                    direct,
                    crashes,
                    states,
                    moments,
                    BOUND,
                    bad,
                    (seed - first) / hours,
                    states / hours));
            boolean caught = false;
            for (int i = 0; i < 10 && !caught; i++) {
                caught = !run(work, onDisk, false, first + i, true).failures().isEmpty();
            }
            System.out.println("the control, whose syncs do nothing: " + (caught ? "caught" : "NOT CAUGHT"));
            return bad == 0 && caught;
        } finally {
            Files.delete(work);
            Files.delete(onDisk);
        }
    }

    private static LogSimulator.Outcome run(Path work, Path onDisk, boolean isDirect, long seed, boolean lying)
            throws IOException {
        return isDirect
                ? LogSimulator.run(work, onDisk, LogSimulator.Engine.DIRECT, seed, BOUND, lying)
                : LogSimulator.run(work, work, LogSimulator.Engine.PWRITE, seed, BOUND, lying);
    }

    /// Whether the direct engine works in a folder, which is left empty.
    static boolean knowsDirectIo(Path folder) throws IOException {
        Kernel kernel = new Kernel();
        try (SegmentWriter.Engine engine = LogSimulator.awaitedDirect().start(kernel, folder, Account.root("probe"))) {
            return engine.isPastPageCache();
        } catch (LogDirectoryException e) {
            System.out.println("by pwrite alone: " + e.getMessage());
            return false;
        } finally {
            try (var files = Files.list(folder)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
        }
    }
}
