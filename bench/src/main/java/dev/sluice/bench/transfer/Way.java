package dev.sluice.bench.transfer;

import dev.sluice.io.linux.ErrnoException;
import java.io.IOException;

/// One way for a Java program to send a file to a loopback port. Used by one thread.
interface Way extends AutoCloseable {
    /// Connects; what this costs isn't measured.
    void connect(int port) throws IOException, ErrnoException, InterruptedException;

    /// Sends the whole file, asking each call to move `chunkBytes` at most. Returns when the last byte was handed
    /// to the kernel.
    void send(int chunkBytes) throws IOException, ErrnoException, InterruptedException;

    /// Ends the connection once the receiver has read everything. Not measured.
    void disconnect() throws IOException, ErrnoException, InterruptedException;

    /// What the library's account said of the last [#send], as [Sent] words it; empty for ways that have no
    /// account.
    default String account() {
        return "";
    }

    @Override
    default void close() throws IOException {}
}
