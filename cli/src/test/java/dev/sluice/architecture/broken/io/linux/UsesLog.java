package dev.sluice.architecture.broken.io.linux;

import dev.sluice.architecture.broken.log.Segment;

/// Breaks a rule by using another package.
public interface UsesLog {
    Segment used();
}
