package dev.sluice.bench.transfer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/// The receiving process. See `receiver.c`.
final class Receiver implements AutoCloseable {
    /// @param bytes received
    /// @param hash  FNV-1a of them; 0 from a receiver that discards
    record Received(long bytes, long hash) {}

    private final Child child;
    private final int port;

    /// @param checks whether it reads the bytes and hashes them, or has the kernel throw them away
    Receiver(Path program, boolean checks) throws IOException {
        child = new Child(List.of(program.toString(), checks ? "check" : "discard"));
        port = Integer.parseInt(child.answer().substring("port ".length()));
    }

    int port() {
        return port;
    }

    /// What the next connection brought, once it has ended.
    Received received() throws IOException {
        String[] words = child.answer().split(" ");
        return new Received(Long.parseLong(words[1]), Long.parseUnsignedLong(words[2], 16));
    }

    @Override
    public void close() {
        child.close();
    }
}
