package dev.sluice.log;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableSet;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Makes a [PartitionLog] of what lies in its folder.
///
/// ```
///   segments     0 ───────── 5000 ──────── 9000 ─────── 12000 (active) ──────┐
///                     trusted       │ recovery point 9100                    │ end of file
///                                   └ read whole from here, indexes made anew, cut where a batch can't follow
/// ```
///
/// After a clean end all segments are trusted, unless the log ends below its recovery point, which was its end then:
/// somebody has cut it since. A trusted segment is not read: its indexes are looked at, and made
/// anew where they can't be right.
///
/// Where something that was seen is lost, or may be, the log goes on above its ceiling, so that no offset that somebody
/// has seen is given to other data: in a new segment, for the old one's file is never written again, in a new leader
/// epoch, and behind a [FillerBatch] that stands for the offsets between.
///
/// ```
///   … │ 9000 ──── 9740 ╳ cut │ 9740 filler ──────────────── 1,058,315 │ 1,058,316 next record, epoch 1
///        epoch 0                epoch 1                       ceiling ┘
/// ```
///
/// Used once, by one thread.
final class PartitionLoader {
    /// What of a folder's content the data folder's checkpoints know.
    ///
    /// @param recoveryPoint everything below is on the device
    /// @param logStart      where the log begins, or -1 when it begins with its first segment
    /// @param ceiling       below it, offsets may have been seen that are not on the device, see [Ceilings]
    record Checkpoints(long recoveryPoint, long logStart, long ceiling) {
        /// For who only looks.
        Checkpoints(long recoveryPoint, long logStart) {
            this(recoveryPoint, logStart, 0);
        }
    }

    /// How the broker before ended.
    enum Ending {
        /// It closed the folder.
        CLEAN,
        /// It died, and what it wrote is in the page cache still.
        KILLED,
        /// The same, with an engine that fills files ahead of their ends.
        KILLED_FILLING,
        /// What it had not flushed may be lost.
        LOST;

        boolean keptPageCache() {
            return this == KILLED || this == KILLED_FILLING;
        }

        /// What a file may end in that is no damage. Where zeros may be bytes that a device has lost, only as
        /// few as no batch goes missing in; after a loss of power it is no matter, for the log goes on
        /// elsewhere then.
        SegmentScanner.Rest rest() {
            return this == KILLED_FILLING || this == LOST ? SegmentScanner.Rest.FILLED : SegmentScanner.Rest.PADDED;
        }
    }

    /// The log, and what was found.
    record Loaded(PartitionLog log, RecoveryReport.Partition report) {}

    /// A segment as it is when all is done.
    record Found(SegmentFiles files, int logBytes, long endOffset, int offsetIndexEntries, int timeIndexEntries) {
        private static final int UNKNOWN = -1;

        static Found unread(SegmentFiles files, int logBytes) {
            return new Found(files, logBytes, UNKNOWN, UNKNOWN, UNKNOWN);
        }

        Found checked(long end, int offsetEntries, int timeEntries) {
            return new Found(files, logBytes, end, offsetEntries, timeEntries);
        }
    }

    private final LogContext context;
    private final Kernel kernel;
    private final PartitionName name;
    private final Path folder;
    private final LogConfig config;
    private final Checkpoints checkpoints;
    private final Account directoryAccount;
    private final Account recoveryAccount;

    private final List<Found> segments = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();
    private final ProducerLoader producers;
    private LeaderEpochs epochs = LeaderEpochs.empty();
    private boolean namesDurable;

    private int segmentsScanned;
    private long bytesScanned;
    private long batchesScanned;
    private int indexesRebuilt;
    /// The indexes of segments below are as they were found; those from here on may not be on the device.
    private long indexesFoundBelow = Long.MAX_VALUE;
    private RecoveryReport.@Nullable Cut cut;
    private boolean cutting;
    private RecoveryReport.@Nullable Skip skip;
    /// Whether a flush of it failed: then the page cache may hold what the device does not.
    private boolean fenced;
    private SegmentScanner.Rest rest = SegmentScanner.Rest.PADDED;
    private long recoveryPoint;
    /// Whether what was wrong with the segment that was read last is a write that did not come to its end.
    private boolean withinAWrite;

