package dev.sluice.io.cache;

import dev.sluice.io.async.BufferPool;
import dev.sluice.io.async.Completion;
import dev.sluice.io.async.FileOperation;
import dev.sluice.io.async.FileQueue;
import dev.sluice.io.async.PoolBuffer;
import dev.sluice.io.direct.Alignment;
import dev.sluice.io.direct.DirectFile;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// Memory for blocks of files and devices that are opened past the page cache: for programs that know better than the
/// kernel what they will read again, as databases do.
///
/// Reads come from memory where they can; who reads on has the next blocks read ahead. Writes change memory and are
/// written out later, within bounds of bytes and age, in the order of their positions. What goes when room is needed is
/// [S3Fifo]'s to say: a scan of everything leaves in the cache what is read again and again.
///
/// ```
///   CachedFile.read/write ─▶ LongIntMap: (file, block) → Frame ─▶ buffer of the pool
///                                 │ miss                 │ changed
///                                 ▼                      ▼
///                     S3Fifo gives a frame up        WriteBack: by age, then by position
///                                 └────────── FileQueue ─┴──────────▶ disk
/// ```
///
/// There is no thread and no clock inside. Whoever owns the cache calls [#poll] when [#nextDueNs] is over, and the age
/// of delayed writes is bounded by that.
///
/// Owned by the queue's thread; threads that share it agree on a lock, and open the queue for it. Borrows queue and
/// pool, of which it keeps [CacheConfig#blocks] buffers until closed.
public final class BlockCache implements AutoCloseable {
    /// A key is the file's number and the block's: 23 and 40 bits. Blocks of 4 KiB then reach to 4 PiB.
    private static final int BLOCK_BITS = 40;

    private final FileQueue queue;
    private final CacheConfig config;
    private final LongSupplier clockNs;
    private final int blockBytes;
    private final Frame[] frames;
    private final int[] freeFrames;
    private int freeCount;
    private final LongIntMap table;
    private final S3Fifo policy;
    private final WriteBack writeBack;
    private final ArrayDeque<Frame> unfinished = new ArrayDeque<>();
    private final BitSet fileNumbers = new BitSet();
    private final List<CachedFile> files = new ArrayList<>();
    private boolean closed;

    private long hits;
    private long misses;
    private long readAhead;
    private long evictions;
    private long written;
    private long waitsForRoom;

    private final Completion completion = this::completed;

    /// Takes the pool's buffers and fills in nothing.
    ///
    /// @param queue   runs its reads and writes; best opened with `pool`, so that its buffers are registered
    /// @param pool    a block is as large as one of its buffers
    /// @param clockNs System::nanoTime, or a test's
    /// @throws IllegalArgumentException when the bounds of the configuration don't fit the size
    public BlockCache(FileQueue queue, BufferPool pool, CacheConfig config, LongSupplier clockNs) {
        this.queue = queue;
        this.config = config;
        this.clockNs = clockNs;
        this.blockBytes = pool.bufferBytes();
        long bytes = (long) config.blocks() * blockBytes;
        if (config.dirtyBytes() < blockBytes
                || config.dirtyBytes() > bytes / 2
                || config.readAheadBytes() > bytes / 2) {
            throw new IllegalArgumentException(
                    "Of a cache of " + bytes + " bytes, from one block to a half may be dirty and up to a "
                            + "half read ahead; not " + config.dirtyBytes() + " and " + config.readAheadBytes());
        }
        if (pool.freeCount() < config.blocks()) {
            throw new IllegalArgumentException(
                    "The pool has " + pool.freeCount() + " free buffers, and the cache wants " + config.blocks());
        }
        this.frames = new Frame[config.blocks()];
        this.freeFrames = new int[config.blocks()];
        for (int i = config.blocks() - 1; i >= 0; i--) {
            PoolBuffer buffer = pool.take();
            assert buffer != null;
            frames[i] = new Frame(i, buffer, completion);
            freeFrames[freeCount++] = i;
        }
        this.table = new LongIntMap(config.blocks());
        this.policy = new S3Fifo(config.blocks());
        this.writeBack = new WriteBack(blockBytes, frames, table);
    }

