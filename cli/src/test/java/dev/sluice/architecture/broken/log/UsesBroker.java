package dev.sluice.architecture.broken.log;

import dev.sluice.architecture.broken.broker.Server;

/// Breaks a rule by using another package.
public interface UsesBroker {
    Server used();
}