    /// @param directoryAccount parent of the partition's account
    /// @param recoveryAccount  counts what loading reads
    PartitionLoader(
            LogContext context,
            PartitionName name,
            Path folder,
            LogConfig config,
            Checkpoints checkpoints,
            Account directoryAccount,
            Account recoveryAccount) {
        this.context = context;
        this.kernel = context.kernel();
        this.name = name;
        this.folder = folder;
        this.config = config;
        this.checkpoints = checkpoints;
        this.directoryAccount = directoryAccount;
        this.recoveryAccount = recoveryAccount;
        this.producers = new ProducerLoader(kernel, folder, config, segments, warnings, recoveryAccount);
    }

    /// A partition that is new: its folder is made, with an empty segment.
    ///
    /// @throws ErrnoException when the folder is there already (EEXIST), or can't be made
    static PartitionLog create(
            LogContext context,
            PartitionName name,
            Path folder,
            LogConfig config,
            UUID topicId,
            Account directoryAccount)
            throws ErrnoException {
        Kernel kernel = context.kernel();
        ErrnoException.check(
                kernel.files().makeDirectory(folder, SmallFiles.FOLDER_MODE), Call.MKDIR, folder.toString());
        LazyAccount account = new LazyAccount(() -> directoryAccount, name.folder());
        Segment first = Segment.create(context, new SegmentFiles(folder, 0), config.compacted(), account);
        LeaderEpochs epochs = LeaderEpochs.empty().with(0, 0);
        epochs.write(kernel, folder);
        PartitionMetadata.writeNew(kernel, folder, topicId);
        return new PartitionLog(
                context,
                name,
                folder,
                config,
                account,
                new PartitionLog.Contents(
                        new Segment[] {first}, new ProducerStates(), epochs, 0, 0, 0, false, 0, 0, topicId));
    }

    /// Opens the partition, and mends it where the broker before did not end cleanly.
    ///
    /// @throws IOException when its files can't be read or written
    Loaded load(Ending ending) throws IOException {
        Instant started = context.clock().instant();
        rest = ending.rest();
        takeInventory();
        removeBelowStart();
        @Nullable UUID topicId = PartitionMetadata.read(kernel, folder, warnings::add).orElse(null);
        LeaderEpochs stored = readEpochs();
        epochs = stored;
        if (segments.isEmpty()) {
            startAnew(Math.max(0, checkpoints.logStart()));
        }
        fenced = FenceMark.isIn(kernel, folder);
        boolean trusted = ending == Ending.CLEAN && !fenced && checkEnd() && reachesRecoveryPoint();
        namesDurable = trusted;
        int firstScanned = trusted ? segments.size() : firstToScan(ending == Ending.CLEAN && !fenced);
        checkIndexes(firstScanned);
        if (trusted) {
            producers.load(endOffset(), segments.size());
        } else {
            producers.load(segments.get(firstScanned).files().baseOffset(), firstScanned);
            scanFrom(firstScanned);
        }
        if (endOffset() < checkpoints.logStart()) {
            warnings.add("the log ends at offset " + endOffset() + ", below its start at " + checkpoints.logStart()
                    + "; its segments were removed");
            startAnew(checkpoints.logStart());
        }
        producers.removeStraySnapshots(endOffset(), trusted);
        epochs = epochs.upTo(endOffset());
        if (epochs.latest() == LeaderEpochs.NONE) {
            epochs = epochs.with(0, segments.getFirst().files().baseOffset());
        }
        boolean lossless = trusted
                || (ending.keptPageCache()
                        && nothingPublishedWasCut()
                        && !fenced
                        && endOffset() >= checkpoints.recoveryPoint());
        // What was flushed was seen too, also where nothing is shown before: such a log has no ceiling.
        long seen = Math.max(checkpoints.ceiling(), checkpoints.recoveryPoint());
        if (!lossless && seen > endOffset()) {
            goOnAbove(seen);
        }
        if (!epochs.lines().equals(stored.lines())) {
            epochs.replace(kernel, folder);
        }
        if (trusted) {
            recoveryPoint = endOffset();
        } else if (!lossless
                || endOffset() > checkpoints.ceiling()
                || config.effectiveFlushPolicy() != FlushPolicy.OS) {
            flushFrom(Math.min(firstScanned, segments.size() - 1));
        } else {
            recoveryPoint = Math.min(checkpoints.recoveryPoint(), endOffset());
        }
        return result(
                topicId, Duration.between(started, context.clock().instant()).toNanos());
    }

