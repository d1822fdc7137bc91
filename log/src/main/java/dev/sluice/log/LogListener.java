package dev.sluice.log;

/// Is told what becomes of a partition's log. Called on the thread that did it, under no lock of the log; two calls may
/// overtake each other. Must be quick and must not throw.
public interface LogListener {
    /// The high watermark has risen: more can be read, and what lies below it is acknowledged. Called by the
    /// appending thread, or, where acknowledgements wait for the device, by the one that flushed.
    ///
    /// @param lengthBytes how many bytes more can be read; now and then more than that, never less
    void grown(PartitionLog log, long lengthBytes);

    /// It takes no more appends: [PartitionLog#failure] says why, or it was closed. What lies above the high
    /// watermark is never acknowledged.
    void stopped(PartitionLog log);
}
