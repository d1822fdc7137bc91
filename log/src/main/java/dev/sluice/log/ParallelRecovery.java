package dev.sluice.log;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadFactory;

/// Loads partitions side by side, on a few platform threads that end with it: loading blocks on the disk.
final class ParallelRecovery {
    private ParallelRecovery() {}

    /// Loads one partition.
    @FunctionalInterface
    interface Load {
        RecoveryReport.Partition load(PartitionName name) throws IOException;
    }

    /// Loads all of them, and waits for them.
    ///
    /// @return their reports, in the order of `names`
    /// @throws IOException the first failure; the others are suppressed in it
    static List<RecoveryReport.Partition> run(int threads, List<PartitionName> names, Load load) throws IOException {
        if (names.isEmpty()) {
            return List.of();
        }
        ThreadFactory factory =
                Thread.ofPlatform().name("sluice-recovery-", 0).daemon().factory();
        List<Future<RecoveryReport.Partition>> pending = new ArrayList<>(names.size());
        try (ExecutorService executor = Executors.newFixedThreadPool(Math.min(threads, names.size()), factory)) {
            for (PartitionName name : names) {
                pending.add(executor.submit(() -> load.load(name)));
            }
        } // waits for all
        List<RecoveryReport.Partition> reports = new ArrayList<>(names.size());
        IOException failure = null;
        for (int i = 0; i < pending.size(); i++) {
            try {
                reports.add(pending.get(i).get());
            } catch (ExecutionException e) {
                Throwable cause = Objects.requireNonNullElse(e.getCause(), e);
                IOException failed =
                        new IOException("Partition " + names.get(i) + " can't be loaded: " + cause.getMessage(), cause);
                if (failure == null) {
                    failure = failed;
                } else {
                    failure.addSuppressed(failed);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt(); // some were not begun
                throw new InterruptedIOException("Interrupted while loading " + names.get(i));
            }
        }
        if (failure != null) {
            throw failure;
        }
        return reports;
    }
}
