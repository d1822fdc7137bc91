package dev.sluice.log;

import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/// Which leader epoch began at which offset: the file `leader-epoch-checkpoint` of a partition, a [CheckpointFile]
/// with the lines `epoch startOffset`, both rising.
///
/// An immutable value; the log swaps it for another.
final class LeaderEpochs {
    static final String FILE = "leader-epoch-checkpoint";
    static final int NONE = -1;

    private final NavigableMap<Long, Integer> epochByStart;

    private LeaderEpochs(NavigableMap<Long, Integer> epochByStart) {
        this.epochByStart = epochByStart;
    }

    static LeaderEpochs empty() {
        return new LeaderEpochs(new TreeMap<>());
    }

    /// The epochs of a partition's folder, or empty where there is no file.
    ///
    /// @throws CheckpointFile.MalformedException when there is a file of another form
    static Optional<LeaderEpochs> read(Kernel kernel, Path folder)
            throws ErrnoException, CheckpointFile.MalformedException {
        Path path = folder.resolve(FILE);
        Optional<List<String[]>> entries = CheckpointFile.read(kernel, path, 2);
        if (entries.isEmpty()) {
            return Optional.empty();
        }
        LeaderEpochs epochs = empty();
        for (String[] entry : entries.get()) {
            try {
                epochs = epochs.with(Integer.parseInt(entry[0]), Long.parseLong(entry[1]));
            } catch (NumberFormatException e) {
                throw new CheckpointFile.MalformedException(path, "has an entry that is no number");
            }
        }
        return Optional.of(epochs);
    }

    /// Writes a new partition's file, and does not wait for the device: its one epoch is the one that a partition
    /// without a file is taken to have.
    void write(Kernel kernel, Path folder) throws ErrnoException {
        SmallFiles.write(kernel, folder.resolve(FILE), content(), false);
    }

    /// Puts these epochs in the place of those in the file, and waits for the device. A crash meanwhile leaves one
    /// or the other: a part of them would have an epoch given again, for recovery reads no batch of the segments it
    /// trusts.
    void replace(Kernel kernel, Path folder) throws ErrnoException {
        SmallFiles.replace(kernel, folder.resolve(FILE), content());
        SmallFiles.syncFolder(kernel, folder);
    }

    private byte[] content() {
        return CheckpointFile.format(lines());
    }

    /// The lines of the file, without its head.
    List<String> lines() {
        List<String> lines = new ArrayList<>();
        epochByStart.forEach((start, epoch) -> lines.add(epoch + " " + start));
        return lines;
    }

    /// With `epoch` beginning at `startOffset`; the same when the epoch is not newer than the latest.
    LeaderEpochs with(int epoch, long startOffset) {
        if (epoch <= latest()) {
            return this;
        }
        TreeMap<Long, Integer> more = new TreeMap<>(epochByStart.headMap(startOffset, false));
        more.put(startOffset, epoch);
        return new LeaderEpochs(more);
    }

    /// Without the epochs that begin above `endOffset`: those whose batches were all cut. One that begins at the
    /// very end stays, for the next batch is its first.
    LeaderEpochs upTo(long endOffset) {
        NavigableMap<Long, Integer> kept = epochByStart.headMap(endOffset, true);
        return kept.size() == epochByStart.size() ? this : new LeaderEpochs(new TreeMap<>(kept));
    }

    /// The newest epoch, or [#NONE].
    int latest() {
        return epochByStart.isEmpty() ? NONE : epochByStart.lastEntry().getValue();
    }

    /// Where `epoch` ended, as Kafka's `LeaderEpochFileCache.endOffsetFor` has it.
    ///
    /// @param logEndOffset where the newest one ends for now
    EpochEnd endOf(int epoch, long logEndOffset) {
        if (epoch < 0 || epoch > latest()) {
            return EpochEnd.UNKNOWN;
        }
        int answered = epoch; // stays, for one from before the oldest that is known
        for (var entry : epochByStart.entrySet()) {
            if (entry.getValue() > epoch) {
                return new EpochEnd(answered, entry.getKey());
            }
            answered = entry.getValue();
        }
        return new EpochEnd(answered, logEndOffset);
    }

    /// The epoch that `offset` was written in, or [#NONE] where that is not known.
    int of(long offset) {
        var entry = epochByStart.floorEntry(offset);
        return entry == null ? NONE : entry.getValue();
    }
}
