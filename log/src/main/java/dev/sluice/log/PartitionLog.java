package dev.sluice.log;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Hold;
import dev.sluice.io.transfer.Span;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// The log of one partition: record batches one behind the other, in segments, appended to at the end and read from
/// anywhere.
///
/// ```
///               LogDirectory.create, open
///                        │
///                        ▼    a write or a flush failed, other than for want of space
///                      open ──────────────────────────────────────────────────────► failed (reads go on)
///                        │                                                             │
///                        └────────────► closed (with the folder, or deleted) ◄─────────┘
/// ```
///
/// **Threads.** Appends are serialized by a lock in here; any number of threads read beside the one that appends,
/// without it. What is published never changes, and segments leave by unlink, so what was handed out stays true.
///
/// **Order of an append**: sequence check → room on the disk (and a new segment, if due) → base offset and epoch
/// patched in the caller's buffer → one write → index entries → one release store that publishes end offset and end
/// position. A failure before the last step publishes nothing, and what it may have left in the file is cut off
/// before the next write.
///
/// **What readers see** is everything that was published below the log's ceiling, see [Ceilings], which lies far ahead;
/// or, while [FlushPolicy#ACK] holds, what of it is on the device: else a power loss could take back what somebody has
/// read. With an engine that writes later than it is asked to, see [SegmentWriter], it is never more than was written.
/// The end of it is the high watermark, and a batch is acknowledged when that has passed it.
///
/// **Memory.** Nothing is copied here: batches are written from the caller's memory, unless the engine wants them in
/// its own, and reads answer where the bytes lie.
public final class PartitionLog {
    /// How long an append waits for the memory of an engine that writes past the page cache, as one through it
    /// waits in the kernel when too much is dirty.
    private static final long MEMORY_WAIT_NS = TimeUnit.SECONDS.toNanos(1);

    private static final String STOPPED = " takes no more appends until the broker is restarted and has verified it.";

    private final LogContext context;
    private final PartitionName name;
    private final LazyAccount account;
    private final ReentrantLock lock = new ReentrantLock();
    /// Held while flushing, which appends need not wait for. Taken before the other lock where both are held.
    private final ReentrantLock flushLock = new ReentrantLock();
    /// Held while files are unlinked by their names, which must not be those of another log by then: the folder is
    /// not moved away meanwhile. Taken before the other two.
    private final ReentrantLock unlinkLock = new ReentrantLock();

    // Guarded by the lock.
    private final ProducerStates producers;
    private long snapshotOffset;
    private boolean appendedSinceRest;
    private boolean wantsCeiling;

    // Written under the lock, read by any thread. The arrays are never changed, only replaced.
    private volatile Path folder;
    private volatile Segment[] segments;
    private volatile LogConfig config;
    private volatile LeaderEpochs epochs;
    private volatile @Nullable UUID topicId;
    private volatile boolean closed;
    private volatile AppendOutcome.@Nullable Failed failure;
    private volatile LogListener[] listeners = {};

    /// Not the lock of appends, which may wait for the disk.
    private final Object listening = new Object();
    /// What readers may see, or null for all that is published. Set before anything is published that they may not
    /// see, and read after what is published was read: so nobody sees the one without the other.
    private volatile @Nullable End shown;
    /// How far an asynchronous engine has come, or null where what is published is written: nobody may see more.
    /// Set before anything is published that is not, then raised by the engine.
    private volatile @Nullable End written;
    /// Below it, offsets may be shown before they are on the device.
    private volatile long ceiling;

    /// The last failure of a read; by whichever thread met it.
    private volatile @Nullable IOException readFailure;

    private volatile long logStartOffset;

    // Written under the flush lock; but a roll sets namesChanged, before anything is published in its segment.
    private volatile long recoveryPoint;
    private volatile boolean namesChanged;
    /// Sealed segments below it have their indexes on the device.
    private long indexesFlushedBelow;

    private final Flusher flusher;

    /// What was found in a partition's folder, or made there.
    ///
    /// @param segments       by base offset, at least one
    /// @param snapshotOffset offset of the newest producer snapshot, or the log start offset
    /// @param namesDurable   whether the names of the files are known to be on the device
    /// @param indexesDurableBelow segments below have their indexes on the device
    /// @param ceiling        below it, offsets may be shown before they are on the device
    record Contents(
            Segment[] segments,
            ProducerStates producers,
            LeaderEpochs epochs,
            long logStartOffset,
            long recoveryPoint,
            long snapshotOffset,
            boolean namesDurable,
            long indexesDurableBelow,
            long ceiling,
            @Nullable UUID topicId) {}

    PartitionLog(
            LogContext context,
            PartitionName name,
            Path folder,
            LogConfig config,
            LazyAccount account,
            Contents contents) {
        this.context = context;
        this.name = name;
        this.folder = folder;
        this.config = config;
        this.account = account;
        this.segments = contents.segments();
        this.producers = contents.producers();
        this.epochs = contents.epochs();
        this.logStartOffset = contents.logStartOffset();
        this.recoveryPoint = contents.recoveryPoint();
        this.indexesFlushedBelow = contents.indexesDurableBelow();
        this.snapshotOffset = contents.snapshotOffset();
        this.namesChanged = !contents.namesDurable();
        this.ceiling = contents.ceiling();
        this.topicId = contents.topicId();
        this.flusher = new Flusher(this, context.flushing());
    }

    // ---- What it is

    public String topic() {
        return name.topic();
    }

    public int partition() {
        return name.partition();
    }

    PartitionName name() {
        return name;
    }

    /// The topic's id, or empty for a folder that had no `partition.metadata`.
    public Optional<UUID> topicId() {
        return Optional.ofNullable(topicId);
    }

