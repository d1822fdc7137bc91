package dev.sluice.cli.compare;

import java.net.InetSocketAddress;

/// Which way bytes go to the other side and back.
public sealed interface Over {
    /// A child process, over loopback.
    record Loopback() implements Over {}

    /// A child process in a network of its own, over a pair of virtual interfaces: once with scatter-gather and
    /// segmentation offload, once with scatter-gather alone, once without. Needs root and `ip`.
    record Veth() implements Over {}

    /// A `sluice compare --receive` somewhere else.
    record Remote(InetSocketAddress address) implements Over {}
}
