package dev.sluice.log;

import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/// Keeps durable, ahead of it, how far each log's offsets may have been seen: the checkpoint
/// `sluice-ceiling-offset-checkpoint`.
///
/// A power loss takes back what was not flushed, and nobody who starts afterwards could tell how far the log had gone.
/// So a log that shows what is not on the device shows nothing at or above its ceiling; after an unclean end it goes on
/// above it, and no offset ever stands for two records. A ceiling is raised by a million offsets at a time, when half
/// of them are used, off the appending threads: one small file for all logs of the folder, written once for all that
/// ask meanwhile. Whoever asks for the first time has its topic's other partitions given theirs by the same write:
/// where one is appended to the others are about to be, and their first batches need not wait.
///
/// Thread-safe. [#raise] returns at once; the rest waits for the device.
final class Ceilings {
    static final String FILE = "sluice-ceiling-offset-checkpoint";

    /// What a ceiling lies above the end when it is raised: at two million records a second it is raised twice a
    /// second, and this many offsets are left out after a power loss at most.
    static final long STEP = 1 << 20;

    private static final long RETRY_MS = 500;

    /// So many logs that ask at once have their folders synced side by side.
    private static final int MANY = 16;

    private static final int SYNCING_THREADS = 8;

    /// A log that asked, and what it gets.
    ///
    /// @param end where it ended by then
    record Raise(PartitionLog log, End end, long ceiling) {}

    private final Kernel kernel;
    private final Path folder;
    private final SpaceReserve reserve;
    private final Flushing flushing;
    private final Map<PartitionName, PartitionLog> logs;

    // Guarded by this.
    private boolean queued;

    private final Object writing = new Object();

    // Guarded by writing.
    private Map<PartitionName, Long> kept = Map.of();

    /// @param logs the folder's logs; a view that follows what is created and deleted
    Ceilings(
            Kernel kernel,
            Path folder,
            SpaceReserve reserve,
            Flushing flushing,
            Map<PartitionName, PartitionLog> logs) {
        this.kernel = kernel;
        this.folder = folder;
        this.reserve = reserve;
        this.flushing = flushing;
        this.logs = logs;
    }

    /// @param ceilings what the file says now
    void found(Map<PartitionName, Long> ceilings) {
        synchronized (writing) {
            kept = ceilings;
        }
    }

    /// Whether the file has a line for this partition.
    boolean names(PartitionName name) {
        synchronized (writing) {
            return kept.containsKey(name);
        }
    }

    /// Raises the ceilings of all logs that want it, soon.
    void raise() {
        synchronized (this) {
            if (queued) {
                return;
            }
            queued = true;
        }
        later(0);
    }

    @SuppressWarnings("FutureReturnValueIgnored") // it throws nothing
    private void later(long delayMs) {
        try {
            flushing.threads().schedule(this::run, delayMs, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            // The folder was closed: nobody waits any more.
        }
    }

    private void run() {
        synchronized (this) {
            queued = false; // before it is looked who asks
        }
        boolean all;
        try {
            all = keep();
        } catch (ErrnoException e) {
            all = false; // the disk is full, …: what is appended is not acknowledged until it goes through
        }
        if (!all) {
            synchronized (this) {
                queued = true;
            }
            later(RETRY_MS);
        }
    }

    /// Writes the file if it says something else than what holds, or will hold for those who asked.
    ///
    /// @return whether everybody who asked has got it
    /// @throws ErrnoException when it can't be written; ceilings then stay where they are
    boolean keep() throws ErrnoException {
        synchronized (writing) {
            List<PartitionLog> asking =
                    logs.values().stream().filter(PartitionLog::asksForCeiling).toList();
            List<Raise> raises = asked(withTheirTopics(asking));
            Map<PartitionLog, Long> raised = new HashMap<>();
            raises.forEach(raise -> raised.put(raise.log(), raise.ceiling()));
            Map<PartitionName, Long> next = new TreeMap<>();
            logs.forEach((name, log) -> {
                long ceiling = raised.getOrDefault(log, log.ceiling());
                if (ceiling > 0) {
                    next.put(name, ceiling);
                }
            });
            if (!next.equals(kept)) {
                write(next, raises);
            }
            raises.forEach(raise -> raise.log().ceilingIs(raise));
            // One that has stopped is its own trouble; one that was not come to asks still.
            return asking.stream().allMatch(log -> raised.containsKey(log) || log.hasStopped());
        }
    }

    /// Those that ask, and all of their topics' partitions that will with their next batch.
    private List<PartitionLog> withTheirTopics(List<PartitionLog> asking) {
        if (asking.isEmpty()) {
            return asking;
        }
        Set<PartitionLog> all = new LinkedHashSet<>(asking);
        Set<String> topics = asking.stream().map(PartitionLog::topic).collect(Collectors.toSet());
        logs.values().stream()
                .filter(log -> topics.contains(log.topic()) && log.isAtCeiling())
                .forEach(all::add);
        return List.copyOf(all);
    }

    /// What is to be written down for logs that ask; one whose folder can't be synced is left out, and asks still.
    private static List<Raise> asked(List<PartitionLog> asking) {
        Map<Boolean, List<PartitionLog>> byOwing =
                asking.stream().collect(Collectors.partitioningBy(PartitionLog::owesNames));
        List<PartitionLog> owing = byOwing.getOrDefault(true, List.of());
        if (owing.size() < MANY) {
            return asking.stream().flatMap(log -> asked(log).stream()).toList();
        }
        Queue<Raise> raises = new ConcurrentLinkedQueue<>();
        try {
            ParallelWork.run(
                    "sluice-ceiling",
                    SYNCING_THREADS,
                    owing,
                    "",
                    log -> asked(log).map(raises::add));
        } catch (IOException e) {
            // The folder is being closed: those that were not begun ask still.
        }
        byOwing.getOrDefault(false, List.of()).forEach(log -> asked(log).ifPresent(raises::add));
        return List.copyOf(raises);
    }

    private static Optional<Raise> asked(PartitionLog log) {
        try {
            return Optional.ofNullable(log.wantedCeiling());
        } catch (ErrnoException e) {
            return Optional.empty();
        }
    }

    private void write(Map<PartitionName, Long> next, List<Raise> raises) throws ErrnoException {
        boolean written = false;
        try {
            reserve.spendFor(() -> {
                OffsetCheckpoint.write(kernel, folder.resolve(FILE), next);
                SmallFiles.syncFolder(kernel, folder);
            });
            kept = next;
            written = true;
        } finally {
            if (!written) {
                raises.forEach(raise -> raise.log().wantsCeiling());
            }
        }
    }
}