    /// Writes `partition.metadata` for a log that has none.
    ///
    /// @throws IllegalStateException when it has another id already
    public void assignTopicId(UUID id) throws IOException {
        lock.lock();
        try {
            UUID known = topicId;
            if (known != null && !known.equals(id)) {
                throw new IllegalStateException(name + " belongs to topic id " + known + ", not to " + id);
            }
            if (known == null) {
                PartitionMetadata.write(kernel(), folder, id);
                topicId = id;
            }
        } finally {
            lock.unlock();
        }
    }

    public LogConfig config() {
        return config;
    }

    /// Takes effect with the next append; the size of the index files with the next segment. A flush policy that
    /// wants flushes gets one for what was appended before.
    public void configure(LogConfig newConfig) {
        config = newConfig;
        if (owesFlush()) {
            flusher.flushNow();
        }
    }

    /// Whether the flush policy wants flushes, and not all that is there was flushed.
    public boolean owesFlush() {
        return config.effectiveFlushPolicy() != FlushPolicy.OS && recoveryPoint < logEndOffset();
    }

    /// The account of all calls on this partition's files. Its children are the segments that were used since the
    /// start.
    public Account account() {
        return account.get();
    }

    /// The bytes of all batches.
    public long bytesOnDisk() {
        long bytes = 0;
        for (Segment segment : segments) {
            bytes += Segment.endPosition(segment.published());
        }
        return bytes;
    }

    /// The first offset that can be read, unless it is the end.
    public long logStartOffset() {
        return logStartOffset;
    }

    /// The offset that the next record gets. Read with acquire order: everything below it can be read.
    public long logEndOffset() {
        Segment active = active();
        return active.endOffset(active.published());
    }

    /// The offset below which consumers may read, and below which everything is acknowledged: the end, or, under
    /// [FlushPolicy#ACK], the end of what is on the device. Otherwise it lies below the end for a moment when
    /// offsets are given for the first time, until their ceiling is on the device.
    public long highWatermark() {
        long end = logEndOffset();
        End bound = bound();
        return bound == null ? end : bound.offset();
    }

    /// The end of what readers may see, or null for all that is published; read after what is published was.
    private @Nullable End bound() {
        End allowed = shown;
        End there = written;
        return allowed == null || (there != null && there.offset() < allowed.offset()) ? there : allowed;
    }

    /// The offset below which everything was flushed to the device.
    public long recoveryPoint() {
        return recoveryPoint;
    }

    /// The epoch that is stamped on batches now.
    public int leaderEpoch() {
        return epochs.latest();
    }

    /// The epoch that the record at `offset` was written in, -1 if not known.
    public int leaderEpochOf(long offset) {
        return epochs.of(offset);
    }

    /// Where a leader epoch ended.
    public EpochEnd endOfEpoch(int epoch) {
        return epochs.endOf(epoch, logEndOffset());
    }

    /// The idempotent producers that are remembered.
    public List<ProducerSummary> producers() {
        lock.lock();
        try {
            List<ProducerSummary> summaries = new ArrayList<>(producers.size());
            producers
                    .all()
                    .forEach((id, state) -> summaries.add(new ProducerSummary(
                            id,
                            state.epoch(),
                            state.lastSequence(),
                            state.lastTimestamp(),
                            state.coordinatorEpoch(),
                            state.transactionFirstOffset())));
            return summaries;
        } finally {
            lock.unlock();
        }
    }

    /// The failure because of which no more appends are taken, or empty.
    public Optional<AppendOutcome.Failed> failure() {
        return Optional.ofNullable(failure);
    }

    /// The last failure to read, in a sentence for an operator; empty when there was none.
    public Optional<String> readProblem() {
        return Optional.ofNullable(readFailure)
                .map(failed -> name + " could not be read, the last time: " + failed.getMessage());
    }

    /// Why what the flush policy asks for could not be tried, the last time, in a sentence for an operator; empty
    /// when it could. It is tried again and again meanwhile.
    public Optional<String> flushProblem() {
        return flusher.problem().map(why -> name + " can't be flushed, and producers wait for it: " + why);
    }

    /// Whether it takes no more appends: it has failed, or was closed.
    public boolean hasStopped() {
        return closed || failure != null;
    }

    /// The flushes that appends brought about.
    public FlushCounts flushCounts() {
        return flusher.counts();
    }

    private Segment active() {
        Segment[] all = segments;
        return all[all.length - 1];
    }

    private End end() {
        Segment active = active();
        return new End(active, active.published());
    }

    private Kernel kernel() {
        return context.kernel();
    }

    // ---- Appending

    /// Appends one batch of a client.
    ///
    /// @param batch one that [BatchView#check] has found good; borrowed for the call, base offset and epoch in it
    ///     are overwritten
    /// @return what became of it; never throws for what the disk or the producer did
    public AppendOutcome append(BatchView batch) {
        AppendOutcome outcome = appendOnce(batch);
        if (isForWantOfMemory(outcome)) {
            LongSupplier nanoTime = context.flushing().nanoTime();
            long beganNs = nanoTime.getAsLong();
            while (isForWantOfMemory(outcome)
                    && nanoTime.getAsLong() - beganNs < MEMORY_WAIT_NS
                    && context.engine().awaitMemory()) {
                outcome = appendOnce(batch);
            }
        }
        return outcome;
    }

    /// The engine's memory is on its way to the disk.
    private static boolean isForWantOfMemory(AppendOutcome outcome) {
        return outcome instanceof AppendOutcome.Failed failed && !failed.permanent() && failed.errno() == Errno.EAGAIN;
    }

