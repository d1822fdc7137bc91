package dev.sluice.io.transfer;

/// Keeps something (a file open, a slab taken) until [#release], which is called exactly once.
@FunctionalInterface
public interface Hold {
    /// Holds nothing.
    Hold NONE = () -> {};

    void release();
}