    private Loaded result(@Nullable UUID topicId, long durationNs) {
        LazyAccount account = new LazyAccount(() -> directoryAccount, name.folder());
        Segment[] opened = segments.stream()
                .map(found -> new Segment(
                        context,
                        found.files(),
                        config.compacted(),
                        account,
                        found.offsetIndexEntries(),
                        found.timeIndexEntries(),
                        found.endOffset(),
                        found.logBytes()))
                .toArray(Segment[]::new);
        long start = Math.max(checkpoints.logStart(), opened[0].baseOffset());
        PartitionLog log = new PartitionLog(
                context,
                name,
                folder,
                config,
                account,
                new PartitionLog.Contents(
                        opened,
                        producers.states(),
                        epochs,
                        start,
                        recoveryPoint,
                        Math.max(producers.snapshotOffset(), start),
                        namesDurable,
                        Math.min(indexesFoundBelow, opened[opened.length - 1].baseOffset()),
                        checkpoints.ceiling(),
                        topicId));
        return new Loaded(
                log,
                new RecoveryReport.Partition(
                        name.folder(),
                        opened.length,
                        segmentsScanned,
                        bytesScanned,
                        batchesScanned,
                        indexesRebuilt,
                        cut,
                        skip,
                        List.copyOf(warnings),
                        start,
                        endOffset(),
                        durationNs));
    }

    private long endOffset() {
        return segments.getLast().endOffset();
    }

    // ---- What is there

    /// Finds the segments and snapshots, and removes what a crash has left half-way.
    private void takeInventory() throws IOException {
        NavigableSet<Long> bases = new TreeSet<>();
        List<SegmentFiles.Name> indexes = new ArrayList<>();
        for (String fileName : SmallFiles.list(folder)) {
            if (SegmentFiles.isLeftover(fileName)) {
                SmallFiles.remove(kernel, folder.resolve(fileName));
                continue;
            }
            SegmentFiles.Name parsed = SegmentFiles.parse(fileName).orElse(null);
            if (parsed == null) {
                continue; // not of a segment: left alone
            }
            switch (parsed.suffix()) {
                case SegmentFiles.LOG -> bases.add(parsed.baseOffset());
                case SegmentFiles.SNAPSHOT -> producers.found(parsed.baseOffset());
                case SegmentFiles.OFFSET_INDEX, SegmentFiles.TIME_INDEX, SegmentFiles.TRANSACTION_INDEX ->
                    indexes.add(parsed);
                default -> {}
            }
        }
        for (SegmentFiles.Name index : indexes) {
            if (!bases.contains(index.baseOffset())) {
                warnings.add("removed an index without a segment: " + index.baseOffset() + index.suffix());
                SmallFiles.remove(kernel, SegmentFiles.of(folder, index.baseOffset(), index.suffix()));
            }
        }
        for (long base : bases) {
            SegmentFiles files = new SegmentFiles(folder, base);
            long size = kernel.files().status(files.log()).sizeBytes();
            // Positions are 31 bits in the index; whatever is longer was not written by us or by Kafka.
            segments.add(Found.unread(files, (int) Math.min(size, Integer.MAX_VALUE)));
        }
    }

    /// Segments that a deletion had not unlinked yet, or that a power cut has brought back.
    private void removeBelowStart() {
        while (segments.size() > 1 && segments.get(1).files().baseOffset() <= checkpoints.logStart()) {
            Segment.unlink(kernel, segments.removeFirst().files());
        }
    }