    private AppendOutcome appendOnce(BatchView batch) {
        AppendOutcome outcome;
        boolean isShown;
        boolean isWritten;
        boolean asksForCeiling;
        lock.lock();
        try {
            asksForCeiling = !wantsCeiling;
            outcome = appendLocked(batch);
            if (isForWantOfSpace(outcome)) {
                outcome = appendOnFullDisk(batch, outcome);
            }
            asksForCeiling &= wantsCeiling;
            isShown = shown == null;
            isWritten = written == null;
        } finally {
            lock.unlock();
        }
        if (asksForCeiling) {
            context.ceilings().run();
        }
        if (outcome instanceof AppendOutcome.Appended appended) {
            if (isShown && isWritten) {
                tellGrown(batch.lengthBytes());
            }
            flushInTime(appended.lastOffset() + 1, isShown);
        } else if (outcome instanceof AppendOutcome.Failed failed && failed.permanent()) {
            tellStopped();
        }
        return outcome;
    }

    private static boolean isForWantOfSpace(AppendOutcome outcome) {
        return outcome instanceof AppendOutcome.Failed failed
                && !failed.permanent()
                && Errno.isOutOfSpace(failed.errno());
    }

    private AppendOutcome appendOnFullDisk(BatchView batch, AppendOutcome failed) {
        SpaceReserve reserve = context.reserve();
        if (config.vital() && (reserve.spend() || reserve.isSpent())) {
            return appendLocked(batch);
        }
        reserve.refused();
        return failed;
    }

    /// What the flush policy wants after an append.
    private void flushInTime(long endOffset, boolean isShown) {
        LogConfig using = config;
        switch (using.effectiveFlushPolicy()) {
            case ACK -> {
                if (!isShown) {
                    flusher.await();
                }
            }
            case INTERVAL -> {
                if (endOffset - recoveryPoint >= using.flushMessages()) {
                    flusher.flushNow();
                }
                if (using.effectiveFlushMs() != LogConfig.NEVER) {
                    flusher.flushWithin(using.effectiveFlushMs());
                }
            }
            case OS -> {}
        }
    }

    private AppendOutcome appendLocked(BatchView batch) {
        AppendOutcome refusal = refuse(batch);
        if (refusal != null) {
            return refusal;
        }
        LogConfig using = config;
        long baseOffset = logEndOffset();
        SegmentAppender appender;
        try {
            appender = appenderFor(batch, using, baseOffset);
        } catch (ErrnoException e) {
            return failed(e.errno(), "Preparing the append (" + e.getMessage() + ")");
        } catch (CorruptBatchException e) {
            return failed(Errno.EIO, true, "Preparing the append (" + e.getMessage() + ")");
        }
        Segment segment = active();
        long result = appender.room(batch.lengthBytes(), using.indexIntervalBytes());
        if (result < 0) {
            return failed((int) -result, "Making room for " + describe(batch, segment, appender));
        }
        batch.patch(baseOffset, epochs.latest());
        long position = appender.write(batch.bytes());
        if (position < 0) {
            return failed((int) -position, "Writing " + describe(batch, segment, appender));
        }
        if (position == 0) {
            segment.firstTimestamp(batch.maxTimestamp());
        }
        appender.index(batch, (int) position, using.indexIntervalBytes());
        producers.appended(batch);
        appendedSinceRest = true;
        long lastOffset = batch.lastOffset();
        boolean unflushed = using.effectiveFlushPolicy() != FlushPolicy.ACK;
        if (shown == null && !(unflushed && lastOffset < ceiling)) {
            shown = end();
        }
        if (written == null && context.engineFor(using).isAsynchronous()) {
            written = end();
        }
        wantsCeiling |= unflushed && lastOffset >= ceiling - Ceilings.STEP / 2;
        segment.publish(lastOffset + 1, (int) position + batch.lengthBytes());
        appender.writer().commit(segment.published());
        return new AppendOutcome.Appended(baseOffset, lastOffset, BatchView.NO_TIMESTAMP, logStartOffset);
    }

    /// Why the batch is not taken, or null.
    private @Nullable AppendOutcome refuse(BatchView batch) {
        if (closed) {
            return new AppendOutcome.Rejected(AppendOutcome.Reason.CLOSED, name + " is closed");
        }
        AppendOutcome.Failed failed = failure;
        if (failed != null) {
            return failed;
        }
        if (batch.lengthBytes() > config.segmentBytes()) {
            return new AppendOutcome.Rejected(
                    AppendOutcome.Reason.TOO_LARGE_FOR_SEGMENT,
                    "A batch of " + batch.lengthBytes() + " bytes for " + name + " is larger than its segment.bytes, "
                            + config.segmentBytes());
        }
        if (batch.isTransactional()) {
            return new AppendOutcome.Rejected(
                    AppendOutcome.Reason.TRANSACTIONAL, "A transactional batch for " + name + ": there are none here");
        }
        AppendOutcome known = producers.check(batch, name.folder(), logStartOffset);
        if (known == null && context.reserve().isSpent() && !config.vital()) {
            return new AppendOutcome.Failed(
                    Errno.ENOSPC, false, context.reserve().refusal());
        }
        return known;
    }

    /// The appender of the active segment, which is a new one if the batch is due for one.
    private SegmentAppender appenderFor(BatchView batch, LogConfig using, long baseOffset)
            throws ErrnoException, CorruptBatchException {
        SegmentAppender appender = warm(using);
        if (mustRoll(batch, using, baseOffset, appender)) {
            roll(baseOffset);
            appender = warm(using);
        }
        return appender;
    }

    private SegmentAppender warm(LogConfig using) throws ErrnoException, CorruptBatchException {
        Segment active = active();
        SegmentAppender appender = active.appender();
        return appender != null ? appender : active.warm(using, new WriteProgress(active));
    }

    /// Kafka's rule, `LogSegment.shouldRoll`.
    private boolean mustRoll(BatchView batch, LogConfig using, long baseOffset, SegmentAppender appender)
            throws ErrnoException, CorruptBatchException {
        Segment segment = active();
        int size = Segment.endPosition(segment.published());
        if (size == 0) {
            return false;
        }
        long lastOffset = baseOffset + batch.lastOffsetDelta();
        return size > using.segmentBytes() - batch.lengthBytes()
                || lastOffset - segment.baseOffset() > Integer.MAX_VALUE
                || appender.indexIsFull()
                || segment.ageMs(batch.maxTimestamp(), context.clock().millis())
                        > using.segmentMs() - jitterMs(segment, using);
    }

