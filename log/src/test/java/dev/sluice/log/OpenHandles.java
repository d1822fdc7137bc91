package dev.sluice.log;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Descriptors and maps that this process has on files below a folder, deleted ones too: counted by the kernel.
final class OpenHandles {
    private OpenHandles() {}

    static List<String> descriptors(Path below) {
        List<String> found = new ArrayList<>();
        try (DirectoryStream<Path> numbers = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path number : numbers) {
                try {
                    String target = Files.readSymbolicLink(number).toString();
                    if (target.startsWith(below + "/")) {
                        found.add(target);
                    }
                } catch (IOException e) {
                    // Closed since it was listed.
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return found;
    }

    static List<String> maps(Path below) {
        try (var lines = Files.lines(Path.of("/proc/self/maps"))) {
            return lines.filter(line -> line.contains(" " + below + "/")).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