    private LeaderEpochs readEpochs() throws ErrnoException {
        try {
            return LeaderEpochs.read(kernel, folder).orElse(LeaderEpochs.empty());
        } catch (CheckpointFile.MalformedException e) {
            warnings.add(e.getMessage() + "; it is made anew from the batches that are read");
            return LeaderEpochs.empty();
        }
    }

    /// Goes on with one empty segment, whatever there was.
    private void startAnew(long baseOffset) throws ErrnoException {
        segments.forEach(found -> Segment.unlink(kernel, found.files()));
        segments.clear();
        SegmentFiles files = new SegmentFiles(folder, baseOffset);
        Segment.create(context, files, config.compacted(), new LazyAccount(() -> directoryAccount, name.folder()))
                .retire();
        segments.add(new Found(files, 0, baseOffset, 0, 0));
        producers.startAnew(baseOffset);
    }

    // ---- Trusted segments

    /// After a clean end: finds the last segment's end offset by its index and the headers behind.
    ///
    /// @return false when the file does not end as it was closed, and has to be read
    private boolean checkEnd() throws ErrnoException {
        Found last = segments.getLast();
        long base = last.files().baseOffset();
        IndexCheck index = IndexCheck.of(
                kernel, IndexFormat.OFFSET, last.files().offsetIndex(), Integer.MAX_VALUE + 1L, last.logBytes());
        try (Descriptor file = open(last.files().log());
                HeaderCursor cursor = HeaderCursor.open(
                        kernel, file, base, Long.MAX_VALUE, last.logBytes(), config.compacted(), false)) {
            cursor.seek(index == null ? null : index.last());
            while (cursor.next()) {
                epochs = epochs.with(
                        cursor.header().leaderEpoch(), cursor.header().baseOffset());
            }
            segments.set(segments.size() - 1, last.checked(cursor.nextOffset(), Found.UNKNOWN, Found.UNKNOWN));
            return true;
        } catch (CorruptBatchException e) {
            warnings.add("closed cleanly, and changed since: " + e.getMessage());
            return false;
        }
    }

    private boolean reachesRecoveryPoint() {
        boolean reaches = endOffset() >= checkpoints.recoveryPoint();
        if (!reaches) {
            warnings.add("closed cleanly at offset " + checkpoints.recoveryPoint()
                    + ", and cut since: it ends at offset " + endOffset());
        }
        return reaches;
    }

    /// The segment that the recovery point lies in; after a clean end the last one, whose end is in doubt.
    private int firstToScan(boolean clean) {
        int first = segments.size() - 1;
        while (!clean && first > 0 && segments.get(first).files().baseOffset() > checkpoints.recoveryPoint()) {
            first--;
        }
        return first;
    }

    /// Looks at the indexes of the first `count` segments, and makes anew those that can't be right.
    private void checkIndexes(int count) throws ErrnoException {
        for (int i = 0; i < count; i++) {
            Found found = segments.get(i);
            long base = found.files().baseOffset();
            long end = i + 1 < segments.size() ? segments.get(i + 1).files().baseOffset() : found.endOffset();
            IndexCheck offsets = IndexCheck.of(
                    kernel, IndexFormat.OFFSET, found.files().offsetIndex(), end - base, found.logBytes());
            IndexCheck times =
                    IndexCheck.of(kernel, IndexFormat.TIME, found.files().timeIndex(), end - base, found.logBytes());
            segments.set(
                    i,
                    offsets != null && times != null
                            ? found.checked(end, offsets.entries(), times.entries())
                            : rebuildTrusted(found, end));
        }
    }

    /// Makes the indexes of a trusted segment anew. What can't be read in it is not cut: it was on the device
    /// once, so that is for the operator to judge.
    private Found rebuildTrusted(Found found, long endOffset) throws ErrnoException {
        IndexBuilder builder = new IndexBuilder(found.files().baseOffset(), config);
        SegmentScanner.Result result = scan(found, builder, (_, _) -> {});
        if (result.problem() != null) {
            warnings.add(damage(found, result) + "; it is left as it is, and reading there fails");
        }
        write(builder, found);
        return found.checked(endOffset, builder.offsetEntries(), builder.timeEntries());
    }