    /// By how much this segment rolls earlier: another part for each, the same whenever it is asked for.
    private long jitterMs(Segment segment, LogConfig using) {
        long most = Math.min(using.segmentJitterMs(), using.segmentMs());
        if (most == 0) {
            return 0;
        }
        long mixed = (name.hashCode() + segment.baseOffset() * 31) * 0x9E3779B97F4A7C15L;
        return (mixed >>> 1) % most;
    }

    /// Begins a new segment. When anything fails, the old one stays the active one.
    private void roll(long baseOffset) throws ErrnoException {
        SegmentFiles files = new SegmentFiles(folder, baseOffset);
        Segment old = active();
        old.trim(); // first: once there is another behind it, a start trusts its length
        Segment next = Segment.create(context, files, config.compacted(), account);
        try {
            snapshotProducers(baseOffset);
            old.finish();
        } catch (ErrnoException e) {
            next.retire();
            Segment.unlink(kernel(), files);
            throw e;
        }
        namesChanged = true;
        Segment[] more = Arrays.copyOf(segments, segments.length + 1);
        more[segments.length] = next;
        old.cool();
        segments = more;
    }

    private void snapshotProducers(long offset) throws ErrnoException {
        if (offset > snapshotOffset) {
            ProducerSnapshot.write(kernel(), SegmentFiles.of(folder, offset, SegmentFiles.SNAPSHOT), producers);
            snapshotOffset = offset;
        }
    }

    private static String describe(BatchView batch, Segment segment, SegmentAppender appender) {
        return batch.lengthBytes() + " bytes at byte " + appender.writer().end() + " of "
                + segment.log().path();
    }

    /// Nothing was published. Want of space, memory or descriptors passes; with anything else the disk can't be
    /// trusted.
    private AppendOutcome.Failed failed(int errno, String what) {
        return failed(errno, !passes(errno), what);
    }

    private static boolean passes(int errno) {
        return Errno.isOutOfSpace(errno) // or the engine's memory is taken, EAGAIN, or too small, ENOMEM
                || errno == Errno.ENOMEM
                || errno == Errno.EMFILE
                || errno == Errno.ENFILE
                || errno == Errno.EAGAIN;
    }

    private AppendOutcome.Failed failed(int errno, boolean permanent, String what) {
        AppendOutcome.Failed outcome = new AppendOutcome.Failed(
                errno,
                permanent,
                what + ": " + Errno.describe(errno) + ". Nothing was stored; "
                        + (permanent ? name + STOPPED : "make room, and the next append goes through."));
        if (permanent) {
            failure = outcome;
        }
        return outcome;
    }

    /// Tells `listener` from now on.
    public void addListener(LogListener listener) {
        synchronized (listening) {
            LogListener[] more = Arrays.copyOf(listeners, listeners.length + 1);
            more[listeners.length] = listener;
            listeners = more;
        }
    }

    /// Tells it no more; a call that is under way may still come.
    public void removeListener(LogListener listener) {
        synchronized (listening) {
            listeners =
                    Arrays.stream(listeners).filter(each -> each != listener).toArray(LogListener[]::new);
        }
    }

    private void tellGrown(long lengthBytes) {
        for (LogListener listener : listeners) {
            listener.grown(this, lengthBytes);
        }
    }

    private void tellStopped() {
        for (LogListener listener : listeners) {
            listener.stopped(this);
        }
    }

    // ---- Reading

    /// Where the bytes from `offset` on lie, up to `maxBytes` of them, within one segment.
    ///
    /// What is answered begins with the batch that contains `offset`, and may end in the middle of a batch.
    ///
    /// @param maxBytes        at most so many bytes; less than 1 for none
    /// @param atLeastOneBatch whether the first batch is answered whole even if it is longer than `maxBytes`
    /// @throws CorruptBatchException when stored bytes are no batches
    /// @throws ErrnoException when a file can't be opened or read
    public ReadOutcome read(long offset, int maxBytes, boolean atLeastOneBatch) throws IOException {
        Segment[] all = segments;
        Segment last = all[all.length - 1];
        long lastPublished = last.published();
        long publishedEnd = last.endOffset(lastPublished);
        End bound = bound();
        if (bound != null && bound.segment().baseOffset() <= last.baseOffset()) { // else it rose beyond all of these
            last = bound.segment();
            lastPublished = bound.published();
        }
        long endOffset = last.endOffset(lastPublished);
        if (closed) {
            return new ReadOutcome.Closed();
        }
        if (offset >= endOffset && offset <= publishedEnd) {
            return new ReadOutcome.AtEnd(endOffset);
        }
        if (offset < logStartOffset || offset > publishedEnd) {
            return new ReadOutcome.OutOfRange(logStartOffset, endOffset);
        }
        try {
            for (int i = floor(all, offset); i < all.length; i++) {
                long published = all[i] == last ? lastPublished : all[i].published();
                ReadOutcome found = readIn(all[i], published, offset, maxBytes, atLeastOneBatch);
                if (found != null) {
                    return found;
                }
                if (all[i] == last) {
                    break; // what is behind may not be seen
                }
            }
        } catch (ErrnoException e) {
            if (isClosedForGood()) {
                return new ReadOutcome.Closed(); // its files were moved away meanwhile
            }
            if (offset < logStartOffset) {
                return new ReadOutcome.OutOfRange(logStartOffset, endOffset); // deleted meanwhile
            }
            readFailure = e;
            throw e;
        } catch (CorruptBatchException e) {
            readFailure = e;
            throw e;
        }
        if (offset < logStartOffset) {
            return new ReadOutcome.OutOfRange(logStartOffset, endOffset);
        }
        throw new CorruptBatchException(
                last.log().path().toString(),
                Segment.endPosition(lastPublished),
                "a batch with offset " + offset,
                "the end, though the next offset is " + endOffset);
    }