    /// Caches a file or device, which must be opened on this cache's queue.
    ///
    /// @param file taken over: closed with what is answered
    public CachedFile open(DirectFile file) {
        requireOpen();
        if (blockBytes % file.alignment().positionBytes() != 0) {
            throw new IllegalArgumentException("Blocks of " + blockBytes + " bytes don't fit " + file.path()
                    + ", which wants multiples of " + file.alignment().positionBytes());
        }
        int number = fileNumbers.nextClearBit(0);
        fileNumbers.set(number);
        CachedFile opened = new CachedFile(this, file, number, (int) (config.readAheadBytes() / blockBytes));
        files.add(opened);
        return opened;
    }

    /// The size of a block, alike for all files of the cache.
    public int blockBytes() {
        return blockBytes;
    }

    /// What has happened since the cache was made.
    public CacheStatistics statistics() {
        return new CacheStatistics(
                hits, misses, readAhead, evictions, written, waitsForRoom, writeBack.unwrittenBytes());
    }

    /// How long until [#poll] has something to do: 0 when it has, Long.MAX_VALUE while nothing waits to be written.
    public long nextDueNs() {
        Frame oldest = writeBack.oldest();
        return oldest == null
                ? Long.MAX_VALUE
                : Math.max(0, oldest.dirtySinceNs + config.dirtyAgeNs() - clockNs.getAsLong());
    }

    /// Begins to write out what has waited too long, and takes note of what is over. Does not wait for the disk,
    /// unless the queue is full. Failures are told by the files that they hit.
    public void poll() throws ErrnoException {
        requireOpen();
        Frame oldest = writeBack.oldest();
        if (oldest != null) {
            long sinceNs = clockNs.getAsLong() - config.dirtyAgeNs();
            if (oldest.dirtySinceNs - sinceNs <= 0) {
                writeBack.agedSince(sinceNs, this::writeOut);
            }
        }
        if (queue.pending() > 0) {
            turn(0);
        }
    }

    // ---- blocks, for CachedFile ----

    static long key(int fileNumber, long block) {
        assert block >= 0 && block < 1L << BLOCK_BITS;
        return (long) fileNumber << BLOCK_BITS | block;
    }

    /// The frame of a block with its content, waited for if need be.
    ///
    /// @param goesOn the same reader was in this block just before: it counts as one use
    Frame demand(CachedFile file, long block, boolean goesOn) throws IOException {
        Frame frame = lookUp(file, block);
        if (frame == null) {
            misses++;
            frame = allocate();
            load(frame, file, block);
        } else {
            count(frame, goesOn);
        }
        return loaded(frame, file, block);
    }

    private void count(Frame frame, boolean goesOn) {
        if (frame.missed) {
            frame.missed = false;
            misses++;
        } else {
            hits++;
        }
        if (frame.ahead) {
            frame.ahead = false;
        } else if (!goesOn) {
            policy.touch(frame.index);
        }
    }

    private Frame loaded(Frame frame, CachedFile file, long block) throws IOException {
        while (frame.state == Frame.State.READING) {
            turn(1);
        }
        file.requireUsable();
        if (!frame.isReadable()) {
            throw new ErrnoException(Call.PREADV2, frame.readErrno, file.path().toString(), block * blockBytes);
        }
        return frame;
    }

    /// The frame of a block that the disk does not have, or whose content there does not matter.
    ///
    /// @param zeroed what was not in memory is filled with zeros; false where all of the block is overwritten at
    ///               once
    Frame fresh(CachedFile file, long block, boolean goesOn, boolean zeroed) throws IOException {
        Frame frame = lookUp(file, block);
        if (frame != null) {
            count(frame, goesOn);
            return loaded(frame, file, block);
        }
        Frame taken = allocate();
        if (file.isFenced()) { // told of while waiting for room
            free(taken);
            file.requireUsable();
        }
        give(taken, file, block, Frame.State.CLEAN);
        if (zeroed) {
            taken.memory().fill((byte) 0);
        }
        return taken;
    }

    /// Waits until the kernel is done with a block, and lets it be changed.
    void awaitChangeable(Frame frame, CachedFile file) throws IOException {
        while (frame.state == Frame.State.WRITING) {
            turn(1);
        }
        file.requireUsable();
    }

    void changed(Frame frame, CachedFile file) {
        if (frame.state == Frame.State.CLEAN) {
            writeBack.changed(frame, file, clockNs.getAsLong());
        }
    }

