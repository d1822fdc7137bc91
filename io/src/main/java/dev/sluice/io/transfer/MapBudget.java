package dev.sluice.io.transfer;

import java.util.concurrent.atomic.AtomicInteger;

/// Bounds how many maps all transfers of one [Transfers] hold at once, far below the 65,530 that a process may have
/// (vm.max_map_count), for a process that runs out of maps can't start a thread or grow its heap. Thread-safe.
final class MapBudget {
    private final AtomicInteger free;

    MapBudget(int maps) {
        free = new AtomicInteger(maps);
    }

    /// @return false when all are taken
    boolean take() {
        if (free.decrementAndGet() >= 0) {
            return true;
        }
        free.incrementAndGet();
        return false;
    }

    void give() {
        free.incrementAndGet();
    }
}
