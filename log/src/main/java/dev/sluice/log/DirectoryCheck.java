package dev.sluice.log;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.log.CheckReport.Finding;
import dev.sluice.log.CheckReport.Remedy;
import dev.sluice.log.CheckReport.Repair;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Verifies a stopped broker's data folder without changing it, and mends what can be mended.
///
/// Holds the folder's lock while it looks, so that no broker starts meanwhile. Blocks; reads every byte of every
/// segment. Control plane: one thread calls, a few of its own read.
public final class DirectoryCheck {
    private static final int THREADS = 2;

    private DirectoryCheck() {}

    /// Looks at everything in a data folder.
    ///
    /// @param configOf a topic's configuration; asked by several threads
    /// @param clock    tells how long it took
    /// @throws LogDirectoryException.Held while a broker has the folder open
    /// @throws LogDirectoryException when it is no data folder, or can't be read
    /// @throws IOException when a partition's folder can't be listed
    public static CheckReport check(
            Kernel kernel, Path folder, Function<String, LogConfig> configOf, InstantSource clock) throws IOException {
        Instant started = clock.instant();
        Path absolute = folder.toAbsolutePath().normalize();
        DirectoryLock lock = DirectoryLock.takeExisting(kernel, absolute);
        try {
            identity(kernel, absolute);
            return check(kernel, absolute, configOf, started, clock);
        } finally {
            if (lock != null) {
                lock.close();
            }
        }
    }

    private static Identity identity(Kernel kernel, Path folder) throws IOException {
        return MetaProperties.read(kernel, folder, new UUID(0, 0))
                .orElseThrow(() -> new LogDirectoryException.Foreign(
                        folder + " is no data folder: there is no " + MetaProperties.FILE + " in it"))
                .identity();
    }

    private static CheckReport check(
            Kernel kernel, Path folder, Function<String, LogConfig> configOf, Instant started, InstantSource clock)
            throws IOException {
        boolean clean = java.nio.file.Files.exists(folder.resolve(LogDirectory.CLEAN_MARKER));
        List<Finding> findings = new ArrayList<>();
        Map<PartitionName, Long> recoveryPoints =
                readCheckpoint(kernel, folder.resolve(OffsetCheckpoint.RECOVERY_POINT), findings);
        Map<PartitionName, Long> logStarts =
                readCheckpoint(kernel, folder.resolve(OffsetCheckpoint.LOG_START), findings);
        readCheckpoint(kernel, folder.resolve(Ceilings.FILE), findings);
        List<PartitionName> partitions = new ArrayList<>();
        for (String name : SmallFiles.list(folder)) {
            if (!PartitionName.isDeletedFolder(name)
                    && kernel.files().status(folder.resolve(name)).isDirectory()) {
                PartitionName.ofFolder(name).ifPresent(partitions::add);
            }
        }
        List<PartitionCheck.Checked> checked = ParallelWork.run(
                "sluice-check",
                THREADS,
                partitions,
                "Checking partition ",
                name -> new PartitionCheck(
                                kernel,
                                name,
                                folder.resolve(name.folder()),
                                configOf.apply(name.topic()),
                                new PartitionLoader.Checkpoints(
                                        recoveryPoints.getOrDefault(name, 0L), logStarts.getOrDefault(name, -1L)),
                                clean)
                        .run());
        checked.forEach(each -> findings.addAll(each.findings()));
        return new CheckReport(
                clean,
                checked.size(),
                checked.stream().mapToInt(PartitionCheck.Checked::segments).sum(),
                checked.stream().mapToLong(PartitionCheck.Checked::batches).sum(),
                checked.stream().mapToLong(PartitionCheck.Checked::bytes).sum(),
                List.copyOf(findings),
                checked.stream().flatMap(each -> each.repairs().stream()).toList(),
                Duration.between(started, clock.instant()).toNanos());
    }

    private static Map<PartitionName, Long> readCheckpoint(Kernel kernel, Path path, List<Finding> findings)
            throws ErrnoException {
        return OffsetCheckpoint.read(
                kernel,
                path,
                _ -> findings.add(new Finding(
                        Remedy.RECOVERY,
                        path,
                        -1,
                        "can't be understood; it is written anew, and recovery reads more")));
    }

    /// Takes away what a check has found spoilt and can be made anew, cuts damaged ends, and then opens and closes
    /// the folder as a broker does: everything is recovered, and the folder closed cleanly.
    ///
    /// @param found what [#check] has just found there
    /// @return what recovery found and did
    /// @throws LogDirectoryException.Held while a broker has the folder open
    /// @throws IOException when a file can't be read, written or removed
    public static RecoveryReport repair(
            Kernel kernel, Path folder, Function<String, LogConfig> configOf, InstantSource clock, CheckReport found)
            throws IOException {
        Path absolute = folder.toAbsolutePath().normalize();
        Identity identity = identity(kernel, absolute);
        @Nullable DirectoryLock lock = DirectoryLock.takeExisting(kernel, absolute);
        try {
            for (Repair repair : found.repairs()) {
                apply(kernel, repair);
            }
        } finally {
            if (lock != null) {
                lock.close();
            }
        }
        try (LogDirectory directory = LogDirectory.open(
                kernel,
                absolute,
                identity,
                configOf,
                clock,
                Account.root("segments"),
                LogDirectory.Options.standard())) {
            return directory.recoveryReport();
        }
    }

    private static void apply(Kernel kernel, Repair repair) throws ErrnoException {
        if (repair.lengthBytes() < 0) {
            SmallFiles.remove(kernel, repair.file());
            return;
        }
        try (Descriptor file = kernel.files()
                .open(repair.file(), Files.O_RDWR, 0, kernel.account())
                .orThrow()) {
            long result;
            do {
                result = kernel.files().ftruncate(file, repair.lengthBytes());
            } while (result == -Errno.EINTR);
            ErrnoException.check(result, Call.FTRUNCATE, repair.file().toString());
            ErrnoException.check(
                    kernel.files().fsync(file), Call.FSYNC, repair.file().toString());
        }
    }
}
