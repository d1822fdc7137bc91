package dev.sluice.systemtest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// A control group of version 1 of its own, for one controller, into which a process is put. Needs root. Closing it
/// wants the process gone.
record ControlGroup(Path folder) implements AutoCloseable {
    private static final Path ALL = Path.of("/sys/fs/cgroup");

    /// Whether the machine has this controller, and it may be used.
    static boolean offers(String controller) {
        return Files.isWritable(ALL.resolve(controller).resolve("cgroup.procs"));
    }

    static ControlGroup create(String controller) throws IOException {
        return new ControlGroup(Files.createDirectory(ALL.resolve(controller)
                .resolve("sluice-" + ProcessHandle.current().pid())));
    }

    ControlGroup set(String file, String value) throws IOException {
        Files.writeString(folder.resolve(file), value);
        return this;
    }

    long number(String file) throws IOException {
        return Long.parseLong(Files.readString(folder.resolve(file)).strip());
    }

    void add(BrokerProcess broker) throws IOException {
        set("cgroup.procs", Long.toString(broker.pid()));
    }

    @Override
    public void close() throws IOException {
        Files.delete(folder);
    }
}
