package dev.sluice.broker.net;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// Chooses the loop that a connection is given to. Thread-safe.
final class LeastBusy {
    private final List<NetworkLoop> loops;
    private final AtomicInteger next = new AtomicInteger();

    /// @param loops all that there will be when the first is chosen
    LeastBusy(List<NetworkLoop> loops) {
        this.loops = loops;
    }

    /// The running loop with the fewest connections, null when none runs; among equals they take turns.
    @Nullable NetworkLoop choose() {
        NetworkLoop least = null;
        int first = Math.floorMod(next.getAndIncrement(), loops.size());
        for (int i = 0; i < loops.size(); i++) {
            NetworkLoop loop = loops.get((first + i) % loops.size());
            if (loop.isRunning() && (least == null || loop.connectionCount() < least.connectionCount())) {
                least = loop;
            }
        }
        return least;
    }
}
