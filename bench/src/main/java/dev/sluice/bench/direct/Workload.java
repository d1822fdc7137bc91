package dev.sluice.bench.direct;

import java.util.List;

/// What is done to the file.
///
/// @param writes     writes, or reads
/// @param random     at random positions, or one block after the other
/// @param blockBytes length of each operation
/// @param depth      operations in flight
/// @param totalBytes length of all operations together
record Workload(String name, boolean writes, boolean random, int blockBytes, int depth, long totalBytes) {
    static final List<String> NAMES = List.of("read-128k", "read-1m", "write-128k", "write-1m", "random-4k");

    static Workload parse(String name, long fileBytes) {
        return switch (name) {
            case "read-128k" -> new Workload(name, false, false, 128 << 10, 16, fileBytes);
            case "read-1m" -> new Workload(name, false, false, 1 << 20, 16, fileBytes);
            case "write-128k" -> new Workload(name, true, false, 128 << 10, 16, fileBytes);
            case "write-1m" -> new Workload(name, true, false, 1 << 20, 16, fileBytes);
            case "random-4k" -> new Workload(name, false, true, 4 << 10, 16, 512L << 20);
            default ->
                throw new IllegalArgumentException("No workload is called " + name + ": " + String.join(" ", NAMES));
        };
    }

    long operations() {
        return totalBytes / blockBytes;
    }
}
