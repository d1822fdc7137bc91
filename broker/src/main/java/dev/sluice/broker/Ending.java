package dev.sluice.broker;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;

/// Waiting for threads to end, which an interrupt does not cut short: what they use is freed afterwards.
final class Ending {
    private Ending() {}

    /// Waits until what was submitted before the executor's shutdown has ended. An interrupt is kept for the
    /// caller.
    ///
    /// @return false when something still runs
    static boolean await(ExecutorService executor, long timeoutMs) {
        long startNs = System.nanoTime();
        boolean interrupted = false;
        try {
            while (true) {
                long leftNs = TimeUnit.MILLISECONDS.toNanos(timeoutMs) - (System.nanoTime() - startNs);
                try {
                    return executor.awaitTermination(leftNs, TimeUnit.NANOSECONDS);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
