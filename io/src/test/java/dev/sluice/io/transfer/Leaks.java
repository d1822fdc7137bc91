package dev.sluice.io.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// Counts what a test has left behind: descriptors and maps by /proc, anonymous maps by the kernel object they were
/// made through.
final class Leaks {
    private final Path folder;
    private final List<String> descriptors;
    private final List<String> maps;

    /// @param folder where the test's files are; maps of other files are the JVM's
    Leaks(Path folder) throws IOException {
        this.folder = folder;
        this.descriptors = descriptors();
        this.maps = maps();
    }

    /// Sockets, pipes and the test's files that are open, by what the links in /proc/self/fd say without the
    /// numbers of sockets.
    List<String> descriptors() throws IOException {
        List<String> open = new ArrayList<>();
        try (DirectoryStream<Path> links = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path link : links) {
                try {
                    String target = Files.readSymbolicLink(link).toString();
                    if (target.startsWith("socket:")
                            || target.startsWith("pipe:")
                            || target.startsWith(folder.toString())) {
                        open.add(target);
                    }
                } catch (NoSuchFileException e) {
                    // the directory stream's own
                }
            }
        }
        Collections.sort(open);
        return open;
    }

    /// Maps of the test's files and of sockets.
    List<String> maps() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/maps")).stream()
                .filter(line -> line.contains(folder.toString()) || line.contains("socket:"))
                .toList();
    }

    /// Fails if anything is left that wasn't there at the beginning.
    void assertNone(Kernel... kernels) throws IOException {
        assertThat(descriptors).as("open descriptors").containsAll(descriptors());
        assertThat(maps).as("maps").containsAll(maps());
        for (Kernel kernel : kernels) {
            assertThat(mapped(kernel)).as("maps made and not ended").isZero();
        }
    }

    /// Maps that were made through a kernel object and not ended.
    static long mapped(Kernel kernel) {
        Account.Count made = kernel.account().count(Call.MMAP);
        Account.Count ended = kernel.account().count(Call.MUNMAP);
        return made.calls() - made.errors() - (ended.calls() - ended.errors());
    }
}
