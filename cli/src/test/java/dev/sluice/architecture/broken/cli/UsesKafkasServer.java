package dev.sluice.architecture.broken.cli;

import org.apache.kafka.server.authorizer.Authorizer;

/// Breaks a rule: only broker.coordinator may.
public interface UsesKafkasServer {
    Authorizer used();
}
