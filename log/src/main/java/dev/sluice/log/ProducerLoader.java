package dev.sluice.log;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.NavigableSet;
import java.util.TreeSet;

/// Finds out what a partition's log remembers of producers: from a snapshot, and from the headers of batches since.
///
/// A part of one [PartitionLoader], on its thread.
final class ProducerLoader {
    private final Kernel kernel;
    private final Path folder;
    private final LogConfig config;
    private final List<PartitionLoader.Found> segments;
    private final List<String> warnings;
    private final Account account;
    private final NavigableSet<Long> snapshots = new TreeSet<>();
    private ProducerStates states = new ProducerStates();
    private long snapshotOffset;

    /// @param segments the loader's own list, as it comes to be
    /// @param warnings gets what an operator should know
    /// @param account  counts what is read
    ProducerLoader(
            Kernel kernel,
            Path folder,
            LogConfig config,
            List<PartitionLoader.Found> segments,
            List<String> warnings,
            Account account) {
        this.kernel = kernel;
        this.folder = folder;
        this.config = config;
        this.segments = segments;
        this.warnings = warnings;
        this.account = account;
    }

    /// There is a snapshot of this offset.
    void found(long snapshot) {
        snapshots.add(snapshot);
    }

    /// What is known so far.
    ProducerStates states() {
        return states;
    }

    /// The offset of the snapshot that was believed, 0 without.
    long snapshotOffset() {
        return snapshotOffset;
    }

    /// Forgets all: the log begins at `offset`, with nothing in it.
    void startAnew(long offset) {
        states = new ProducerStates();
        snapshotOffset = offset;
    }

    /// A batch that [#load] has not seen.
    void appended(BatchView header) {
        states.appended(header);
    }

    /// The producers as they were before the record at `offset`: from the newest snapshot below, and the headers
    /// since.
    ///
    /// @param count segments that lie below `offset`
    void load(long offset, int count) throws ErrnoException {
        long from = loadSnapshot(offset);
        for (int i = 0; i < count; i++) {
            PartitionLoader.Found found = segments.get(i);
            if (found.endOffset() > from) {
                replay(found, from);
            }
        }
    }

    /// Only snapshots at a segment's base or at the very end are believed. Others are leftovers of a log that
    /// went on otherwise.
    private long loadSnapshot(long offset) throws ErrnoException {
        for (long candidate : snapshots.headSet(offset, true).descendingSet()) {
            if (candidate == offset || isBase(candidate)) {
                ProducerStates loaded =
                        ProducerSnapshot.read(kernel, SegmentFiles.of(folder, candidate, SegmentFiles.SNAPSHOT));
                if (loaded != null) {
                    states = loaded;
                    snapshotOffset = candidate;
                    return candidate;
                }
                warnings.add(SegmentFiles.of(folder, candidate, SegmentFiles.SNAPSHOT)
                        + " is no snapshot; an older one and the batches since stand in");
            }
        }
        return 0;
    }

    private boolean isBase(long offset) {
        return Collections.binarySearch(
                        segments.stream()
                                .map(found -> found.files().baseOffset())
                                .toList(),
                        offset)
                >= 0;
    }

    private void replay(PartitionLoader.Found found, long from) throws ErrnoException {
        Path path = found.files().log();
        try (Descriptor file =
                        kernel.files().open(path, Files.O_RDWR, 0, account).orThrow();
                HeaderCursor cursor = HeaderCursor.open(
                        kernel,
                        file,
                        found.files().baseOffset(),
                        found.endOffset(),
                        found.logBytes(),
                        config.compacted(),
                        false)) {
            while (cursor.next()) {
                if (cursor.header().baseOffset() >= from) {
                    states.appended(cursor.header());
                }
            }
        } catch (CorruptBatchException e) {
            warnings.add("producers are known only up to there: " + e.getMessage());
        }
    }

    /// Also those that a crash left torn: they are never synced, and what is no snapshot is of no use to anybody.
    void removeStraySnapshots(long endOffset, boolean trusted) throws ErrnoException {
        for (long offset : snapshots) {
            boolean stray = offset > endOffset || (offset != endOffset && !isBase(offset));
            if (stray || (!trusted && !isSnapshot(offset))) {
                SmallFiles.remove(kernel, SegmentFiles.of(folder, offset, SegmentFiles.SNAPSHOT));
            }
        }
    }

    private boolean isSnapshot(long offset) throws ErrnoException {
        Path path = SegmentFiles.of(folder, offset, SegmentFiles.SNAPSHOT);
        return ProducerSnapshot.read(kernel, path) != null;
    }
}
