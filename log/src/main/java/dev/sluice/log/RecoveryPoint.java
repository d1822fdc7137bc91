package dev.sluice.log;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.ErrnoException;
import java.io.IOException;

/// The offset below which everything of one log is on the device, and the flushes that raise it.
///
/// **Threads.** Any thread may flush; one does at a time, under the log's flush lock, beside the thread that appends.
/// A failure of fsync fences the log: the kernel tells a loss once.
final class RecoveryPoint {
    private final LogState state;
    private final HighWatermark watermark;

    // Written under the flush lock, read by any thread.
    private volatile long offset;
    /// What it will be when the flush that is under way has gone well; the same while there is none.
    private volatile long aimedAt;
    /// Whether the names of the files may not be on the device. A roll sets it too, before anything is published in
    /// its segment.
    private volatile boolean namesChanged;
    /// Sealed segments below it have their indexes on the device. Guarded by the flush lock.
    private long indexesFlushedBelow;

    RecoveryPoint(
            LogState state, HighWatermark watermark, long offset, boolean namesDurable, long indexesDurableBelow) {
        this.state = state;
        this.watermark = watermark;
        this.offset = offset;
        this.aimedAt = offset;
        this.namesChanged = !namesDurable;
        this.indexesFlushedBelow = indexesDurableBelow;
    }

    long offset() {
        return offset;
    }

    /// Below it segments may have been flushed for the last time.
    long aimedAt() {
        return aimedAt;
    }

    /// A file was made in the log's folder.
    void namesChanged() {
        namesChanged = true;
    }

    /// The names of a new log's files, and that of its folder, are on the device. Before anybody appends.
    void namesAreDurable() {
        namesChanged = false;
    }

    // ---- Flushing

    /// Waits until what was published at the call is on the device, and tells listeners what can be read by that.
    ///
    /// @param activeToo whether that of the active segment counts
    /// @throws IOException when the device lost some of it, or the log has stopped
    void flush(boolean activeToo) throws IOException {
        long shownBytes;
        state.flushLock().lock();
        try {
            shownBytes = flushLocked(activeToo);
        } finally {
            state.flushLock().unlock();
            if (state.failure() != null) {
                state.listeners().stopped();
            }
        }
        if (shownBytes > 0) {
            state.listeners().grown(shownBytes);
        }
    }

    /// The same under the flush lock, telling nobody.
    ///
    /// @return bytes that can be read now and could not before
    long flushLocked(boolean activeToo) throws IOException {
        state.checkGoesOn();
        Segment[] all = state.segments().all();
        Segment last = all[all.length - 1];
        End target = new End(last, activeToo ? last.published() : Segment.NOTHING_PUBLISHED);
        try {
            flushUpTo(all, target, activeToo);
        } catch (ErrnoException e) {
            if (e.call() == Call.FDATASYNC || e.call() == Call.FSYNC) {
                state.fence(e, offset);
            }
            throw e;
        }
        return watermark.raise(target, offset);
    }

    @SuppressWarnings("NonAtomicOperationOnVolatileField") // under the flush lock
    private void flushUpTo(Segment[] all, End target, boolean activeToo) throws ErrnoException {
        if (target.offset() > offset) {
            aimedAt = target.offset(); // first: what is cut off a file from now on has to be flushed by whoever does it
            for (int i = SegmentList.floor(all, offset); i < all.length; i++) {
                Segment segment = all[i];
                if (segment.endOffset(segment.published()) > offset && (segment != target.segment() || activeToo)) {
                    segment.flush();
                }
            }
        }
        syncNames();
        offset = Math.max(offset, target.offset());
    }

    private void syncNames() throws ErrnoException {
        if (!namesChanged) {
            return;
        }
        namesChanged = false;
        boolean synced = false;
        try {
            SmallFiles.syncFolder(state.kernel(), state.folder());
            SmallFiles.syncFolder(state.kernel(), SmallFiles.folderOf(state.folder()));
            synced = true;
        } finally {
            if (!synced) {
                namesChanged = true;
            }
        }
    }

    /// Whether [#syncOwnNames] would have to wait for the device.
    boolean owesNames() {
        return namesChanged;
    }

    /// Has the names of the log's files on the device, but for that of its folder. Under no lock.
    ///
    /// @throws ErrnoException when that can't be; where it may have lost them, the log is fenced, and listeners
    ///                        told
    void syncOwnNames() throws ErrnoException {
        if (!namesChanged) {
            return;
        }
        try {
            SmallFiles.syncFolder(state.kernel(), state.folder());
        } catch (ErrnoException e) {
            if (e.call() == Call.FSYNC) {
                state.fence(e, offset);
                state.listeners().stopped();
            }
            throw e;
        }
    }

    /// Waits until the indexes of the segments that were sealed since the last time are on the device. A failure is
    /// told once: without them look-ups are slow and right.
    void flushSealedIndexes() throws IOException {
        state.flushLock().lock(); // so that nobody unlinks the files
        try {
            Segment[] all = state.segments().all();
            long from = indexesFlushedBelow;
            indexesFlushedBelow = all[all.length - 1].baseOffset();
            for (int i = 0; i + 1 < all.length && !state.isClosed(); i++) {
                if (all[i].baseOffset() >= from) {
                    all[i].flushIndexes();
                }
            }
        } finally {
            state.flushLock().unlock();
        }
    }
}