    /// Where readers' part of the log ends now. Later answers are never below earlier ones.
    public ReadableEnd readableEnd() {
        End end = readable();
        return new ReadableEnd(end.offset(), end.segment().baseOffset(), end.position());
    }

    private End readable() {
        End end = end();
        End bound = bound(); // read after what is published
        return bound != null && bound.segment().baseOffset() <= end.segment().baseOffset() ? bound : end;
    }

    /// The segment to go on reading in from `offset` on, for who reads its file by himself.
    ///
    /// @param offset from the log start offset to the high watermark
    /// @throws CorruptBatchException when stored bytes are no batches
    /// @throws ErrnoException when a file can't be opened or read
    public SegmentOutcome segmentFor(long offset) throws IOException {
        End end = readable();
        Segment[] all = segments; // read after the end, whose segment is among them, or deleted
        if (closed) {
            return new SegmentOutcome.Closed();
        }
        if (offset < logStartOffset || offset > end.offset()) {
            return new SegmentOutcome.OutOfRange(logStartOffset, end.offset());
        }
        try {
            for (int i = floor(all, offset); i < all.length; i++) {
                SegmentOutcome found = placeIn(all[i], end, offset);
                if (found != null) {
                    return found;
                }
            }
        } catch (ErrnoException e) {
            if (isClosedForGood()) {
                return new SegmentOutcome.Closed(); // its files were moved away meanwhile
            }
            if (offset >= logStartOffset) {
                readFailure = e;
                throw e;
            }
        }
        return new SegmentOutcome.OutOfRange(logStartOffset, end.offset()); // deleted meanwhile
    }

    /// Whether the segment with this base offset is still part of the log.
    public boolean hasSegment(long baseOffset) {
        Segment[] all = segments;
        return !closed && all[floor(all, baseOffset)].baseOffset() == baseOffset;
    }

    /// @return null when there is no batch at or behind `offset` in a sealed segment
    private static @Nullable SegmentOutcome placeIn(Segment segment, End end, long offset)
            throws CorruptBatchException, ErrnoException {
        boolean isSealed = segment.baseOffset() < end.segment().baseOffset();
        long published = isSealed ? segment.published() : Segment.NOTHING_PUBLISHED; // begun behind the end
        if (segment == end.segment()) {
            published = end.published();
        }
        Descriptor file = segment.log().acquire();
        boolean handedOut = false;
        try {
            int endPosition = Segment.endPosition(published);
            BatchPlace place = offset < segment.endOffset(published) ? segment.find(file, offset, published) : null;
            if (place == null && isSealed) {
                return null;
            }
            handedOut = true;
            return new SegmentOutcome.Found(
                    file,
                    segment.log(),
                    segment.baseOffset(),
                    place == null ? endPosition : place.position(),
                    endPosition,
                    isSealed);
        } finally {
            if (!handedOut) {
                segment.log().release();
            }
        }
    }

    private boolean isClosedForGood() {
        lock.lock(); // a deletion that is under way comes to its end first
        try {
            return closed;
        } finally {
            lock.unlock();
        }
    }

    private @Nullable ReadOutcome readIn(
            Segment segment, long published, long offset, int maxBytes, boolean atLeastOneBatch)
            throws CorruptBatchException, ErrnoException {
        CachedFile log = segment.log();
        Descriptor file = log.acquire();
        boolean handedOut = false;
        try {
            BatchPlace place = segment.find(file, offset, published);
            if (place == null) {
                return null;
            }
            int wanted = Math.max(maxBytes, atLeastOneBatch ? place.lengthBytes() : 0);
            int length = Math.min(wanted, Segment.endPosition(published) - place.position());
            if (log.isSuspect()) {
                length = segment.readable(file, place, length);
            }
            Span span = span(segment, file, place.position(), length);
            handedOut = true;
            return new ReadOutcome.Found(span, place.baseOffset());
        } finally {
            if (!handedOut) {
                log.release();
            }
        }
    }

    /// @param file of the segment, with a reference that the span takes over
    private Span span(Segment segment, Descriptor file, int position, int lengthBytes) {
        boolean isPastCache = context.engineFor(config).isPastPageCache();
        SegmentAppender appending = isPastCache ? segment.appender() : null;
        SegmentWriter.InMemory inMemory =
                appending == null ? null : appending.writer().inMemory(position, lengthBytes);
        CachedFile log = segment.log();
        return inMemory == null
                ? new Span(file, position, lengthBytes, List.of(), isPastCache, log)
                : new Span(file, position, lengthBytes, inMemory.slices(), true, new BothHolds(log, inMemory.hold()));
    }

    /// The hold of a file and that of some memory.
    private record BothHolds(Hold file, Hold memory) implements Hold {
        @Override
        public void release() {
            memory.release();
            file.release();
        }

        @Override
        public void unreadable() {
            file.unreadable();
        }
    }

    /// The index of the last segment that begins at or below `offset`, or 0.
    private static int floor(Segment[] all, long offset) {
        int low = 0;
        int high = all.length - 1;
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (all[middle].baseOffset() <= offset) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }

    /// The first record from the log start offset on whose timestamp is at least `timestampMs`, or empty when
    /// there is none.
    ///
    /// Reads headers, and one or a few batches whole. May wait for the disk, and briefly for an append.
    ///
    /// @param codec looks inside the batches
    /// @throws IOException when stored bytes can't be read or are no batches
    public Optional<TimestampedOffset> offsetForTimestamp(long timestampMs, BatchCodec codec) throws IOException {
        return search(codec, found -> found.first(timestampMs, logStartOffset));
    }

