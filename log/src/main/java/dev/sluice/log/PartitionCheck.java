package dev.sluice.log;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.log.CheckReport.Finding;
import dev.sluice.log.CheckReport.Remedy;
import dev.sluice.log.CheckReport.Repair;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Reads all of a partition's folder and changes nothing in it: every batch with its checksum, the order of offsets and
/// epochs, every index entry, every snapshot of producers.
///
/// Unlike [PartitionLoader] it goes on behind a damage, at the next bytes that are a batch, so that all damages are
/// told at once. What lies above the recovery point after an unclean end is judged as recovery will: it ends where a
/// batch can't follow, and its indexes are made anew whatever they hold. Used once, by one thread.
final class PartitionCheck {
    /// What was found in one partition.
    record Checked(
            PartitionName name,
            int segments,
            long batches,
            long bytes,
            long endOffset,
            List<Finding> findings,
            List<Repair> repairs) {}

    private final Kernel kernel;
    private final PartitionName name;
    private final Path folder;
    private final LogConfig config;
    private final PartitionLoader.Checkpoints checkpoints;
    private final boolean clean;

    private final List<SegmentFiles> segments = new ArrayList<>();
    private final NavigableSet<Long> snapshots = new TreeSet<>();
    private final List<Finding> findings = new ArrayList<>();
    private final List<Repair> repairs = new ArrayList<>();
    /// As the batches since the last gap tell them.
    private ProducerStates producers = new ProducerStates();
    private LeaderEpochs epochs = LeaderEpochs.empty();
    private long batches;
    private long bytes;

    /// @param clean whether the folder was closed
    PartitionCheck(
            Kernel kernel,
            PartitionName name,
            Path folder,
            LogConfig config,
            PartitionLoader.Checkpoints checkpoints,
            boolean clean) {
        this.kernel = kernel;
        this.name = name;
        this.folder = folder;
        this.config = config;
        this.checkpoints = checkpoints;
        this.clean = clean;
    }

    /// @throws IOException when the folder can't be listed; a file that can't be read is a finding
    Checked run() throws IOException {
        takeInventory();
        readSmallFiles();
        long expected = segments.isEmpty()
                ? Math.max(0, checkpoints.logStart())
                : segments.getFirst().baseOffset();
        int firstRecovered = firstRecovered();
        for (int i = 0; i < segments.size(); i++) {
            SegmentFiles files = segments.get(i);
            boolean recovered = i >= firstRecovered;
            if (!follows(files, expected, recovered)) {
                if (recovered) {
                    break; // cut off by recovery, whatever it holds
                }
                expected = files.baseOffset();
                producers = new ProducerStates();
            }
            checkSnapshot(files.baseOffset());
            SegmentEnd end = checkSegment(files, recovered, i == segments.size() - 1);
            expected = end.offset();
            if (end.cut()) {
                break;
            }
        }
        checkEnds(expected);
        return new Checked(name, segments.size(), batches, bytes, expected, findings, repairs);
    }

    private void finding(Remedy remedy, Path file, long position, String what) {
        findings.add(new Finding(remedy, file, position, what));
    }

    private void takeInventory() throws IOException {
        List<SegmentFiles.Name> indexes = new ArrayList<>();
        NavigableSet<Long> bases = new TreeSet<>();
        for (String fileName : SmallFiles.list(folder)) {
            SegmentFiles.parse(fileName).ifPresent(parsed -> {
                switch (parsed.suffix()) {
                    case SegmentFiles.LOG -> bases.add(parsed.baseOffset());
                    case SegmentFiles.SNAPSHOT -> snapshots.add(parsed.baseOffset());
                    case SegmentFiles.OFFSET_INDEX, SegmentFiles.TIME_INDEX -> indexes.add(parsed);
                    default -> {}
                }
            });
        }
        for (SegmentFiles.Name index : indexes) {
            if (!bases.contains(index.baseOffset())) {
                finding(
                        Remedy.RECOVERY,
                        SegmentFiles.of(folder, index.baseOffset(), index.suffix()),
                        -1,
                        "is an index without a segment; it is removed");
            }
        }
        bases.forEach(base -> segments.add(new SegmentFiles(folder, base)));
        while (segments.size() > 1 && segments.get(1).baseOffset() <= checkpoints.logStart()) {
            SegmentFiles deleted = segments.removeFirst(); // and not unlinked yet: nobody reads it any more
            snapshots.remove(deleted.baseOffset());
        }
    }

