package dev.sluice.architecture.broken.io.loop;

import dev.sluice.architecture.broken.io.transfer.Copy;

/// Breaks nothing: what is below may be used.
public interface UsesTheLine {
    Copy used();
}
