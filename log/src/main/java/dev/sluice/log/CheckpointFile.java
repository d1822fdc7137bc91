package dev.sluice.log;

import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Kafka's checkpoint files: text, replaced as a whole.
///
/// ```
/// 0                  version
/// 2                  number of lines that follow
/// topic 0 1234       one entry a line, its fields parted by spaces
/// topic 1 77
/// ```
final class CheckpointFile {
    private static final String VERSION = "0";

    private CheckpointFile() {}

    /// The entries, each split into its fields; empty when there is no file.
    ///
    /// @param fields number of fields of every entry
    /// @throws MalformedException when there is a file of another form
    static Optional<List<String[]>> read(Kernel kernel, Path path, int fields)
            throws ErrnoException, MalformedException {
        byte @Nullable [] content = SmallFiles.read(kernel, path);
        if (content == null) {
            return Optional.empty();
        }
        List<String> lines = new String(content, StandardCharsets.UTF_8).lines().toList();
        if (lines.size() < 2 || !lines.get(0).equals(VERSION)) {
            throw new MalformedException(path, "does not begin with version " + VERSION + " and a count");
        }
        if (!lines.get(1).equals(Integer.toString(lines.size() - 2))) {
            throw new MalformedException(
                    path, "holds " + (lines.size() - 2) + " entries, and says it has " + lines.get(1));
        }
        List<String[]> entries =
                lines.stream().skip(2).map(line -> line.split("\\s+", -1)).toList();
        for (String[] entry : entries) {
            if (entry.length != fields) {
                throw new MalformedException(path, "has the entry " + Arrays.toString(entry));
            }
        }
        return Optional.of(entries);
    }

    static void write(Kernel kernel, Path path, Collection<String> entries) throws ErrnoException {
        SmallFiles.replace(kernel, path, format(entries));
    }

    static byte[] format(Collection<String> entries) {
        StringBuilder text = new StringBuilder(16 + entries.size() * 32);
        text.append(VERSION).append('\n').append(entries.size()).append('\n');
        entries.forEach(entry -> text.append(entry).append('\n'));
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    /// The file is not of the form that it should be. Its reader falls back on what it can find out by itself.
    static final class MalformedException extends Exception {
        private static final long serialVersionUID = 1L;

        MalformedException(Path path, String what) {
            super(path + " " + what);
        }
    }
}