    private void write(IndexBuilder builder, Found found) throws ErrnoException {
        builder.write(kernel, found.files());
        indexesRebuilt++;
        indexesFoundBelow = Math.min(indexesFoundBelow, found.files().baseOffset());
    }

    private static String damage(Found found, SegmentScanner.Result result) {
        return found.files().log() + " is damaged at byte " + result.validBytes() + ": " + result.problem();
    }

    private SegmentScanner.Result scan(Found found, IndexBuilder builder, SegmentScanner.Visitor visitor)
            throws ErrnoException {
        try (Descriptor file = open(found.files().log());
                SegmentScanner scanner = new SegmentScanner(kernel, found.logBytes(), rest)) {
            if (fenced) {
                // What could not be written counts as clean, and goes: what is read then is the device's.
                kernel.files().advise(file, 0, 0, Files.FADV_DONTNEED);
            }
            SegmentScanner.Result result = scanner.scan(
                    file, found.logBytes(), found.files().baseOffset(), config.compacted(), (header, position) -> {
                        builder.batch(header, position);
                        visitor.batch(header, position);
                    });
            withinAWrite = result.problem() != null
                    && scanner.endsWithinAWrite(
                            file, result, found.logBytes(), found.files().baseOffset());
            if (context.engine().isPastPageCache() && !fenced) {
                kernel.files().advise(file, 0, 0, Files.FADV_DONTNEED);
            }
            segmentsScanned++;
            bytesScanned += scanner.bytesRead();
            batchesScanned += result.batches();
            return result;
        }
    }

    // ---- Segments that have to be read

    /// Reads the segments from `first` on, cuts the log where it can't go on, and makes the indexes anew.
    private void scanFrom(int first) throws ErrnoException {
        long expected = segments.get(first).files().baseOffset();
        for (int i = first; i < segments.size(); ) {
            Found found = segments.get(i);
            long base = found.files().baseOffset();
            boolean follows = config.compacted() ? base >= expected : base == expected;
            if (found.logBytes() == 0 && i > 0 && (!follows || i < segments.size() - 1)) {
                // Begun, never written, and not the one to go on with.
                warnings.add("removed the empty segment " + base);
                Segment.unlink(kernel, found.files());
                segments.remove(i);
                continue;
            }
            if (!follows) {
                forgetWitness();
                cutBehind(
                        i - 1,
                        found.files().log().toString(),
                        0,
                        0,
                        "it begins at offset " + base + " where " + expected + " has to follow");
                return;
            }
            IndexBuilder builder = new IndexBuilder(base, config);
            SegmentScanner.Result result = scan(found, builder, (header, _) -> {
                producers.appended(header);
                epochs = epochs.with(header.leaderEpoch(), header.baseOffset());
            });
            if (result.problem() != null) {
                forgetWitness();
                truncate(found.files().log(), result.validBytes());
                cutBehind(
                        i,
                        found.files().log().toString(),
                        result.validBytes(),
                        found.logBytes() - result.validBytes(),
                        result.problem());
            } else if (result.validBytes() < found.logBytes()) {
                truncate(found.files().log(), result.validBytes()); // padding
            }
            write(builder, found);
            segments.set(
                    i,
                    new Found(
                            found.files(),
                            result.validBytes(),
                            result.endOffset(),
                            builder.offsetEntries(),
                            builder.timeEntries()));
            expected = result.endOffset();
            i++;
        }
    }

    /// Whether loading has cut something off, or was about to; also after it has failed.
    boolean hasCut() {
        return cutting;
    }

    private boolean nothingPublishedWasCut() {
        return cut == null || (withinAWrite && cut.segmentsRemoved() == 0);
    }

    // ---- Where something was lost

