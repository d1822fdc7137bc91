package dev.sluice.architecture.broken.io.memory;

import dev.sluice.architecture.broken.io.transfer.Copy;

/// Breaks a rule by using another package.
public interface UsesTransfer {
    Copy used();
}
