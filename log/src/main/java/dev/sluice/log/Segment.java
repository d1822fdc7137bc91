package dev.sluice.log;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Opened;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// One segment of a partition's log: the batches from its base offset on, and their indexes.
///
/// ```
///              warm: first append                    finish + cool
///  resting ───────────────────────────► appended to ────────────────► resting, or sealed when another segment follows
/// ```
///
/// Who holds the partition's lock warms, appends, finishes and cools; any thread reads, without it. What readers may
/// see is one long, (end offset less base offset, end position), stored with release order behind the bytes and the
/// index entries, so that the two never disagree. Bytes below it never change.
final class Segment {
    private static final VarHandle PUBLISHED;

    static {
        try {
            PUBLISHED = MethodHandles.lookup().findVarHandle(Segment.class, "published", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static final long UNKNOWN = Long.MIN_VALUE;
    private static final int MOST_READ_AHEAD_BYTES = 1 << 20;
    private static final int READ_PIECE_BYTES = 64 << 10;

    /// What [#published] is in an empty segment.
    static final long NOTHING_PUBLISHED = 0;

    private final LogContext context;
    private final SegmentFiles files;
    private final long baseOffset;
    private final long createdMs;
    private final boolean gapsAllowed;
    private final LazyAccount account;
    private final CachedFile log;
    private final IndexFile offsetIndex;
    private final IndexFile timeIndex;

    @SuppressWarnings({"FieldMayBeFinal", "UnusedVariable"}) // through PUBLISHED
    private long published;

    private volatile @Nullable SegmentAppender appender;
    /// Made at the first look-up that [BatchRing] does not answer.
    private volatile @Nullable NextPlaces nextPlaces;
    /// Known once it was asked for, and from then on while the segment rests.
    private volatile @Nullable LargestTimestamp largest;

    /// The first batch's largest timestamp, by which the segment is rolled; guarded by the partition's lock.
    private long firstTimestamp = UNKNOWN;

    /// A segment whose files are there.
    ///
    /// @param partitionAccount of which the segment's account becomes a child when one of its files is first
    ///     opened
    Segment(
            LogContext context,
            SegmentFiles files,
            boolean gapsAllowed,
            Supplier<Account> partitionAccount,
            int offsetIndexEntries,
            int timeIndexEntries,
            long endOffset,
            int endPosition) {
        this.context = context;
        this.files = files;
        this.baseOffset = files.baseOffset();
        this.gapsAllowed = gapsAllowed;
        this.account = new LazyAccount(partitionAccount, SmallFiles.fileName(files.log()));
        this.createdMs = context.clock().millis();
        Kernel kernel = context.kernel();
        this.log = new CachedFile(kernel, context.openFiles(), files.log(), account);
        this.offsetIndex = new IndexFile(
                kernel,
                IndexFormat.OFFSET,
                new CachedFile(kernel, context.openFiles(), files.offsetIndex(), account),
                offsetIndexEntries);
        this.timeIndex = new IndexFile(
                kernel,
                IndexFormat.TIME,
                new CachedFile(kernel, context.openFiles(), files.timeIndex(), account),
                timeIndexEntries);
        PUBLISHED.setRelease(this, pack(endOffset, endPosition));
    }

    /// A new, empty segment; its files are made, those that an attempt before has left are replaced.
    static Segment create(
            LogContext context, SegmentFiles files, boolean gapsAllowed, Supplier<Account> partitionAccount)
            throws ErrnoException {
        Kernel kernel = context.kernel();
        try {
            for (Path path : new Path[] {files.log(), files.offsetIndex(), files.timeIndex()}) {
                createEmpty(kernel, path);
            }
        } catch (ErrnoException e) {
            unlink(kernel, files);
            throw e;
        }
        return new Segment(context, files, gapsAllowed, partitionAccount, 0, 0, files.baseOffset(), 0);
    }

    private static void createEmpty(Kernel kernel, Path path) throws ErrnoException {
        int flags = Files.O_RDWR | Files.O_CREAT | Files.O_EXCL;
        Opened opened = kernel.files().open(path, flags, SmallFiles.FILE_MODE, kernel.account());
        if (opened.errno() == Errno.EEXIST) {
            // Never truncated but replaced: a socket may still hold pages of the old one.
            SmallFiles.remove(kernel, path);
            opened = kernel.files().open(path, flags, SmallFiles.FILE_MODE, kernel.account());
        }
        opened.orThrow().close();
    }

    /// Removes the files of a segment as far as that is possible.
    ///
    /// @return 0, or the first −errno, other than of files that are not there
    static long unlink(Kernel kernel, SegmentFiles files) {
        long first = 0;
        for (Path path : new Path[] {files.log(), files.offsetIndex(), files.timeIndex(), files.transactionIndex()}) {
            long result = kernel.files().unlink(path);
            if (result != -Errno.ENOENT && first == 0) {
                first = result;
            }
        }
        return first;
    }

    long baseOffset() {
        return baseOffset;
    }

    CachedFile log() {
        return log;
    }

    // ---- What readers see

    /// End offset and end position in one, for [#endOffset(long)] and [#endPosition(long)].
    long published() {
        return (long) PUBLISHED.getAcquire(this);
    }

    private long pack(long endOffset, int endPosition) {
        return (endOffset - baseOffset) << 32 | endPosition;
    }

    /// The offset behind the last batch.
    long endOffset(long publishedEnd) {
        return baseOffset + (publishedEnd >>> 32);
    }

    /// The position behind the last batch, which is the file's size for readers.
    static int endPosition(long publishedEnd) {
        return (int) publishedEnd;
    }

    /// The batch that contains `offset`, or the first one behind it where offsets are left out; null when there
    /// is none.
    ///
    /// @param file this segment's file, acquired
    /// @throws CorruptBatchException when there is something else than batches on the way
    @Nullable BatchPlace find(Descriptor file, long offset, long publishedEnd) throws CorruptBatchException, ErrnoException {
        SegmentAppender appending = appender;
        if (appending != null) {
            BatchPlace place = appending.ring().find(offset, endPosition(publishedEnd));
            if (place != null) {
                return place;
            }
        }
        NextPlaces next = nextPlaces;
        if (next == null) {
            next = new NextPlaces();
            nextPlaces = next;
        }
        try (HeaderCursor cursor = cursorAt(file, offset, publishedEnd, next)) {
            while (cursor.next()) {
                if (cursor.header().lastOffset() >= offset) {
                    next.add(cursor.nextOffset() - baseOffset, cursor.nextPosition());
                    return cursor.place();
                }
            }
        }
        return null;
    }

    private HeaderCursor cursorAt(Descriptor file, long offset, long publishedEnd, NextPlaces known)
            throws ErrnoException {
        int position = known.find(offset - baseOffset);
        if (position < 0 || position >= endPosition(publishedEnd)) {
            return cursorAt(file, offset, publishedEnd);
        }
        HeaderCursor cursor = firstBatch(file, publishedEnd);
        cursor.start(position, offset);
        return cursor;
    }

    /// How much of what is to be handed out can be read: the kernel is asked for it, a piece at a time. For files
    /// of which a part could not be read before; once the socket has an answer's head it is too late to say so.
    ///
    /// @param first  the batch it begins with
    /// @param lengthBytes from there on
    /// @return at least the first batch's length, unless `lengthBytes` is less
    /// @throws ErrnoException when not even the first batch can be read
    int readable(Descriptor file, BatchPlace first, int lengthBytes) throws ErrnoException {
        int most = Math.min(lengthBytes, Math.max(MOST_READ_AHEAD_BYTES, first.lengthBytes()));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment scratch = arena.allocate(Math.clamp(most, 1, READ_PIECE_BYTES));
            int read = 0;
            while (read < most) {
                long wanted = Math.min(scratch.byteSize(), most - read);
                long result = context.kernel()
                        .files()
                        .preadFully(file, scratch.asSlice(0, wanted), (long) first.position() + read);
                if (result < wanted) {
                    if (read >= Math.min(first.lengthBytes(), lengthBytes)) {
                        return read;
                    }
                    int errno = result < 0 ? (int) -result : Errno.EIO; // cut, by whoever
                    throw new ErrnoException(Call.PREAD, errno, file.name(), (long) first.position() + read);
                }
                read += (int) wanted;
            }
            return read;
        }
    }

    /// A cursor at or before the batch that contains `offset`; the caller closes it.
    HeaderCursor cursorAt(Descriptor file, long offset, long publishedEnd) throws ErrnoException {
        HeaderCursor cursor = firstBatch(file, publishedEnd);
        try {
            cursor.seek(indexFloor(IndexFormat.OFFSET, offset - baseOffset));
        } catch (ErrnoException e) {
            cursor.close();
            throw e;
        }
        return cursor;
    }

    private HeaderCursor firstBatch(Descriptor file, long publishedEnd) {
        return HeaderCursor.open(
                context.kernel(),
                file,
                baseOffset,
                endOffset(publishedEnd),
                endPosition(publishedEnd),
                gapsAllowed,
                context.engine().isPastPageCache());
    }

    /// A cursor before the first batch that may hold a record of at least `timestampMs` at or above
    /// `startOffset`; the caller closes it. The time index's word is held against the batch that it names.
    HeaderCursor cursorAtTime(Descriptor file, long timestampMs, long startOffset, long publishedEnd)
            throws ErrnoException, CorruptBatchException {
        IndexEntry entry = indexFloor(IndexFormat.TIME, timestampMs);
        long from = entry != null && isTrue(entry, file, publishedEnd) ? baseOffset + entry.value() : baseOffset;
        return cursorAt(file, Math.max(from, startOffset), publishedEnd);
    }

    private boolean isTrue(IndexEntry timeEntry, Descriptor file, long publishedEnd)
            throws ErrnoException, CorruptBatchException {
        long lastOffset = baseOffset + timeEntry.value();
        try (HeaderCursor cursor = cursorAt(file, lastOffset, publishedEnd)) {
            while (cursor.next()) {
                if (cursor.header().lastOffset() >= lastOffset) {
                    return cursor.header().lastOffset() == lastOffset
                            && cursor.header().maxTimestamp() == timeEntry.key();
                }
            }
        }
        return false;
    }

    private @Nullable IndexEntry indexFloor(IndexFormat format, long key) throws ErrnoException {
        SegmentAppender appending = appender;
        if (appending != null) {
            MappedIndex index = format == IndexFormat.OFFSET ? appending.offsetIndex() : appending.timeIndex();
            IndexEntry entry = index.floor(key);
            if (entry != null) {
                return entry;
            }
            // An entry from before the appender was opened, or it was cooled meanwhile: then all are in the file.
        }
        try {
            return (format == IndexFormat.OFFSET ? offsetIndex : timeIndex).floor(key);
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENOENT || e.errno() == Errno.EIO) {
                return null; // an index is a hint; without it the way is longer
            }
            throw e;
        }
    }

    /// The largest timestamp of a segment that rests; found out at the first question, and remembered. For sealed
    /// segments any thread may ask; for the active one, whoever holds the partition's lock.
    LargestTimestamp largest() throws CorruptBatchException, ErrnoException {
        LargestTimestamp known = largest;
        if (known != null) {
            return known;
        }
        LargestTimestamp found = largestBelow(published());
        largest = found;
        return found;
    }

    /// The largest timestamp up to an end that was published once.
    ///
    /// From the last batch that the time index names, on: the index may have been cut, and then what is behind
    /// counts too.
    LargestTimestamp largestBelow(long publishedEnd) throws CorruptBatchException, ErrnoException {
        LargestTimestamp found = LargestTimestamp.none(baseOffset);
        Descriptor file = log.acquire();
        try (HeaderCursor cursor = cursorAtTime(file, Long.MAX_VALUE, baseOffset, publishedEnd)) {
            while (cursor.next()) {
                if (cursor.header().maxTimestamp() > found.timestampMs()) {
                    found = new LargestTimestamp(
                            cursor.header().maxTimestamp(), cursor.header().lastOffset());
                }
            }
        } finally {
            log.release();
        }
        return found;
    }

    // ---- What the thread that holds the partition's lock does

    /// The appender, opened if the segment rests.
    ///
    /// @param progress told how far an asynchronous engine has come
    SegmentAppender warm(LogConfig config, SegmentWriter.Progress progress)
            throws CorruptBatchException, ErrnoException {
        SegmentAppender appending = appender;
        if (appending == null) {
            appending = SegmentAppender.open(
                    context,
                    config,
                    baseOffset,
                    log,
                    offsetIndex,
                    timeIndex,
                    endPosition(published()),
                    largest(),
                    progress);
            appender = appending;
        }
        return appending;
    }

    /// The appender, or null while the segment rests.
    @Nullable SegmentAppender appender() {
        return appender;
    }

    /// Makes what was written visible.
    void publish(long endOffset, int endPosition) {
        PUBLISHED.setRelease(this, pack(endOffset, endPosition));
    }

    /// Cuts the file to its batches; more may be appended afterwards.
    void trim() throws ErrnoException {
        SegmentAppender appending = appender;
        if (appending != null) {
            ErrnoException.check(
                    appending.writer().trim(), Call.FTRUNCATE, log.path().toString());
        }
    }

    /// Brings the files into the form of a segment at rest; see [SegmentAppender#finish].
    void finish() throws ErrnoException {
        SegmentAppender appending = appender;
        if (appending != null) {
            appending.finish(offsetIndex, timeIndex);
        }
    }

    /// Drops the appender.
    void cool() {
        SegmentAppender appending = appender;
        if (appending != null) {
            largest = appending.largest();
            appender = null;
            appending.close();
        }
    }

    /// How far in time a batch lies behind the segment's first: by records' timestamps, or by the clock where
    /// they have none. Kafka rolls by it.
    long ageMs(long timestampMs, long nowMs) throws CorruptBatchException, ErrnoException {
        if (firstTimestamp == UNKNOWN) {
            firstTimestamp = readFirstTimestamp();
        }
        return firstTimestamp >= 0 ? timestampMs - firstTimestamp : nowMs - createdMs;
    }

    /// Tells the timestamp of the first batch of an empty segment.
    void firstTimestamp(long timestampMs) {
        firstTimestamp = timestampMs;
    }

    /// How long before `nowMs` the youngest record was written, by its timestamp, or by the file's last change
    /// where no record has one. Negative for one from the future.
    ///
    /// @param youngest the largest timestamp in the segment
    long sinceYoungestMs(LargestTimestamp youngest, long nowMs) throws ErrnoException {
        if (youngest.timestampMs() >= 0) {
            return nowMs - youngest.timestampMs();
        }
        Descriptor file = log.acquire();
        try {
            return nowMs - context.kernel().files().status(file).modifiedNs() / 1_000_000;
        } finally {
            log.release();
        }
    }

    private long readFirstTimestamp() throws CorruptBatchException, ErrnoException {
        Descriptor file = log.acquire();
        try (HeaderCursor cursor = firstBatch(file, published())) {
            return cursor.next() ? cursor.header().maxTimestamp() : UNKNOWN;
        } finally {
            log.release();
        }
    }

    /// Waits until the batches that were published at the call are on the device. The indexes are not waited for,
    /// see [#flushIndexes].
    ///
    /// @throws ErrnoException when that failed; the bytes may be lost, and asking again would not tell
    void flush() throws ErrnoException {
        Descriptor file = log.acquire();
        try {
            SegmentAppender appending = appender;
            // A segment at rest has no writer; what engines leave in the page cache is synced alike.
            long result = appending != null ? appending.writer().flush() : sync(file);
            if (result == -Errno.ECANCELED) { // the log is closed, and what is not written is not missed
                throw new ErrnoException(Call.CLOSE, Errno.ECANCELED, file.name());
            }
            // What is still being tried to write is not lost, as it may be when the device says no.
            ErrnoException.check(result, result == -Errno.EAGAIN ? Call.PWRITE : Call.FDATASYNC, file.name());
        } finally {
            log.release();
        }
    }

    /// Waits until the indexes of a sealed segment are on the device. Nothing depends on it: what a power cut
    /// leaves of them is held against the batches when it is used. But opening looks at their ends alone, and a
    /// hole between would make every look-up in it read headers from further back, for good.
    ///
    /// @throws ErrnoException when that failed
    void flushIndexes() throws ErrnoException {
        for (IndexFile index : new IndexFile[] {offsetIndex, timeIndex}) {
            Descriptor file = index.file().acquire();
            try {
                ErrnoException.check(sync(file), Call.FDATASYNC, file.name());
            } finally {
                index.file().release();
            }
        }
    }

    private long sync(Descriptor file) {
        long result;
        do {
            result = context.kernel().files().fdatasync(file);
        } while (result == -Errno.EINTR);
        return result;
    }

    // ---- End

    /// Removes the files, and lets go of them: who reads one still can. What can't be unlinked stays as a leftover
    /// below the log's start, for the next start of the broker to remove.
    ///
    /// @return 0, or the first −errno
    long delete() {
        long result = unlink(context.kernel(), files);
        context.kernel().files().unlink(files.snapshot());
        retire();
        return result;
    }

    /// Lets go of the files: each is closed when the last one who reads it is done. Does not unlink.
    void retire() {
        cool();
        offsetIndex.file().retire();
        timeIndex.file().retire();
        log.retire();
        account.close();
    }
}
