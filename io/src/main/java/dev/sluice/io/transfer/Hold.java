package dev.sluice.io.transfer;

/// Keeps something (a file open, a slab taken) until [#release], which is called exactly once.
@FunctionalInterface
public interface Hold {
    /// Holds nothing.
    Hold NONE = () -> {};

    /// Lets go of it: on the thread that sent it, or gave it up.
    void release();

    /// What is kept could not be read when it was to be sent. Called before [#release], on the thread that sent.
    default void unreadable() {}
}
