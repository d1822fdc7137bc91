package dev.sluice.architecture.broken.broker;

import dev.sluice.architecture.broken.log.Segment;

/// Breaks nothing: what is below may be used.
public interface UsesLog {
    Segment used();
}
