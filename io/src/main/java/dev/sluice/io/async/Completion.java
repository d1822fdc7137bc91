package dev.sluice.io.async;

/// Told that an operation is over. Called once for each staged operation, on the queue's thread, from within
/// [FileQueue#await] or [FileQueue#close].
@FunctionalInterface
public interface Completion {
    /// The operation is over and may be filled and staged again, here and now. Waiting on the queue here is a
    /// mistake.
    ///
    /// @param result bytes moved (0 for a sync), which may be fewer than asked for; or −errno. −ECANCELED when it
    ///     was cancelled before it began, or when the operation it was linked to did not succeed in full
    void completed(FileOperation operation, int result);
}