    /// The first record that has the largest timestamp of all, or empty when the log is empty or has no
    /// timestamps.
    ///
    /// @param codec looks inside the batches
    /// @throws IOException when stored bytes can't be read or are no batches
    public Optional<TimestampedOffset> offsetOfMaxTimestamp(BatchCodec codec) throws IOException {
        return search(codec, TimestampSearch::largest);
    }

    /// Searches, and once more where a segment was deleted on the way.
    private Optional<TimestampedOffset> search(BatchCodec codec, Question question) throws IOException {
        while (true) {
            Segment first = segments[0];
            try {
                return question.ask(timestamps(codec));
            } catch (ErrnoException e) {
                if (e.errno() != Errno.ENOENT || segments[0] == first) {
                    throw e;
                }
            }
        }
    }

    @FunctionalInterface
    private interface Question {
        Optional<TimestampedOffset> ask(TimestampSearch search) throws IOException;
    }

    private TimestampSearch timestamps(BatchCodec codec) throws ErrnoException, CorruptBatchException {
        lock.lock();
        try {
            End published = end();
            End bound = bound();
            End end = bound == null ? published : bound;
            SegmentAppender appender = end.segment().appender();
            LargestTimestamp largest =
                    appender != null ? appender.largest() : end.segment().largest();
            Segment[] all = segments;
            int last = floor(all, end.segment().baseOffset());
            int count = all[last] == end.segment() ? last + 1 : 0; // all that may be seen was deleted
            return new TimestampSearch(Arrays.copyOf(all, count), end.published(), largest, codec);
        } finally {
            lock.unlock();
        }
    }

    // ---- Durability

    /// Waits until everything that was published at the call is on the device.
    ///
    /// @throws IOException when the device lost some of it: the log takes no more appends, for the kernel tells
    ///     that once, and the next flush would succeed
    public void flush() throws IOException {
        flush(true);
    }

    /// The same for the segments that are no longer appended to, so that recovery need not read them.
    void flushSealed() throws IOException {
        flush(false);
    }

    /// Waits until the indexes of the segments that were sealed since the last time are on the device. A failure is
    /// told once: without them look-ups are slow and right.
    private void flushSealedIndexes() throws IOException {
        flushLock.lock(); // so that nobody unlinks the files
        try {
            Segment[] all = segments;
            long from = indexesFlushedBelow;
            indexesFlushedBelow = all[all.length - 1].baseOffset();
            for (int i = 0; i + 1 < all.length && !closed; i++) {
                if (all[i].baseOffset() >= from) {
                    all[i].flushIndexes();
                }
            }
        } finally {
            flushLock.unlock();
        }
    }

    private void flush(boolean activeToo) throws IOException {
        long shownBytes;
        flushLock.lock();
        try {
            shownBytes = flushLocked(activeToo);
        } finally {
            flushLock.unlock();
            if (failure != null) {
                tellStopped();
            }
        }
        if (shownBytes > 0) {
            tellGrown(shownBytes);
        }
    }

    /// @return bytes that can be read now and could not before
    private long flushLocked(boolean activeToo) throws IOException {
        checkFlushable();
        Segment[] all = segments;
        Segment last = all[all.length - 1];
        End target = new End(last, activeToo ? last.published() : Segment.NOTHING_PUBLISHED);
        try {
            flushUpTo(all, target, activeToo);
        } catch (ErrnoException e) {
            if (e.call() == Call.FDATASYNC || e.call() == Call.FSYNC) {
                fence(e);
            }
            throw e;
        }
        return show(target);
    }

    private void flushUpTo(Segment[] all, End target, boolean activeToo) throws ErrnoException {
        if (target.offset() > recoveryPoint) {
            for (int i = floor(all, recoveryPoint); i < all.length; i++) {
                Segment segment = all[i];
                if (segment.endOffset(segment.published()) > recoveryPoint
                        && (segment != target.segment() || activeToo)) {
                    segment.flush();
                }
            }
        }
        syncNames();
        recoveryPoint = Math.max(recoveryPoint, target.offset());
    }

    /// Under the flush lock.
    private void syncNames() throws ErrnoException {
        if (!namesChanged) {
            return;
        }
        namesChanged = false;
        boolean synced = false;
        try {
            SmallFiles.syncFolder(kernel(), folder);
            SmallFiles.syncFolder(kernel(), SmallFiles.folderOf(folder));
            synced = true;
        } finally {
            if (!synced) {
                namesChanged = true;
            }
        }
    }

    /// Lets readers see what may be seen now.
    ///
    /// @param reached an end up to which all may be
    /// @return bytes that can be read now and could not before
    private long show(End reached) {
        lock.lock();
        try {
            End before = shown;
            if (before == null) {
                return 0;
            }
            End end = end();
            boolean unflushed = config.effectiveFlushPolicy() != FlushPolicy.ACK;
            if (end.offset() <= recoveryPoint || (unflushed && end.offset() <= ceiling)) {
                shown = null;
                return bytesBetween(before, end);
            }
            if (reached.offset() <= before.offset()) {
                return 0;
            }
            shown = reached;
            return bytesBetween(before, reached);
        } finally {
            lock.unlock();
        }
    }

    // ---- What an asynchronous engine says

    /// How far one segment was written. On the engine's thread.
    private final class WriteProgress implements SegmentWriter.Progress {
        private final Segment segment;

        private WriteProgress(Segment segment) {
            this.segment = segment;
        }

        @Override
        public void written(long mark) {
            written = new End(segment, mark);
        }

        @Override
        public void grown(long lengthBytes) {
            End there = written;
            End allowed = shown;
            if (there == null || allowed == null || there.offset() <= allowed.offset()) {
                tellGrown(lengthBytes);
            } // else whoever allows more tells it
        }

