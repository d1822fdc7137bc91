package dev.sluice.bench.broker;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// A control group that bounds what a server takes of memory, its part of the page cache included, so that a log can be
/// several times as large as memory without being tens of GiB. Needs root.
///
/// Pages that a file had before its server came into the group are not counted.
record MemoryGroup(Path folder) implements AutoCloseable {
    private static final Path ROOT = Path.of("/sys/fs/cgroup");

    /// Puts a server into a new group.
    ///
    /// @throws IOException when there is no controller for memory, or this is not root
    static MemoryGroup around(Server server, long mebibytes) throws IOException {
        Path first = ROOT.resolve("memory"); // version 1; version 2 has one tree for all controllers
        boolean old = Files.isDirectory(first);
        Path folder = (old ? first : ROOT).resolve("sluice-bench-" + server.pid());
        try {
            Files.createDirectory(folder);
            Files.writeString(
                    folder.resolve(old ? "memory.limit_in_bytes" : "memory.max"), Long.toString(mebibytes << 20));
            Files.writeString(folder.resolve("cgroup.procs"), Long.toString(server.pid()));
        } catch (IOException e) {
            throw new IOException("--memory-mib needs root and a memory controller in " + ROOT + ": " + e, e);
        }
        return new MemoryGroup(folder);
    }

    /// Removes the group, once its server has ended.
    @Override
    public void close() throws IOException {
        Files.delete(folder);
    }
}
