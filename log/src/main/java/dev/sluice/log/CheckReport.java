package dev.sluice.log;

import java.nio.file.Path;
import java.util.List;

/// What a [DirectoryCheck] found in a stopped broker's data folder.
///
/// @param clean      whether the broker had closed the folder
/// @param partitions partitions looked at
/// @param batches    batches found whole, checksum and all
/// @param bytes      bytes of segments that were read
/// @param findings   by partition and file
/// @param repairs    what [DirectoryCheck#repair] does before it lets recovery do the rest
public record CheckReport(
        boolean clean,
        int partitions,
        int segments,
        long batches,
        long bytes,
        List<Finding> findings,
        List<Repair> repairs,
        long durationNs) {
    /// What becomes of a finding.
    public enum Remedy {
        /// The next start, or a repair, mends it; no record that was whole is lost by it.
        RECOVERY,
        /// Nothing here mends it: records are lost or can't be read.
        NONE
    }

    /// Something that is not as it has to be.
    ///
    /// @param position the byte of the file, or −1 where it is the file as a whole
    /// @param what     half a sentence: what was found, and what follows from it
    public record Finding(Remedy remedy, Path file, long position, String what) {}

    /// A file that is cut or taken away.
    ///
    /// @param lengthBytes what is left of it, or −1 for nothing: it can be made anew
    public record Repair(Path file, long lengthBytes) {}

    /// Whether something was found that nothing mends.
    public boolean lost() {
        return findings.stream().anyMatch(finding -> finding.remedy() == Remedy.NONE);
    }
}
