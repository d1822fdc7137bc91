package dev.sluice.systemtest;

import dev.sluice.testbase.LoopFileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Locale;
import java.util.stream.Stream;

/// One row of the crash campaign: what ends the broker, on which file system, with which flush policy.
///
/// @param fileSystem `ext4`, `xfs`, or `folder` for a plain folder, which needs no root and knows no power cut
/// @param policy     `os`, `interval` or `ack`
/// @param lying      whether its fsync and fdatasync do nothing: the control
/// @param engine     `pwrite`, `mapped` or `direct`
record CrashCase(Crash crash, String fileSystem, String policy, boolean lying, String engine) {
    /// By pwrite.
    CrashCase(Crash crash, String fileSystem, String policy, boolean lying) {
        this(crash, fileSystem, policy, lying, "pwrite");
    }

    /// What ends the broker.
    enum Crash {
        KILL,
        POWER_CUT;

        @Override
        public String toString() {
            return this == KILL ? "kill -9" : "power cut";
        }
    }

    static final String FOLDER = "folder";
    private static final long DISK_BYTES = 1L << 30;

    /// Whether acknowledged records may be gone afterwards, so that they are counted and no failure.
    boolean mayLose() {
        return crash == Crash.POWER_CUT && (lying || !policy.equals("ack"));
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT, "%s %s %s%s", crash, fileSystem, policyAndEngine(), lying ? " without fsync" : "");
    }

    /// `ack`, `ack mapped`, …
    String policyAndEngine() {
        return engine.equals("pwrite") ? policy : policy + " " + engine;
    }

    /// What its broker's data lies on.
    ///
    /// @param parent on a tmpfs, so that hundreds of cycles wear no disk
    Disk disk(Path parent) throws IOException, InterruptedException {
        if (fileSystem.equals(FOLDER)) {
            Path folder = Files.createTempDirectory(parent, "crash");
            return new Disk(folder, null);
        }
        LoopFileSystem made = LoopFileSystem.create(parent, fileSystem, DISK_BYTES);
        return new Disk(made.folder(), made);
    }

    /// A folder, and the file system under it if it is one of its own.
    record Disk(Path folder, LoopFileSystem own) implements AutoCloseable {
        /// Ends the broker the way that the case wants it ended.
        void crash(Crash crash, BrokerProcess broker) throws IOException, InterruptedException {
            if (crash == Crash.POWER_CUT) {
                // First the broker: a file system that is being shut down may still say that a flush went well,
                // which after a real cut nobody is there to hear.
                broker.halt();
                own.cutPower();
            }
            broker.kill();
            broker.close();
            if (crash == Crash.POWER_CUT) {
                own.remount();
            }
        }

        @Override
        public void close() throws IOException, InterruptedException {
            if (own != null) {
                own.close();
                return;
            }
            try (Stream<Path> files = Files.walk(folder)) {
                files.sorted(Comparator.reverseOrder())
                        .forEach(file -> file.toFile().delete());
            }
        }
    }
}
