package dev.sluice.log;

import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/// One offset for each partition, in a [CheckpointFile] of the data folder.
final class OffsetCheckpoint {
    /// Up to where each log is known to be on the device.
    static final String RECOVERY_POINT = "recovery-point-offset-checkpoint";
    /// Where logs begin that begin within a segment.
    static final String LOG_START = "log-start-offset-checkpoint";
    /// The high watermarks.
    static final String HIGH_WATERMARK = "replication-offset-checkpoint";

    private OffsetCheckpoint() {}

    /// The offsets. A file that can't be understood counts as missing, which costs recovery time and no data, and
    /// is told to `warnings`.
    static Map<PartitionName, Long> read(Kernel kernel, Path path, Consumer<String> warnings) throws ErrnoException {
        Map<PartitionName, Long> offsets = new HashMap<>();
        try {
            List<String[]> entries = CheckpointFile.read(kernel, path, 3).orElse(List.of());
            for (String[] entry : entries) {
                offsets.put(new PartitionName(entry[0], Integer.parseInt(entry[1])), Long.parseLong(entry[2]));
            }
        } catch (CheckpointFile.MalformedException e) {
            warnings.accept(e.getMessage() + "; it is ignored and written anew");
            offsets.clear();
        } catch (IllegalArgumentException e) { // no number, or no name
            warnings.accept(
                    path + " has an entry that is none (" + e.getMessage() + "); it is ignored and written anew");
            offsets.clear();
        }
        return offsets;
    }

    static void write(Kernel kernel, Path path, Map<PartitionName, Long> offsets) throws ErrnoException {
        List<String> entries = new TreeMap<>(offsets)
                .entrySet().stream()
                        .map(entry ->
                                entry.getKey().topic() + " " + entry.getKey().partition() + " " + entry.getValue())
                        .toList();
        CheckpointFile.write(kernel, path, entries);
    }
}