    /// Begins a new segment and a new epoch at the end, with a filler up to the ceiling. A crash on the way leaves
    /// less of it, or all, and then the same is done again.
    private void goOnAbove(long ceiling) throws ErrnoException {
        long from = endOffset();
        epochs = epochs.with(epochs.latest() + 1, from);
        long end = from;
        while (end < ceiling) {
            if (segments.getLast().logBytes() > 0) {
                beginSegment(end);
            }
            end = Math.min(ceiling, end + Integer.MAX_VALUE); // what one segment can hold
            fill(end);
        }
        skip = new RecoveryReport.Skip(from, end, epochs.latest());
    }

    private void beginSegment(long baseOffset) throws ErrnoException {
        SegmentFiles files = new SegmentFiles(folder, baseOffset);
        Segment.create(context, files, config.compacted(), new LazyAccount(() -> directoryAccount, name.folder()))
                .retire();
        segments.add(new Found(files, 0, baseOffset, 0, 0));
    }

    /// Writes a filler into the last segment, which is empty.
    private void fill(long to) throws ErrnoException {
        Found empty = segments.getLast();
        Path path = empty.files().log();
        try (Descriptor file = open(path);
                Arena arena = Arena.ofConfined()) {
            MemorySegment filler = arena.allocate(FillerBatch.LENGTH_BYTES);
            FillerBatch.write(filler, empty.files().baseOffset(), to, epochs.latest());
            ErrnoException.check(kernel.files().pwriteFully(file, filler, 0), Call.PWRITE, path.toString());
        }
        segments.removeLast();
        segments.add(new Found(empty.files(), FillerBatch.LENGTH_BYTES, to, 0, 0));
    }

    /// Flushes what was read, cut and made, so that it counts as recovered.
    private void flushFrom(int first) throws ErrnoException {
        for (Found found : segments.subList(first, segments.size())) {
            try (Descriptor file = open(found.files().log())) {
                sync(file);
            }
        }
        SmallFiles.syncFolder(kernel, folder);
        SmallFiles.syncFolder(kernel, SmallFiles.folderOf(folder));
        namesDurable = true;
        recoveryPoint = endOffset();
        if (fenced) {
            FenceMark.remove(kernel, folder);
        }
    }

    /// Removes the segments behind `index`, and notes the cut.
    private void cutBehind(int index, String file, int position, long bytes, String reason) {
        long cutBytes = bytes;
        int removed = 0;
        while (segments.size() > index + 1) {
            Found gone = segments.removeLast();
            Segment.unlink(kernel, gone.files());
            cutBytes += gone.logBytes();
            removed++;
        }
        cut = new RecoveryReport.Cut(file, position, cutBytes, removed, reason);
    }

    /// Before anything is cut: were this recovery to die before it is done, the next would find nothing to cut, and
    /// take what is left for all there was.
    private void forgetWitness() throws ErrnoException {
        cutting = true;
        PageCacheWitness.forget(kernel, SmallFiles.folderOf(folder));
    }

    private void truncate(Path path, int lengthBytes) throws ErrnoException {
        try (Descriptor file = open(path)) {
            long result;
            do {
                result = kernel.files().ftruncate(file, lengthBytes);
            } while (result == -Errno.EINTR);
            ErrnoException.check(result, Call.FTRUNCATE, path.toString());
            sync(file); // before another segment follows: from then on its length is trusted
        }
    }

    /// A failure is told by the kernel once, so the next start must not trust the page cache: a mark is left.
    private void sync(Descriptor file) throws ErrnoException {
        long result;
        do {
            result = kernel.files().fdatasync(file);
        } while (result == -Errno.EINTR);
        if (result < 0) {
            FenceMark.leave(
                    kernel, folder, "Flushing " + file.name() + " at the start: " + Errno.describe((int) -result));
        }
        ErrnoException.check(result, Call.FDATASYNC, file.name());
    }

    private Descriptor open(Path path) throws ErrnoException {
        return kernel.files().open(path, Files.O_RDWR, 0, recoveryAccount).orThrow();
    }
}