    /// Keeps the bound on dirty bytes, after a block was changed. From half of it on the oldest go in the
    /// background.
    void throttle() throws ErrnoException {
        if (writeBack.waitingBytes() > config.dirtyBytes() / 2) {
            writeBack.oldestDownTo(config.dirtyBytes() / 4, this::writeOut);
            queue.submit();
        }
        if (writeBack.unwrittenBytes() > config.dirtyBytes()) {
            waitsForRoom++;
            while (writeBack.unwrittenBytes() > config.dirtyBytes()) {
                turn(1);
            }
        }
    }

    /// Begins to load blocks that are not there, without waiting, as far as there is room for it.
    ///
    /// @return the first block that was not begun
    long loadAhead(CachedFile file, long from, long to, boolean demanded) throws ErrnoException {
        long block = from;
        while (block <= to) {
            if (lookUp(file, block) == null) {
                if (queue.pending() >= queue.depth()) {
                    break;
                }
                Frame frame = takeOne();
                if (frame == null) {
                    break;
                }
                load(frame, file, block);
                frame.ahead = true;
                frame.missed = demanded;
                readAhead += demanded ? 0 : 1;
            }
            block++;
        }
        queue.submit();
        return block;
    }

    private @Nullable Frame lookUp(CachedFile file, long block) {
        int index = table.get(key(file.number(), block));
        return index == LongIntMap.NONE ? null : frames[index];
    }

    private void load(Frame frame, CachedFile file, long block) throws ErrnoException {
        if (file.isFenced()) {
            free(frame);
            return;
        }
        give(frame, file, block, Frame.State.READING);
        frame.lengthBytes = file.onDiskLength(frame.position, blockBytes);
        stage(frame);
    }

    private void give(Frame frame, CachedFile file, long block, Frame.State state) {
        frame.state = state;
        frame.file = file;
        frame.key = key(file.number(), block);
        frame.position = block * blockBytes;
        frame.ahead = false;
        frame.missed = false;
        frame.readErrno = 0;
        frame.doneBytes = 0;
        table.put(frame.key, frame.index);
        policy.insert(frame.index, frame.key);
    }

    /// A frame without a block: a free one, or one whose block is on disk and goes; null when there is neither.
    private @Nullable Frame takeOne() {
        if (freeCount > 0) {
            return frames[freeFrames[--freeCount]];
        }
        int victim = policy.evict(index -> frames[index].state == Frame.State.CLEAN);
        if (victim < 0) {
            return null;
        }
        Frame frame = frames[victim];
        table.remove(frame.key);
        frame.state = Frame.State.FREE;
        evictions++;
        return frame;
    }

    /// The same, waiting until there is one: what is not clean is being read, or will be when it is written.
    private Frame allocate() throws ErrnoException {
        Frame frame = takeOne();
        while (frame == null) {
            writeBack.oldestDownTo(config.dirtyBytes() / 4, this::writeOut);
            turn(1);
            frame = takeOne();
        }
        return frame;
    }

    private void free(Frame frame) {
        frame.state = Frame.State.FREE;
        frame.file = null;
        freeFrames[freeCount++] = frame.index;
    }

    // ---- operations ----

    /// Submits, waits for `minimum` operations, and goes on with what came back short.
    private void turn(int minimum) throws ErrnoException {
        queue.await(minimum, -1);
        for (Frame frame = unfinished.pollFirst(); frame != null; frame = unfinished.pollFirst()) {
            stage(frame);
        }
    }

    private void stage(Frame frame) throws ErrnoException {
        CachedFile file = frame.file;
        assert file != null;
        int left = frame.lengthBytes - frame.doneBytes;
        long position = frame.position + frame.doneBytes;
        if (frame.state == Frame.State.READING) {
            frame.operation.read(file.direct().queued(), frame.buffer, frame.doneBytes, left, position);
        } else {
            frame.operation.write(file.direct().queued(), frame.buffer, frame.doneBytes, left, position);
        }
        while (!queue.stage(frame.operation)) {
            queue.await(1, -1);
            if (frame.state == Frame.State.FREE) {
                return; // its file was fenced by another's failure, and dropped
            }
        }
    }

    private void writeOut(Frame frame) {
        CachedFile file = frame.file;
        assert file != null && frame.state == Frame.State.DIRTY;
        writeBack.begun(frame);
        frame.state = Frame.State.WRITING;
        Alignment alignment = file.direct().alignment();
        frame.lengthBytes = (int) alignment.up(Math.min(blockBytes, file.sizeBytes() - frame.position));
        frame.doneBytes = 0;
        try {
            stage(frame);
        } catch (ErrnoException e) {
            writeFailed(frame, file, e.errno());
        }
    }