        /// Off the engine's thread: the lock may be held by somebody who waits for another write.
        @Override
        @SuppressWarnings("FutureReturnValueIgnored") // it throws nothing
        public void failed(int errno, String what) {
            try {
                context.flushing().threads().schedule(() -> lose(errno, what), 0, TimeUnit.NANOSECONDS);
            } catch (RejectedExecutionException e) {
                // The folder was closed: nobody waits any more.
            }
        }
    }

    private void lose(int errno, String what) {
        lock.lock();
        try {
            if (failure == null && !closed) {
                failure = new AppendOutcome.Failed(
                        errno,
                        true,
                        what + ": " + Errno.describe(errno) + ". What was appended from offset " + highWatermark()
                                + " on is not acknowledged; " + name + STOPPED);
            }
        } finally {
            lock.unlock();
        }
        tellStopped();
    }

    // ---- Its ceiling

    long ceiling() {
        return ceiling;
    }

    /// Whether [#wantedCeiling] would have something to say.
    boolean asksForCeiling() {
        lock.lock();
        try {
            return wantsCeiling && !hasStopped();
        } finally {
            lock.unlock();
        }
    }

    /// What is to be written down for this log before its ceiling is raised, or null when it does not want that.
    /// The names of its files are on the device by then: a folder that a power loss takes would begin at 0 again.
    /// The folder's own name is synced by whoever writes the ceilings down beside it.
    ///
    /// @throws ErrnoException when those can't be synced; it wants its ceiling still
    Ceilings.@Nullable Raise wantedCeiling() throws ErrnoException {
        lock.lock();
        try {
            if (!wantsCeiling || hasStopped()) {
                return null;
            }
        } finally {
            lock.unlock();
        }
        try {
            if (namesChanged) {
                SmallFiles.syncFolder(kernel(), folder);
            }
        } catch (ErrnoException e) {
            if (e.call() == Call.FSYNC) {
                fence(e);
                tellStopped();
            }
            throw e;
        }
        lock.lock();
        try {
            wantsCeiling = false;
            End end = end();
            return new Ceilings.Raise(this, end, Math.max(ceiling, end.offset() + Ceilings.STEP));
        } finally {
            lock.unlock();
        }
    }

    /// What was asked for could not be written.
    void wantsCeiling() {
        lock.lock();
        try {
            wantsCeiling = true;
        } finally {
            lock.unlock();
        }
    }

    /// It is on the device.
    void ceilingIs(Ceilings.Raise raise) {
        ceiling = raise.ceiling();
        if (config.effectiveFlushPolicy() == FlushPolicy.ACK) {
            flusher.flushNow(); // it was asked for before that was the policy: who waits, waits for a flush now
            return;
        }
        long shownBytes = show(raise.end());
        if (shownBytes > 0) {
            tellGrown(shownBytes);
        }
    }

    private long bytesBetween(End from, End to) {
        if (from.segment() == to.segment()) {
            return (long) to.position() - from.position();
        }
        long bytes = (long) Segment.endPosition(from.segment().published()) - from.position() + to.position();
        for (Segment segment : segments) {
            if (segment.baseOffset() > from.segment().baseOffset()
                    && segment.baseOffset() < to.segment().baseOffset()) {
                bytes += Segment.endPosition(segment.published());
            }
        }
        return bytes;
    }

    private void checkFlushable() throws IOException {
        AppendOutcome.Failed failed = failure;
        if (failed != null) {
            throw new IOException(failed.message());
        }
        if (closed) {
            throw new IOException(name + " is closed");
        }
    }

    private void fence(ErrnoException e) {
        AppendOutcome.Failed failed = new AppendOutcome.Failed(
                e.errno(),
                true,
                "Flushing failed (" + e.getMessage() + "). What was appended from offset " + recoveryPoint
                        + " on may not be on the device; " + name + STOPPED);
        lock.lock();
        try {
            if (failure == null) {
                failure = failed;
            }
        } finally {
            lock.unlock();
        }
        FenceMark.leave(kernel(), folder, failed.message()); // if the folder is gone by now, nobody misses it
    }

    // ---- Retention

    /// Deletes all records below `offset`: they can't be read any more, and segments that hold no others are
    /// unlinked. Who holds a span of one can still send it. What is deleted stays so after any crash once this
    /// returned.
    ///
    /// @param offset at most [#highWatermark]; below the log start offset nothing changes
    /// @return the log start offset from now on
    /// @throws IllegalArgumentException when the offset lies above the high watermark
    /// @throws IOException when the log is closed, or it could not be written down where it begins: the records
    ///     then may or may not come back with a crash, and their files are still there
    public long deleteBefore(long offset) throws IOException {
        if (offset > highWatermark()) {
            throw new IllegalArgumentException(
                    "Offset " + offset + " of " + name + " is above its high watermark, " + highWatermark());
        }
        long start = moveStart(offset);
        context.logStarts().keep();
        dropBelow(start);
        return logStartOffset;
    }

    private long moveStart(long offset) throws IOException {
        lock.lock();
        try {
            if (closed) {
                throw new IOException(name + " is closed");
            }
            logStartOffset = Math.max(logStartOffset, offset);
            return logStartOffset;
        } finally {
            lock.unlock();
        }
    }