    private void readSmallFiles() throws ErrnoException {
        try {
            epochs = LeaderEpochs.read(kernel, folder).orElse(LeaderEpochs.empty());
        } catch (CheckpointFile.MalformedException e) {
            finding(
                    Remedy.RECOVERY,
                    folder.resolve(LeaderEpochs.FILE),
                    -1,
                    "can't be understood; it is made anew from the batches");
        }
        PartitionMetadata.read(
                kernel,
                folder,
                _ -> finding(
                        Remedy.RECOVERY,
                        folder.resolve(PartitionMetadata.FILE),
                        -1,
                        "names no topic id; the broker assigns it again"));
    }

    /// The first segment that recovery will read: after a clean end none.
    private int firstRecovered() {
        if (clean) {
            return segments.size();
        }
        int first = segments.size() - 1;
        while (first > 0 && segments.get(first).baseOffset() > checkpoints.recoveryPoint()) {
            first--;
        }
        return first;
    }

    private boolean follows(SegmentFiles files, long expected, boolean recovered) {
        long base = files.baseOffset();
        if (base == expected || (config.compacted() && base > expected)) {
            return true;
        }
        String what = base > expected
                ? "begins at offset " + base + ": " + records(expected, base) + " are missing before it"
                : "begins at offset " + base + ", below " + expected + " where the segment before it ends";
        finding(
                recovered ? Remedy.RECOVERY : Remedy.NONE,
                files.log(),
                0,
                recovered ? what + "; recovery ends the log before it" : what);
        return false;
    }

    private static String records(long from, long to) {
        return to - from == 1 ? "the record at offset " + from : "the records at offsets " + from + " to " + (to - 1);
    }

    // ---- One segment

    /// @param cut whether the log ends there, with more behind
    private record SegmentEnd(long offset, boolean cut) {}

    private SegmentEnd checkSegment(SegmentFiles files, boolean recovered, boolean last) {
        Path path = files.log();
        try {
            int size = (int) Math.min(kernel.files().status(path).sizeBytes(), Integer.MAX_VALUE);
            List<IndexEntriesCheck> indexes = recovered
                    ? List.of()
                    : List.of(
                            new IndexEntriesCheck(kernel, IndexFormat.OFFSET, files.offsetIndex(), files.baseOffset()),
                            new IndexEntriesCheck(kernel, IndexFormat.TIME, files.timeIndex(), files.baseOffset()));
            try (Descriptor file = kernel.files()
                            .open(path, Files.O_RDONLY, 0, kernel.account())
                            .orThrow();
                    SegmentScanner scanner = new SegmentScanner(
                            kernel, size, recovered ? SegmentScanner.Rest.FILLED : SegmentScanner.Rest.NOTHING)) {
                return scan(files, file, scanner, size, indexes, recovered, last);
            }
        } catch (ErrnoException e) {
            finding(Remedy.NONE, path, -1, "can't be read: " + e.getMessage());
            return new SegmentEnd(nextBase(files), false);
        }
    }

    private long nextBase(SegmentFiles files) {
        int index = segments.indexOf(files);
        return index + 1 < segments.size() ? segments.get(index + 1).baseOffset() : files.baseOffset();
    }

