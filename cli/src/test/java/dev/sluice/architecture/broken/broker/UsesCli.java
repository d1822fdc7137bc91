package dev.sluice.architecture.broken.broker;

import dev.sluice.architecture.broken.cli.Command;

/// Breaks a rule by using another package.
public interface UsesCli {
    Command used();
}
