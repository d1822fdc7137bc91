package dev.sluice.log;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
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
/// **Parts.** In here is the append, and what others see of a log. Beside it: [SegmentRoller] begins segments,
/// [LogReader] finds records, [HighWatermark] says what of them may be seen, [RecoveryPoint] has them on the device,
/// when [Flusher] says so, [LogRetention] lets go of them. [LogState] is what all of these share, its locks too.
///
/// **Threads.** Appends are serialized by a lock; any number of threads read beside the one that appends, without it.
/// What is published never changes, and segments leave by unlink, so what was handed out stays true.
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

    private final LogContext context;
    private final PartitionName name;
    private final LazyAccount account;
    private final SegmentList segments;
    private final LogListeners listeners = new LogListeners(this);
    private final LogState state;
    private final HighWatermark watermark;
    private final RecoveryPoint recoveryPoint;
    private final SegmentRoller roller;
    private final LogReader reader;
    private final LogRetention retention;
    private final Flusher flusher;
    /// [LogState#lock].
    private final ReentrantLock lock;

    // Guarded by the lock.
    private final ProducerStates producers;
    private boolean appendedSinceRest;
    private long publishedBytes;

    // Written under the lock, read by any thread.
    private volatile LeaderEpochs epochs;
    private volatile @Nullable UUID topicId;

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
        this.account = account;
        this.segments = new SegmentList(contents.segments());
        this.producers = contents.producers();
        this.epochs = contents.epochs();
        this.topicId = contents.topicId();
        this.state = new LogState(context, name, segments, listeners, folder, config, contents.logStartOffset());
        this.lock = state.lock();
        this.watermark = new HighWatermark(state, contents.ceiling());
        this.recoveryPoint = new RecoveryPoint(
                state, watermark, contents.recoveryPoint(), contents.namesDurable(), contents.indexesDurableBelow());
        this.roller = new SegmentRoller(state, recoveryPoint, producers, account, contents.snapshotOffset());
        this.reader = new LogReader(state, watermark);
        this.retention = new LogRetention(state, watermark, roller);
        this.flusher = new Flusher(this, context.flushing());
    }

    // ---- What it is

    /// The topic's name.
    public String topic() {
        return name.topic();
    }

    /// Its number within the topic, from 0.
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
                PartitionMetadata.write(context.kernel(), state.folder(), id);
                topicId = id;
            }
        } finally {
            lock.unlock();
        }
    }

    /// What holds for the next append.
    public LogConfig config() {
        return state.config();
    }

    /// Takes effect with the next append; the size of the index files with the next segment. A flush policy that
    /// wants flushes gets one for what was appended before.
    public void configure(LogConfig newConfig) {
        state.configure(newConfig);
        if (owesFlush()) {
            flusher.flushNow();
        }
    }

    /// Whether the flush policy wants flushes, and not all that is there was flushed.
    public boolean owesFlush() {
        return config().effectiveFlushPolicy() != FlushPolicy.OS && recoveryPoint() < logEndOffset();
    }

    /// The account of all calls on this partition's files. Its children are the segments that were used since the
    /// start.
    public Account account() {
        return account.get();
    }

    /// The bytes of all batches.
    public long bytesOnDisk() {
        return segments.bytes();
    }

    /// The first offset that can be read, unless it is the end.
    public long logStartOffset() {
        return state.startOffset();
    }

    /// The offset that the next record gets. Read with acquire order: everything below it can be read.
    public long logEndOffset() {
        return segments.endOffset();
    }

    /// The offset below which consumers may read, and below which everything is acknowledged: the end, or, under
    /// [FlushPolicy#ACK], the end of what is on the device. Otherwise it lies below the end for a moment when
    /// offsets are given for the first time, until their ceiling is on the device.
    public long highWatermark() {
        return watermark.offset();
    }

    /// The offset below which everything was flushed to the device.
    public long recoveryPoint() {
        return recoveryPoint.offset();
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
        return Optional.ofNullable(state.failure());
    }

    /// The last failure to read, in a sentence for an operator; empty when there was none.
    public Optional<String> readProblem() {
        return Optional.ofNullable(reader.failure())
                .map(failed -> name + " could not be read, the last time: " + failed.getMessage());
    }

    /// Why what the flush policy asks for could not be tried, the last time, in a sentence for an operator; empty
    /// when it could. It is tried again and again meanwhile.
    public Optional<String> flushProblem() {
        return flusher.problem().map(why -> name + " can't be flushed, and producers wait for it: " + why);
    }

    /// Whether it takes no more appends: it has failed, or was closed.
    public boolean hasStopped() {
        return state.hasStopped();
    }

    /// The flushes that appends brought about.
    public FlushCounts flushCounts() {
        return flusher.counts();
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

    /// Appends batches of clients one behind the other, those that need nothing else by one write. What becomes of
    /// each is what [#append(BatchView)] would have answered, and is told in the group; if a write of several fails
    /// for good, it is that for all of them.
    public void append(BatchGroup group) {
        while (group.settled() < group.count()) {
            if (take(PartitionLog::appendTogether, group) == null) {
                group.settle(append(group.batch(group.settled())));
            }
        }
    }

    private AppendOutcome appendOnce(BatchView batch) {
        return Objects.requireNonNull(take(PartitionLog::appendLocked, batch));
    }

    /// What is done of an append under the lock; one that captures nothing, or each append would cost an object.
    private interface Step<B> {
        /// @return what became of the last batch; null when nothing was done
        @Nullable AppendOutcome take(PartitionLog log, B batches);
    }

    /// Takes a step of an append under the lock, and tells who is to know of it under none.
    private <B> @Nullable AppendOutcome take(Step<B> step, B batches) {
        AppendOutcome outcome;
        boolean asksForCeiling;
        boolean isShown;
        boolean isWritten;
        long lengthBytes;
        long endOffset;
        lock.lock();
        try {
            boolean asked = watermark.wantsCeiling();
            long before = publishedBytes;
            outcome = step.take(this, batches);
            asksForCeiling = !asked && watermark.wantsCeiling();
            isShown = watermark.isAllShown();
            isWritten = watermark.isAllWritten();
            lengthBytes = publishedBytes - before;
            endOffset = logEndOffset();
        } finally {
            lock.unlock();
        }
        if (asksForCeiling) {
            context.ceilings().run();
        }
        if (outcome == AppendOutcome.APPENDED) {
            if (isShown && isWritten) {
                listeners.grown(lengthBytes);
            }
            flushInTime(endOffset, isShown);
        } else if (outcome instanceof AppendOutcome.Failed failed && failed.permanent()) {
            listeners.stopped();
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
        if (state.config().vital() && (reserve.spend() || reserve.isSpent())) {
            return appendAlone(batch);
        }
        reserve.refused();
        return failed;
    }

    /// What the flush policy wants after an append.
    private void flushInTime(long endOffset, boolean isShown) {
        LogConfig using = state.config();
        switch (using.effectiveFlushPolicy()) {
            case ACK -> {
                if (!isShown) {
                    flusher.await();
                }
            }
            case INTERVAL -> {
                if (endOffset - recoveryPoint.offset() >= using.flushMessages()) {
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
        AppendOutcome outcome = appendAlone(batch);
        return isForWantOfSpace(outcome) ? appendOnFullDisk(batch, outcome) : outcome;
    }

    private AppendOutcome appendAlone(BatchView batch) {
        AppendOutcome refusal = refuse(batch);
        if (refusal != null) {
            return refusal;
        }
        LogConfig using = state.config();
        long baseOffset = logEndOffset();
        SegmentAppender appender;
        try {
            appender = appenderFor(batch, using, baseOffset);
        } catch (ErrnoException e) {
            AppendOutcome.Failed fenced = state.failure(); // a roll flushes, and what that loses doesn't come back
            return fenced != null ? fenced : failed(e.errno(), "Preparing the append (" + e.getMessage() + ")");
        } catch (CorruptBatchException e) {
            return failed(Errno.EIO, true, "Preparing the append (" + e.getMessage() + ")");
        }
        Segment segment = segments.active();
        long result = appender.room(batch.lengthBytes(), 1, using.indexIntervalBytes());
        if (result < 0) {
            return failed((int) -result, "Making room for " + describe(batch, segment, appender));
        }
        batch.patch(baseOffset, epochs.latest());
        long position = appender.write(batch);
        if (position < 0) {
            return failed((int) -position, "Writing " + describe(batch, segment, appender));
        }
        if (position == 0) {
            segment.firstTimestamp(batch.maxTimestamp());
        }
        remember(batch, position, appender, using);
        publish(batch.lastOffset(), position + batch.lengthBytes(), segment, appender, using);
        return AppendOutcome.APPENDED;
    }

    /// What is to be known of a batch that was written, before it is published.
    private void remember(BatchView batch, long position, SegmentAppender appender, LogConfig using) {
        appender.index(batch, (int) position, using.indexIntervalBytes());
        producers.appended(batch);
        appendedSinceRest = true;
    }

    private void publish(
            long lastOffset, long endPosition, Segment segment, SegmentAppender appender, LogConfig using) {
        boolean unflushed = using.effectiveFlushPolicy() != FlushPolicy.ACK;
        watermark.admit(lastOffset, unflushed, context.engineFor(using).isAsynchronous());
        publishedBytes += endPosition - Segment.endPosition(segment.published());
        segment.publish(lastOffset + 1, (int) endPosition);
        appender.writer().commit(segment.published());
    }

    /// Appends as many of a group's batches as need nothing but to be written, by one write. Whatever else is to be
    /// said or done of a batch is left to an append of its own.
    ///
    /// @return what became of the last of them; null when these are not two at least, or the write fails for a
    ///         reason that passes: then the next has to be appended by itself
    private @Nullable AppendOutcome appendTogether(BatchGroup group) {
        int from = group.settled();
        LogConfig using = state.config();
        Segment segment = segments.active();
        SegmentAppender appender = segment.appender();
        if (appender == null || Segment.endPosition(segment.published()) == 0) {
            return null; // opened by the first batch, or by the first one rolled
        }
        int end = endOfAdmitted(group, from, using, appender);
        int batches = end - from;
        int lengthBytes = group.lengthBytes(from, end);
        if (batches < 2 || appender.room(lengthBytes, batches, using.indexIntervalBytes()) < 0) {
            return null;
        }
        long next = logEndOffset();
        for (int i = from; i < end; i++) {
            group.batch(i).patch(next, epochs.latest());
            next = group.batch(i).lastOffset() + 1;
        }
        long position = appender.write(group, from, end);
        if (position < 0) {
            int errno = (int) -position;
            if (passes(errno)) {
                return null;
            }
            String what = "Writing " + batches + " batches, " + lengthBytes + " bytes at byte "
                    + appender.writer().end() + " of " + segment.log().path();
            AppendOutcome failed = failed(errno, what);
            for (int i = from; i < end; i++) {
                group.settle(failed);
            }
            return failed;
        }
        long at = position;
        for (int i = from; i < end; i++) {
            BatchView batch = group.batch(i);
            remember(batch, at, appender, using);
            group.settle(AppendOutcome.APPENDED);
            at += batch.lengthBytes();
        }
        publish(next - 1, at, segment, appender, using);
        return AppendOutcome.APPENDED;
    }

    /// @return behind the last batch from `from` on that is neither refused, nor due for a new segment, nor to be
    ///         checked against one before it
    private int endOfAdmitted(BatchGroup group, int from, LogConfig using, SegmentAppender appender) {
        long next = logEndOffset();
        int end = from;
        try {
            while (end < group.count()) {
                BatchView batch = group.batch(end);
                if (refuse(batch) != null
                        || group.hasProducerOf(batch, from, end)
                        || roller.isDue(batch, using, next, appender, end - from, group.lengthBytes(from, end))) {
                    break;
                }
                next += batch.lastOffsetDelta() + 1;
                end++;
            }
        } catch (ErrnoException | CorruptBatchException e) {
            return from; // the append of one says so
        }
        return end;
    }

    /// Why the batch is not taken, or null.
    private @Nullable AppendOutcome refuse(BatchView batch) {
        if (state.isClosed()) {
            return new AppendOutcome.Rejected(AppendOutcome.Reason.CLOSED, name + " is closed");
        }
        AppendOutcome.Failed failed = state.failure();
        if (failed != null) {
            return failed;
        }
        if (batch.lengthBytes() > config().segmentBytes()) {
            return new AppendOutcome.Rejected(
                    AppendOutcome.Reason.TOO_LARGE_FOR_SEGMENT,
                    "A batch of " + batch.lengthBytes() + " bytes for " + name + " is larger than its segment.bytes, "
                            + config().segmentBytes());
        }
        if (batch.isTransactional()) {
            return new AppendOutcome.Rejected(
                    AppendOutcome.Reason.TRANSACTIONAL, "A transactional batch for " + name + ": there are none here");
        }
        AppendOutcome known = producers.check(batch, name, logStartOffset());
        if (known == null && context.reserve().isSpent() && !config().vital()) {
            return new AppendOutcome.Failed(
                    Errno.ENOSPC, false, context.reserve().refusal());
        }
        return known;
    }

    /// The appender of the active segment, which is a new one if the batch is due for one.
    private SegmentAppender appenderFor(BatchView batch, LogConfig using, long baseOffset)
            throws ErrnoException, CorruptBatchException {
        SegmentAppender appender = warm(using);
        if (roller.isDue(batch, using, baseOffset, appender, 0, 0)) {
            roller.roll(baseOffset);
            appender = warm(using);
        }
        return appender;
    }

    private SegmentAppender warm(LogConfig using) throws ErrnoException, CorruptBatchException {
        Segment active = segments.active();
        SegmentAppender appender = active.appender();
        return appender != null ? appender : active.warm(using, new WriteProgress(state, watermark, active));
    }

    private static String describe(BatchView batch, Segment segment, SegmentAppender appender) {
        return batch.lengthBytes() + " bytes at byte " + appender.writer().end() + " of "
                + segment.log().path();
    }

    /// Nothing was published. Want of space, memory or descriptors passes; with anything else the disk can't be
    /// trusted, and whole batches of several may be in the file, which the next start finds.
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
                what + ": " + Errno.describe(errno)
                        + (permanent
                                ? ". What of it is stored is not known; " + name + LogState.STOPPED
                                : ". Nothing was stored; make room, and the next append goes through."));
        if (permanent) {
            state.fail(outcome);
        }
        return outcome;
    }

    /// Tells `listener` from now on.
    public void addListener(LogListener listener) {
        listeners.add(listener);
    }

    /// Tells it no more; a call that is under way may still come.
    public void removeListener(LogListener listener) {
        listeners.remove(listener);
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
        return reader.read(offset, maxBytes, atLeastOneBatch);
    }

    /// Where readers' part of the log ends now. Later answers are never below earlier ones.
    public ReadableEnd readableEnd() {
        End end = watermark.readable();
        return new ReadableEnd(end.offset(), end.segment().baseOffset(), end.position());
    }

    /// The segment to go on reading in from `offset` on, for who reads its file by himself.
    ///
    /// @param offset from the log start offset to the high watermark
    /// @throws CorruptBatchException when stored bytes are no batches
    /// @throws ErrnoException when a file can't be opened or read
    public SegmentOutcome segmentFor(long offset) throws IOException {
        return reader.segmentFor(offset);
    }

    /// Whether the segment with this base offset is still part of the log.
    public boolean hasSegment(long baseOffset) {
        return reader.hasSegment(baseOffset);
    }

    /// The first record from the log start offset on whose timestamp is at least `timestampMs`, or empty when
    /// there is none.
    ///
    /// Reads headers, and one or a few batches whole. May wait for the disk, and briefly for an append.
    ///
    /// @param codec looks inside the batches
    /// @throws IOException when stored bytes can't be read or are no batches
    public Optional<TimestampedOffset> offsetForTimestamp(long timestampMs, BatchCodec codec) throws IOException {
        return reader.offsetForTimestamp(timestampMs, codec);
    }

    /// The first record that has the largest timestamp of all, or empty when the log is empty or has no
    /// timestamps.
    ///
    /// @param codec looks inside the batches
    /// @throws IOException when stored bytes can't be read or are no batches
    public Optional<TimestampedOffset> offsetOfMaxTimestamp(BatchCodec codec) throws IOException {
        return reader.offsetOfMaxTimestamp(codec);
    }

    // ---- Durability

    /// Waits until everything that was published at the call is on the device.
    ///
    /// @throws IOException when the device lost some of it: the log takes no more appends, for the kernel tells
    ///     that once, and the next flush would succeed
    public void flush() throws IOException {
        recoveryPoint.flush(true);
    }

    /// What it was made of is on the device, to the name of its folder: no append waits for that. Before anybody
    /// appends.
    void madeDurably() {
        recoveryPoint.namesAreDurable();
    }

    // ---- Its ceiling

    long ceiling() {
        return watermark.ceiling();
    }

    /// Whether [#wantedCeiling] would have something to say.
    boolean asksForCeiling() {
        lock.lock();
        try {
            return watermark.wantsCeiling() && !hasStopped();
        } finally {
            lock.unlock();
        }
    }

    /// Whether the next batch would have to wait for a ceiling.
    boolean isAtCeiling() {
        return config().effectiveFlushPolicy() != FlushPolicy.ACK && logEndOffset() >= ceiling() && !hasStopped();
    }

    /// Whether [#wantedCeiling] has to wait for the device.
    boolean owesNames() {
        return recoveryPoint.owesNames();
    }

    /// What is to be written down for this log before its ceiling is raised, or null when it takes no more appends.
    /// The names of its files are on the device by then: a folder that a power loss takes would begin at 0 again.
    /// The folder's own name is synced by whoever writes the ceilings down beside it.
    ///
    /// @throws ErrnoException when those can't be synced; it wants its ceiling still
    Ceilings.@Nullable Raise wantedCeiling() throws ErrnoException {
        if (hasStopped()) {
            return null;
        }
        recoveryPoint.syncOwnNames();
        lock.lock();
        try {
            watermark.wantsCeiling(false);
            End end = segments.end();
            return new Ceilings.Raise(this, end, Math.max(ceiling(), end.offset() + Ceilings.STEP));
        } finally {
            lock.unlock();
        }
    }

    /// What was asked for could not be written.
    void wantsCeiling() {
        lock.lock();
        try {
            watermark.wantsCeiling(true);
        } finally {
            lock.unlock();
        }
    }

    /// It is on the device.
    void ceilingIs(Ceilings.Raise raise) {
        watermark.ceilingIs(raise.ceiling());
        if (config().effectiveFlushPolicy() == FlushPolicy.ACK) {
            flusher.flushNow(); // it was asked for before that was the policy: who waits, waits for a flush now
            return;
        }
        long shownBytes = watermark.raise(raise.end(), recoveryPoint());
        if (shownBytes > 0) {
            listeners.grown(shownBytes);
        }
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
        return retention.deleteBefore(offset);
    }

    /// See [LogRetention#expire].
    void expire(OptionalLong nowMs) throws IOException {
        retention.expire(nowMs);
    }

    /// See [LogRetention#dropBelow].
    LogRetention.Dropped dropBelow(long start) throws IOException {
        return retention.dropBelow(start);
    }

    // ---- Housekeeping, and the end

    /// Whether it was closed, with its folder or because it was deleted.
    public boolean isClosed() {
        return state.isClosed();
    }

    /// Flushes the sealed segments with their indexes, forgets producers that have expired, and rests if there was
    /// nothing to do.
    ///
    /// @throws IOException the first failure; the rest is done all the same
    void tidy() throws IOException {
        Failures failures = new Failures();
        failures.run(() -> recoveryPoint.flush(false)); // so that recovery need not read them
        failures.run(recoveryPoint::flushSealedIndexes);
        failures.run(this::rest);
        lock.lock();
        try {
            producers.expire(context.clock().millis(), config().producerIdExpirationMs());
        } finally {
            lock.unlock();
        }
        if (!isClosed()) { // by a deletion meanwhile
            failures.throwIfAny();
        }
    }

    /// Lets go of the active segment's descriptor and maps if nothing was appended since the last call.
    ///
    /// @throws ErrnoException when its files can't be trimmed; it then stays as it is
    void rest() throws ErrnoException {
        lock.lock();
        try {
            Segment active = segments.active();
            if (!isClosed() && !appendedSinceRest && active.appender() != null) {
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
        state.flushLock().lock();
        lock.lock();
        try {
            if (isClosed()) {
                return;
            }
            state.checkGoesOn();
            Segment active = segments.active();
            active.finish();
            active.cool();
            recoveryPoint.flushLocked(true);
            // Without a sync, as for the indexes: one that a power cut has torn is found out, and done
            // without.
            context.reserve().spendFor(() -> roller.snapshotProducers(logEndOffset()));
            watermark.lowerCeiling(logEndOffset());
        } finally {
            letGo();
            lock.unlock();
            state.flushLock().unlock();
            listeners.stopped();
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
        listeners.stopped();
    }

    private void letGo() {
        state.close();
        for (Segment segment : segments.all()) {
            segment.retire();
        }
        account.close();
    }

    /// Moves the folder away and closes the log, for its files are about to be unlinked. Who reads them still
    /// can.
    ///
    /// @throws ErrnoException when it can't be renamed; nothing has changed then
    void moveAway(Path deleted) throws ErrnoException {
        state.unlinkLock().lock();
        lock.lock();
        try {
            ErrnoException.check(
                    context.kernel().files().rename(state.folder(), deleted),
                    Call.RENAME,
                    state.folder().toString());
            state.movedTo(deleted);
            letGo();
        } finally {
            lock.unlock();
            state.unlinkLock().unlock();
        }
        listeners.stopped();
    }

    @Override
    public String toString() {
        return name.folder();
    }
}
