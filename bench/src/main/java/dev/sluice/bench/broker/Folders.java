package dev.sluice.bench.broker;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/// Folders that a run makes and removes.
final class Folders {
    private Folders() {}

    static Path fresh(Path parent, String name) throws IOException {
        Files.createDirectories(parent);
        return Files.createTempDirectory(parent, name + "-");
    }

    static void remove(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            List<Path> deepestFirst = all.sorted(Comparator.reverseOrder()).toList();
            for (Path each : deepestFirst) {
                Files.deleteIfExists(each);
            }
        }
    }
}
