package dev.sluice.broker;

import dev.sluice.log.LogDirectory;

/// Calls [LogDirectory#checkpoint] now and then, on a thread of its own: so that a start after a crash reads little,
/// producers that are gone are forgotten, and resting partitions hold no descriptors and maps.
final class Checkpointer {
    private final Periodic thread;

    Checkpointer(LogDirectory directory, long intervalMs) {
        this.thread = new Periodic("checkpoint", intervalMs, directory::checkpoint);
    }

    /// @return whether it has ended
    boolean stop() {
        return thread.stop();
    }
}
