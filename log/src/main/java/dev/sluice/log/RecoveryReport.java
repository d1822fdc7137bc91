package dev.sluice.log;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What opening a data folder found and did.
///
/// @param clean      whether the broker before had closed the folder
/// @param killed     whether it had not, and yet nothing that it wrote is lost: the machine has run on
/// @param partitions one for each partition, by name
/// @param ignored    names of folders and files that are none of ours, left alone
/// @param removed    folders of deleted partitions whose removal was finished now
/// @param warnings   what else an operator should know, a sentence each
/// @param durationNs from the first look to the last partition
public record RecoveryReport(
        boolean clean,
        boolean killed,
        List<Partition> partitions,
        List<String> ignored,
        List<String> removed,
        List<String> warnings,
        long durationNs) {

    /// What became of one partition.
    ///
    /// @param name            the folder's name, `topic-partition`
    /// @param segments        segments it has now
    /// @param segmentsScanned segments whose batches were read and checked
    /// @param bytesScanned    bytes that were read for it
    /// @param batchesScanned  batches that were found whole
    /// @param indexesRebuilt  segments whose indexes were written anew
    /// @param cut             where the log was cut, or null
    /// @param skip            offsets that are given to no record, or null
    /// @param warnings        what else an operator should know, a sentence each
    /// @param logStartOffset  first offset
    /// @param logEndOffset    next offset to be given
    public record Partition(
            String name,
            int segments,
            int segmentsScanned,
            long bytesScanned,
            long batchesScanned,
            int indexesRebuilt,
            @Nullable Cut cut,
            @Nullable Skip skip,
            List<String> warnings,
            long logStartOffset,
            long logEndOffset,
            long durationNs) {}

    /// Where a log was cut because what follows can't be a part of it.
    ///
    /// @param file            the segment's file
    /// @param position        first byte that was cut
    /// @param bytes           bytes cut there and in the segments behind
    /// @param segmentsRemoved segments behind it that were removed
    /// @param reason          what was wrong with the bytes at `position`
    public record Cut(String file, long position, long bytes, int segmentsRemoved, String reason) {}

    /// Offsets that may have been seen by somebody and whose records are lost, or never were. No record gets them.
    ///
    /// @param fromOffset  the first; where the new leader epoch begins
    /// @param toOffset    behind the last: the next record gets it
    /// @param leaderEpoch the new epoch
    public record Skip(long fromOffset, long toOffset, int leaderEpoch) {}

    /// Partitions that go on above offsets that were left out.
    public List<Partition> skipped() {
        return partitions.stream().filter(partition -> partition.skip() != null).toList();
    }

    /// Partitions that lost bytes.
    public List<Partition> cut() {
        return partitions.stream().filter(partition -> partition.cut() != null).toList();
    }
}
