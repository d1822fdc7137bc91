package dev.sluice.architecture.broken.io.loop;

import dev.sluice.architecture.broken.io.cache.Cache;

/// Breaks a rule by using another package.
public interface UsesCache {
    Cache used();
}
