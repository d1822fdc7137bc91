package dev.sluice.architecture.broken.io.cache;

import dev.sluice.architecture.broken.io.loop.Turn;

/// Breaks nothing: what is below may be used.
public interface UsesTheLine {
    Turn used();
}
