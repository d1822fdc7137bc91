package dev.sluice.log;

import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// The checkpoint files of a data folder: where each log begins, how far it is on the device, its high watermark, and,
/// kept by [Ceilings], its ceiling.
///
/// Used under the folder's lock. Writes wait for the device.
final class CheckpointFiles {
    private final Kernel kernel;
    private final Path folder;
    private final SpaceReserve reserve;
    private final Ceilings ceilings;
    private final Map<PartitionName, PartitionLog> logs;
    /// Partitions that the files name; a new log of the same name must not inherit their offsets.
    private final Set<PartitionName> named = new HashSet<>();
    /// What the file of log starts says.
    private Map<PartitionName, Long> keptLogStarts = Map.of();

    /// @param logs the folder's logs; a view that follows what is created and deleted
    CheckpointFiles(
            Kernel kernel,
            Path folder,
            SpaceReserve reserve,
            Ceilings ceilings,
            Map<PartitionName, PartitionLog> logs) {
        this.kernel = kernel;
        this.folder = folder;
        this.reserve = reserve;
        this.ceilings = ceilings;
        this.logs = logs;
    }

    /// What the files said when the folder was opened.
    record Offsets(
            Map<PartitionName, Long> recoveryPoints,
            Map<PartitionName, Long> logStarts,
            Map<PartitionName, Long> ceilings) {
        PartitionLoader.Checkpoints of(PartitionName name) {
            return new PartitionLoader.Checkpoints(
                    recoveryPoints.getOrDefault(name, 0L),
                    logStarts.getOrDefault(name, -1L),
                    ceilings.getOrDefault(name, 0L));
        }
    }

    /// Reads the files that a start needs.
    ///
    /// @param warnings gets what is wrong with one
    Offsets read(List<String> warnings) throws ErrnoException {
        Offsets offsets = new Offsets(
                read(OffsetCheckpoint.RECOVERY_POINT, warnings),
                read(OffsetCheckpoint.LOG_START, warnings),
                read(Ceilings.FILE, warnings));
        named.addAll(offsets.recoveryPoints().keySet());
        named.addAll(offsets.logStarts().keySet());
        named.addAll(offsets.ceilings().keySet());
        keptLogStarts = offsets.logStarts();
        ceilings.found(offsets.ceilings());
        return offsets;
    }

    private Map<PartitionName, Long> read(String file, List<String> warnings) throws ErrnoException {
        return OffsetCheckpoint.read(kernel, folder.resolve(file), warnings::add);
    }

    /// Whether one of the files has a line for this partition.
    boolean name(PartitionName partition) {
        return named.contains(partition) || ceilings.names(partition);
    }

    /// Writes all of them.
    void write() throws ErrnoException {
        Map<PartitionName, Long> recoveryPoints = new TreeMap<>();
        Map<PartitionName, Long> highWatermarks = new TreeMap<>();
        Map<PartitionName, Long> logStarts = logStarts();
        logs.forEach((name, log) -> {
            recoveryPoints.put(name, log.recoveryPoint());
            highWatermarks.put(name, log.highWatermark());
        });
        reserve.spendFor(() -> {
            OffsetCheckpoint.write(kernel, folder.resolve(OffsetCheckpoint.RECOVERY_POINT), recoveryPoints);
            OffsetCheckpoint.write(kernel, folder.resolve(OffsetCheckpoint.LOG_START), logStarts);
            OffsetCheckpoint.write(kernel, folder.resolve(OffsetCheckpoint.HIGH_WATERMARK), highWatermarks);
            ceilings.keep();
            SmallFiles.syncFolder(kernel, folder);
        });
        named.clear();
        named.addAll(recoveryPoints.keySet());
        keptLogStarts = logStarts;
    }

    /// Writes the file of log starts, if it says something else.
    void keepLogStarts() throws ErrnoException {
        Map<PartitionName, Long> logStarts = logStarts();
        if (logStarts.equals(keptLogStarts)) {
            return;
        }
        reserve.spendFor(() -> {
            OffsetCheckpoint.write(kernel, folder.resolve(OffsetCheckpoint.LOG_START), logStarts);
            SmallFiles.syncFolder(kernel, folder);
        });
        named.addAll(logStarts.keySet());
        keptLogStarts = logStarts;
    }

    /// Where logs begin that don't begin at 0. Those whose first segment begins there too: a power cut may bring
    /// back any of the files that were unlinked before it, and what is below the start is not a part of the log.
    private Map<PartitionName, Long> logStarts() {
        Map<PartitionName, Long> logStarts = new HashMap<>();
        logs.forEach((name, log) -> {
            if (log.logStartOffset() > 0) {
                logStarts.put(name, log.logStartOffset());
            }
        });
        return logStarts;
    }
}
