package dev.sluice.architecture.broken.broker.coordinator;

import org.apache.kafka.server.authorizer.Authorizer;

/// Breaks nothing: this is the place for it.
public interface UsesKafkasServer {
    Authorizer used();
}
