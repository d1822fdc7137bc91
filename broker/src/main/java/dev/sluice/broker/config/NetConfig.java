package dev.sluice.broker.config;

/// The bounds of the network side.
///
/// @param loops             event loops, each with a thread
/// @param largestFrameBytes largest request taken; Kafka's `socket.request.max.bytes`
/// @param idleTimeoutMs     a connection without a request for so long is closed; Kafka's `connections.max.idle.ms`
/// @param maxConnections    connections open at once; Kafka's `max.connections`
/// @param backlog           connections the kernel holds for us before they are accepted
public record NetConfig(int loops, int largestFrameBytes, long idleTimeoutMs, int maxConnections, int backlog) {}