    /// Moves the start above the segments that are due to go by age or size. Kafka's rules, `UnifiedLog`: by age a
    /// segment goes when its youngest record is older than `retention.ms`; by size the oldest go while the others
    /// hold at least `retention.bytes`. The active segment goes too, and a new one is begun.
    ///
    /// Unlinks nothing: [#dropBelow] does, once it was written down where the log begins.
    ///
    /// @param nowMs what counts as now; empty when nothing is to go by age
    /// @throws IOException when that can't be found out; what lies before is due all the same
    void expire(OptionalLong nowMs) throws IOException {
        LogConfig using = config;
        if (closed || !using.deleted()) {
            return;
        }
        Segment[] all = segments;
        Expiry expiry = new Expiry(using, nowMs, bytesOnDisk());
        long start = all[0].baseOffset();
        try {
            for (int i = 0; i + 1 < all.length; i++) {
                if (!expiry.takes(all[i], null) || all[i + 1].baseOffset() > highWatermark()) {
                    return;
                }
                start = all[i + 1].baseOffset();
            }
            start = Math.max(start, expireActive(all[all.length - 1], expiry));
        } finally {
            if (start > logStartOffset) {
                moveStart(start);
            }
        }
    }

    /// @return the end of the log if all of it is due, and a new segment was begun there; else 0
    private long expireActive(Segment last, Expiry expiry) throws IOException {
        lock.lock();
        try {
            long end = logEndOffset();
            boolean empty = Segment.endPosition(last.published()) == 0;
            if (closed || failure != null || last != active() || empty || end > highWatermark()) {
                return 0;
            }
            if (!expiry.takes(last, last.appender())) {
                return 0;
            }
            context.reserve().spendFor(() -> roll(end));
            return end;
        } finally {
            lock.unlock();
        }
    }

    /// Unlinks the segments that hold nothing from `start` on, the oldest first.
    ///
    /// @param start a log start offset that was written down durably. Not the one of now: somebody else may have
    ///     moved that meanwhile, and not have written it down yet
    /// @return how many went, with how many bytes
    /// @throws IOException when the folder does not let go of one
    Dropped dropBelow(long start) throws IOException {
        unlinkLock.lock();
        try {
            Segment[] gone = takeBelow(start);
            long bytes = 0;
            long failed = 0;
            for (Segment segment : gone) {
                bytes += Segment.endPosition(segment.published());
                long result = segment.delete();
                failed = failed == 0 ? result : failed;
            }
            ErrnoException.check(failed, Call.UNLINK, folder.toString());
            return new Dropped(gone.length, bytes);
        } finally {
            unlinkLock.unlock();
        }
    }

    /// Takes the segments out of the log that hold nothing from `start` on; readers find them no more.
    private Segment[] takeBelow(long start) {
        flushLock.lock(); // a flush under way needs their files by name
        lock.lock();
        try {
            Segment[] all = segments;
            int count = 0;
            while (!closed && count + 1 < all.length && all[count + 1].baseOffset() <= start) {
                count++;
            }
            if (count > 0) {
                segments = Arrays.copyOfRange(all, count, all.length);
            }
            return Arrays.copyOf(all, count);
        } finally {
            lock.unlock();
            flushLock.unlock();
        }
    }

    /// What retention has unlinked.
    record Dropped(int segments, long bytes) {
        static final Dropped NOTHING = new Dropped(0, 0);
    }

    // ---- Housekeeping, and the end

    /// Whether it was closed, with its folder or because it was deleted.
    public boolean isClosed() {
        return closed;
    }

    /// Flushes the sealed segments with their indexes, forgets producers that have expired, and rests if there was
    /// nothing to do.
    ///
    /// @throws IOException the first failure; the rest is done all the same
    void tidy() throws IOException {
        Failures failures = new Failures();
        failures.run(this::flushSealed);
        failures.run(this::flushSealedIndexes);
        failures.run(this::rest);
        lock.lock();
        try {
            producers.expire(context.clock().millis(), config.producerIdExpirationMs());
        } finally {
            lock.unlock();
        }
        if (!closed) { // by a deletion meanwhile
            failures.throwIfAny();
        }
    }

    /// Lets go of the active segment's descriptor and maps if nothing was appended since the last call.
    ///
    /// @throws ErrnoException when its files can't be trimmed; it then stays as it is
    void rest() throws ErrnoException {
        lock.lock();
        try {
            Segment active = active();
            if (!closed && !appendedSinceRest && active.appender() != null) {
                active.finish();
                active.cool();
            }
            appendedSinceRest = false;
        } finally {
            lock.unlock();
        }
    }

    /// Closes the log cleanly: everything flushed, files trimmed, producers written down. Closing twice changes
    /// nothing.
    ///
    /// @throws IOException when that can't be: the log is closed all the same, and is to be recovered at the next
    ///     start
    void close() throws IOException {
        flushLock.lock();
        lock.lock();
        try {
            if (closed) {
                return;
            }
            checkFlushable();
            Segment active = active();
            active.finish();
            active.cool();
            flushLocked(true);
            // Without a sync, as for the indexes: one that a power cut has torn is found out, and done
            // without.
            context.reserve().spendFor(() -> snapshotProducers(logEndOffset()));
            ceiling = Math.min(ceiling, logEndOffset()); // nothing is seen above it that is not on the device
        } finally {
            letGo();
            lock.unlock();
            flushLock.unlock();
            tellStopped();
        }
    }

    /// Lets go of everything as it is: no flush, no trimming, as if the process had died here.
    void abandon() {
        lock.lock();
        try {
            letGo();
        } finally {
            lock.unlock();
        }
        tellStopped();
    }

    private void letGo() {
        closed = true;
        for (Segment segment : segments) {
            segment.retire();
        }
        account.close();
    }

    /// Moves the folder away and closes the log, for its files are about to be unlinked. Who reads them still
    /// can.
    ///
    /// @throws ErrnoException when it can't be renamed; nothing has changed then
    void moveAway(Path deleted) throws ErrnoException {
        unlinkLock.lock();
        lock.lock();
        try {
            ErrnoException.check(kernel().files().rename(folder, deleted), Call.RENAME, folder.toString());
            folder = deleted;
            letGo();
        } finally {
            lock.unlock();
            unlinkLock.unlock();
        }
        tellStopped();
    }

    @Override
    public String toString() {
        return name.folder();
    }
}
