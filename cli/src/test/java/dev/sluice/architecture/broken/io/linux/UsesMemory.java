package dev.sluice.architecture.broken.io.linux;

import dev.sluice.architecture.broken.io.memory.Block;

/// Breaks a rule by using another package.
public interface UsesMemory {
    Block used();
}
