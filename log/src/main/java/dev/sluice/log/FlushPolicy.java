package dev.sluice.log;

/// When what was appended is forced to the device, and with it what an acknowledgement says. From the loosest to the
/// strictest.
public enum FlushPolicy {
    /// The kernel decides. An acknowledged record survives the end of the process, not a power loss.
    OS,
    /// At least every so many milliseconds or records. A power loss takes at most those, and what came in while
    /// they were being flushed.
    INTERVAL,
    /// Before it is acknowledged, and before anybody reads it. One flush covers all batches that wait for one.
    ACK
}