    private SegmentEnd scan(
            SegmentFiles files,
            Descriptor file,
            SegmentScanner scanner,
            int size,
            List<IndexEntriesCheck> indexes,
            boolean recovered,
            boolean last)
            throws ErrnoException {
        EpochCheck epochCheck = new EpochCheck(files.log(), recovered);
        SegmentScanner.Visitor visitor = (header, position) -> {
            producers.appended(header);
            epochCheck.batch(header, position);
            indexes.forEach(index -> index.batch(header, position));
        };
        long base = files.baseOffset();
        SegmentScanner.Result result = scanner.scan(file, size, base, config.compacted(), visitor);
        boolean damaged = false;
        while (result.problem() != null) {
            damaged = true; // what the indexes say of what can't be read is nobody's business
            batches += result.batches();
            int position = result.validBytes();
            if (!recovered && epochCheck.told && stepsBackOnlyInEpoch(scanner, file, result, size, base)) {
                result = scanner.scanOn(file, position, size, base, result.endOffset(), config.compacted(), visitor);
                continue;
            }
            int behind = scanner.findBatch(file, position + 1, size, base, result.endOffset());
            if (recovered) {
                finding(Remedy.RECOVERY, files.log(), position, cutBy(result.problem(), size - position, behind, last));
                return endOf(files, scanner, result.endOffset(), true);
            }
            if (behind < 0) {
                return damagedToTheEnd(files, scanner, result, size, last);
            }
            long found = scanner.foundOffset();
            producers = new ProducerStates();
            finding(
                    Remedy.NONE,
                    files.log(),
                    position,
                    result.problem() + "; "
                            + (found > result.endOffset()
                                    ? records(result.endOffset(), found) + " can't be read"
                                    : "no record is missing")
                            + ", whole batches go on at byte " + behind);
            result = scanner.scanOn(file, behind, size, base, found, config.compacted(), visitor);
        }
        batches += result.batches();
        if (!damaged) {
            indexes.forEach(this::report);
        }
        return endOf(files, scanner, result.endOffset(), false);
    }

    /// Whether the batch is whole and in its place, and only its epoch is behind that of a batch that was told of.
    private static boolean stepsBackOnlyInEpoch(
            SegmentScanner scanner, Descriptor file, SegmentScanner.Result result, int size, long base)
            throws ErrnoException {
        int position = result.validBytes();
        return scanner.findBatch(file, position, size, base, result.endOffset()) == position
                && scanner.foundOffset() == result.endOffset();
    }

    private SegmentEnd endOf(SegmentFiles files, SegmentScanner scanner, long offset, boolean cut) {
        bytes += scanner.bytesRead();
        return new SegmentEnd(Math.max(offset, files.baseOffset()), cut);
    }

    private static String cutBy(String problem, int cutBytes, int behind, boolean last) {
        return problem + "; recovery ends the log here and cuts " + cutBytes + " bytes off"
                + (behind < 0 ? "" : ", with whole batches from byte " + behind + " on")
                + (last ? "" : ", and removes the segments behind");
    }

    /// No recovery will read there, and nothing whole lies behind.
    private SegmentEnd damagedToTheEnd(
            SegmentFiles files, SegmentScanner scanner, SegmentScanner.Result result, int size, boolean last) {
        int position = result.validBytes();
        if (last) {
            repairs.add(new Repair(files.log(), position));
            finding(
                    Remedy.RECOVERY,
                    files.log(),
                    position,
                    result.problem() + "; a repair cuts the last " + (size - position) + " bytes off");
            return endOf(files, scanner, result.endOffset(), false);
        }
        producers = new ProducerStates();
        long next = nextBase(files);
        finding(
                Remedy.NONE,
                files.log(),
                position,
                result.problem() + "; "
                        + (next > result.endOffset()
                                ? records(result.endOffset(), next) + " can't be read"
                                : "no record is missing"));
        return endOf(files, scanner, next, false);
    }

    private void report(IndexEntriesCheck index) {
        index.end();
        String problem = index.problem();
        if (problem != null) {
            repairs.add(new Repair(index.path(), -1));
            finding(Remedy.RECOVERY, index.path(), index.position(), problem + "; it is made anew from the batches");
        }
    }

