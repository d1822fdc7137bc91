package dev.sluice.broker.catalogue;

import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;

/// Remembers for which names a topic could not be made lately. Clients that ask for a topic ask again every few
/// milliseconds; on a full disk each of them would cost the disk another attempt.
///
/// Thread-safe. Bounded, whatever names clients ask for.
final class CreationDamper {
    private static final long PAUSE_MS = 5_000;
    private static final int MOST_NAMES = 1_000;

    private final InstantSource clock;
    private final Map<String, Long> failedAtMs = new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Long> eldest) {
            return size() > MOST_NAMES;
        }
    };

    CreationDamper(InstantSource clock) {
        this.clock = clock;
    }

    synchronized boolean mayTry(String name) {
        Long at = failedAtMs.get(name);
        // A clock that was set back is no reason to wait longer than this.
        return at == null || Math.abs(clock.millis() - at) >= PAUSE_MS;
    }

    synchronized void failed(String name) {
        failedAtMs.remove(name); // so that it becomes the youngest
        failedAtMs.put(name, clock.millis());
    }

    synchronized void succeeded(String name) {
        failedAtMs.remove(name);
    }
}
