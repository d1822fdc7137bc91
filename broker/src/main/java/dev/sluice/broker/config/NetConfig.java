package dev.sluice.broker.config;

/// The bounds of the network side.
///
/// @param loops             event loops, each with a thread
/// @param largestFrameBytes largest request taken; Kafka's `socket.request.max.bytes`
/// @param unfinishedBytes   the most that requests under way take together; Kafka's `queued.max.request.bytes`
/// @param receiveTimeoutMs  how long a request under way may bring too little; `sluice.request.receive.timeout.ms`
/// @param idleTimeoutMs     a connection on which nothing moves for so long is closed; Kafka's
///     `connections.max.idle.ms`
/// @param maxConnections    connections open at once; Kafka's `max.connections`
/// @param maxConnectionsOfAddress of which so many may come from one address; Kafka's `max.connections.per.ip`
/// @param backlog           connections the kernel holds for us before they are accepted
/// @param sendBufferBytes   SO_SNDBUF of each connection, or [#KERNELS_BUFFER]; Kafka's `socket.send.buffer.bytes`
/// @param receiveBufferBytes SO_RCVBUF of each connection, or [#KERNELS_BUFFER]; Kafka's `socket.receive.buffer.bytes`
/// @param diskPatienceMs    how long a loop waits for the disk before another thread goes on with it, 0 for as long as
///     it takes; `sluice.disk.patience.ms`
/// @param copiedBytes records of a partition up to so many bytes are copied into their answer, more are sent by
///     sendfile; `sluice.fetch.copied.bytes`
public record NetConfig(
        int loops,
        int largestFrameBytes,
        long unfinishedBytes,
        long receiveTimeoutMs,
        long idleTimeoutMs,
        int maxConnections,
        int maxConnectionsOfAddress,
        int backlog,
        int sendBufferBytes,
        int receiveBufferBytes,
        long diskPatienceMs,
        int copiedBytes) {
    /// The size of a socket's buffer is the kernel's to choose.
    public static final int KERNELS_BUFFER = -1;
}
