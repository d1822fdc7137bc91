package dev.sluice.io.proxy;

import java.util.concurrent.TimeUnit;

/// Limits of a [Proxy].
///
/// @param maxConnections   connections at once; others wait in the listener's backlog. Each needs up to 6 descriptors:
///                         two sockets, and a pipe for each direction that has bytes under way
/// @param connectTimeoutNs how long the upstream may take to accept
/// @param idleTimeoutNs    a connection on which nothing moved for so long, in either direction, is reset; 0 for never
public record ProxyConfig(int maxConnections, long connectTimeoutNs, long idleTimeoutNs) {
    /// What a connection can hold open at once.
    public static final int DESCRIPTORS_A_CONNECTION = 6;

    /// A thousand connections, 10 s to connect, 10 minutes without a byte.
    public static final ProxyConfig DEFAULT =
            new ProxyConfig(1000, TimeUnit.SECONDS.toNanos(10), TimeUnit.MINUTES.toNanos(10));

    /// @throws IllegalArgumentException when a number is not positive; the idle time may be 0
    public ProxyConfig {
        if (maxConnections < 1 || connectTimeoutNs <= 0 || idleTimeoutNs < 0) {
            throw new IllegalArgumentException("At least one connection and positive times: " + maxConnections
                    + ", connectTimeoutNs " + connectTimeoutNs + ", idleTimeoutNs " + idleTimeoutNs);
        }
    }
}