    private void completed(FileOperation operation, int result) {
        Frame frame = frames[(int) operation.token()];
        CachedFile file = frame.file;
        assert file != null;
        switch (frame.state) {
            case READING -> readCompleted(frame, file, result);
            case WRITING -> writeCompleted(frame, file, result);
            case DOOMED -> {
                file.operationEnded();
                free(frame);
            }
            case FREE, CLEAN, DIRTY -> throw new AssertionError("a completion for a frame that is " + frame.state);
        }
    }

    private void readCompleted(Frame frame, CachedFile file, int result) {
        if (result < 0) {
            readFailed(frame, -result);
            return;
        }
        frame.doneBytes += result;
        long there = Math.min(frame.lengthBytes, file.direct().sizeBytes() - frame.position);
        if (frame.doneBytes >= there) {
            frame.memory().asSlice(frame.doneBytes).fill((byte) 0);
            frame.state = Frame.State.CLEAN;
        } else if (result == 0 || !file.direct().alignment().isAligned(result)) {
            readFailed(frame, Errno.EIO); // somebody cut the file, or the device below it
        } else {
            unfinished.addLast(frame);
        }
    }

    private void readFailed(Frame frame, int errno) {
        table.remove(frame.key);
        policy.forget(frame.index);
        free(frame);
        frame.readErrno = errno;
    }

    private void writeCompleted(Frame frame, CachedFile file, int result) {
        int whole = result < 0 ? 0 : (int) file.direct().alignment().down(result);
        frame.doneBytes += whole;
        if (result < 0) {
            writeFailed(frame, file, -result);
        } else if (whole == 0) {
            writeFailed(frame, file, Errno.EIO); // less than a block was taken; going on could spin for ever
        } else if (frame.doneBytes < frame.lengthBytes) {
            unfinished.addLast(frame);
        } else {
            writeBack.ended(file);
            written++;
            frame.state = Frame.State.CLEAN;
            file.direct().extended(Math.min(frame.position + frame.lengthBytes, file.sizeBytes()));
        }
    }

    private void writeFailed(Frame frame, CachedFile file, int errno) {
        writeBack.ended(file);
        table.remove(frame.key);
        policy.forget(frame.index);
        free(frame);
        file.fence(new WriteBackException(file.path(), frame.position + frame.doneBytes, errno));
        drop(file);
    }

    // ---- whole files, for CachedFile ----

    /// Writes out all that is dirty of a file, and waits until none of it is unwritten.
    void writeOutAll(CachedFile file) throws IOException {
        writeBack.allOf(file, this::writeOut);
        while (file.unwrittenBlocks() > 0) {
            turn(1);
        }
        file.requireUsable();
    }

    /// Takes all blocks of a file out. Those that the kernel has are doomed until it is done.
    void drop(CachedFile file) {
        for (Frame frame : frames) {
            if (frame.file != file || frame.state == Frame.State.FREE || frame.state == Frame.State.DOOMED) {
                continue;
            }
            table.remove(frame.key);
            policy.forget(frame.index);
            if (frame.state == Frame.State.DIRTY) {
                writeBack.droppedDirty(frame, file);
            }
            if (frame.state == Frame.State.WRITING) {
                writeBack.ended(file);
            }
            if (frame.operation.isPending()) {
                frame.state = Frame.State.DOOMED;
                file.operationDoomed();
            } else {
                unfinished.remove(frame);
                free(frame);
            }
        }
        policy.forgetGhosts(key -> key >>> BLOCK_BITS == file.number());
    }

    /// Waits for what the kernel still has of a dropped file, and gives its number back.
    void forget(CachedFile file) throws ErrnoException {
        while (file.doomedOperations() > 0) {
            turn(1);
        }
        files.remove(file);
        fileNumbers.clear(file.number());
    }

    /// Flushes and closes all files, and gives the buffers back.
    ///
    /// @throws IOException the first failure of them; the others are suppressed in it, and everything is closed
    @Override
    public void close() throws IOException {
        if (closed) {
            return;
        }
        IOException first = null;
        for (CachedFile file : List.copyOf(files)) {
            try {
                file.close();
            } catch (IOException e) {
                if (first == null) {
                    first = e;
                } else {
                    first.addSuppressed(e);
                }
            }
        }
        closed = true;
        for (Frame frame : frames) {
            frame.buffer.release();
        }
        if (first != null) {
            throw first;
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the cache is closed");
        }
    }
}
