package dev.sluice.cli.compare;

import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Usage;
import org.jspecify.annotations.Nullable;

/// Reads the process's counters around one move: all threads of the JVM, so garbage collection and compilation count
/// for those who cause
/// them. Used once, by one thread.
public final class Meter {
    private final Kernel kernel;
    private Usage.@Nullable Probe probe;
    private @Nullable Usage usage;
    private long startNs;

    Meter(Kernel kernel) {
        this.kernel = kernel;
    }

    public void start() throws ErrnoException {
        probe = Usage.start(kernel, Usage.Scope.PROCESS);
        startNs = System.nanoTime();
    }

    public void stop() throws ErrnoException {
        if (probe == null) {
            throw new IllegalStateException("not started");
        }
        usage = probe.stop();
    }

    /// When the ends were open and the first byte was about to move.
    long startNs() {
        return startNs;
    }

    Usage usage() {
        if (usage == null) {
            throw new IllegalStateException("not stopped");
        }
        return usage;
    }
}