    /// The epoch in a batch's header lies under no checksum; the partition's list of epochs is held against it.
    private final class EpochCheck {
        private final Path file;
        private final boolean recovered;
        private boolean told;

        private EpochCheck(Path file, boolean recovered) {
            this.file = file;
            this.recovered = recovered;
        }

        private void batch(BatchView header, int position) {
            int listed = epochs.of(header.baseOffset());
            boolean newer = recovered && header.leaderEpoch() > epochs.latest(); // not written down before the end
            if (!told && listed != LeaderEpochs.NONE && listed != header.leaderEpoch() && !newer) {
                told = true;
                finding(
                        Remedy.NONE,
                        file,
                        (long) position + BatchView.EPOCH_AT,
                        "leader epoch " + header.leaderEpoch() + " in the batch at offset " + header.baseOffset()
                                + ", and " + listed + " in " + LeaderEpochs.FILE + "; its records are whole");
            }
        }
    }

    // ---- Producers, and the ends

    /// Holds the snapshot at `offset`, if there is one, against the producers of all batches before.
    private void checkSnapshot(long offset) throws ErrnoException {
        if (!snapshots.remove(offset)) {
            return;
        }
        Path path = SegmentFiles.of(folder, offset, SegmentFiles.SNAPSHOT);
        byte @Nullable [] content = SmallFiles.read(kernel, path);
        ProducerStates stored = content == null ? null : ProducerSnapshot.parse(content);
        String problem = stored == null ? "is no snapshot of producers" : contradiction(stored);
        if (problem != null) {
            repairs.add(new Repair(path, -1));
            finding(Remedy.RECOVERY, path, -1, problem + "; without it the producers are found in the batches before");
        } else if (stored != null) {
            // Producers whose batches were deleted are known by the snapshot alone.
            stored.all().forEach((id, state) -> {
                if (!producers.all().containsKey(id)) {
                    producers.put(id, state);
                }
            });
        }
    }

    private @Nullable String contradiction(ProducerStates stored) {
        for (Map.Entry<Long, ProducerState> entry : stored.all().entrySet()) {
            ProducerState found = producers.all().get(entry.getKey());
            ProducerState told = entry.getValue();
            if (found != null
                    && !told.isEmpty()
                    && (found.epoch() != told.epoch() || found.lastSequence() != told.lastSequence())) {
                return "says that producer " + entry.getKey() + " was at sequence " + told.lastSequence()
                        + " of epoch " + told.epoch() + ", and its batches end with " + found.lastSequence() + " of "
                        + found.epoch();
            }
        }
        return null;
    }

    private void checkEnds(long end) throws ErrnoException {
        checkSnapshot(end);
        // One between the segments is left of an earlier end: the next start removes it.
        for (long stray : snapshots.tailSet(end, false)) {
            finding(
                    Remedy.RECOVERY,
                    SegmentFiles.of(folder, stray, SegmentFiles.SNAPSHOT),
                    -1,
                    "stands behind the log's end, " + end + "; it is removed");
        }
        Path checkpointFolder = SmallFiles.folderOf(folder);
        if (checkpoints.recoveryPoint() > end) {
            finding(
                    Remedy.NONE,
                    checkpointFolder.resolve(OffsetCheckpoint.RECOVERY_POINT),
                    -1,
                    "says that " + name + " was on the device up to offset " + checkpoints.recoveryPoint()
                            + ", and it ends at " + end + ": " + records(end, checkpoints.recoveryPoint())
                            + " are lost");
        }
        if (checkpoints.logStart() > end) {
            finding(
                    Remedy.RECOVERY,
                    checkpointFolder.resolve(OffsetCheckpoint.LOG_START),
                    -1,
                    "says that " + name + " begins at offset " + checkpoints.logStart() + ", and it ends at " + end
                            + "; it goes on, empty, at its beginning");
        }
    }
}
