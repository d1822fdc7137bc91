package dev.sluice.broker.net;

/// A descriptor that one consumer reads one file with from the disk; [ColdFiles] keeps and closes them. Thread-safe.
sealed interface ColdFile extends AutoCloseable permits ColdStream, DirectStream {
    boolean isClosed();

    /// Closes it unless somebody waits for it.
    ///
    /// @return whether it is closed
    boolean closeIfAtRest();

    /// Closes the descriptor, as soon as no thread is in it. Who waits for a read that was not begun is not told.
    @Override
    void close();
}
