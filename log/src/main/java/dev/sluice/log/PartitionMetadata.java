package dev.sluice.log;

import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The file `partition.metadata` of a partition's folder: which topic, by id, it belongs to.
///
/// ```
/// version: 0
/// topic_id: Xf3hJ2kAQ0uWkq0PQ4bz1A
/// ```
final class PartitionMetadata {
    static final String FILE = "partition.metadata";

    private static final String VERSION_LINE = "version: 0";
    private static final String ID_KEY = "topic_id: ";

    private PartitionMetadata() {}

    /// The topic's id, or empty where the file is missing or can't be understood; the latter is told to
    /// `warnings`.
    static Optional<UUID> read(Kernel kernel, Path folder, Consumer<String> warnings) throws ErrnoException {
        Path path = folder.resolve(FILE);
        byte @Nullable [] content = SmallFiles.read(kernel, path);
        if (content == null) {
            return Optional.empty();
        }
        List<String> lines = new String(content, StandardCharsets.UTF_8).lines().toList();
        UUID id = lines.size() == 2
                        && lines.get(0).equals(VERSION_LINE)
                        && lines.get(1).startsWith(ID_KEY)
                ? KafkaUuid.parse(lines.get(1).substring(ID_KEY.length()))
                : null;
        if (id == null) {
            warnings.accept(path + " names no topic id; it is ignored");
        }
        return Optional.ofNullable(id);
    }

    static void write(Kernel kernel, Path folder, UUID topicId) throws ErrnoException {
        SmallFiles.replace(kernel, folder.resolve(FILE), content(topicId));
    }

    /// Writes a new partition's file, and does not wait for the device: see [#sync].
    static void writeNew(Kernel kernel, Path folder, UUID topicId) throws ErrnoException {
        SmallFiles.write(kernel, folder.resolve(FILE), content(topicId), false);
    }

    /// Waits until the file is on the device.
    static void sync(Kernel kernel, Path folder) throws ErrnoException {
        SmallFiles.sync(kernel, folder.resolve(FILE));
    }

    private static byte[] content(UUID topicId) {
        String text = VERSION_LINE + "\n" + ID_KEY + KafkaUuid.format(topicId);
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
