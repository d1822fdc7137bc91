package dev.sluice.architecture.broken.io.transfer;

import dev.sluice.architecture.broken.io.loop.Turn;

/// Breaks a rule by using another package.
public interface UsesLoop {
    Turn used();
}
