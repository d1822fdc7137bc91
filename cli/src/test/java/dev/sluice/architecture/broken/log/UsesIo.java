package dev.sluice.architecture.broken.log;

import dev.sluice.architecture.broken.io.loop.Turn;

/// Breaks nothing: what is below may be used.
public interface UsesIo {
    Turn used();
}
