package dev.sluice.io.cache;

import dev.sluice.io.async.Completion;
import dev.sluice.io.async.FileOperation;
import dev.sluice.io.async.PoolBuffer;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// A place for one block: its buffer, and the one operation that it can have under way.
///
/// ```
///   FREE ── load ──▶ READING ── read ──▶ CLEAN ── write() ──▶ DIRTY ── write-out ──▶ WRITING ── written ──▶ CLEAN
///    ▲                  │ failed            │ evicted                                   │ failed: its file is fenced
///    └──────────────────┴───────────────────┴───────────────────────────────────────────┘
/// ```
///
/// While READING or WRITING the buffer is the kernel's: nobody changes it, and only in WRITING it may be read. A frame
/// whose file is given up in that time is DOOMED, and free when the operation is over.
final class Frame {
    enum State {
        FREE,
        READING,
        CLEAN,
        DIRTY,
        WRITING,
        DOOMED
    }

    final int index;
    final PoolBuffer buffer;
    final FileOperation operation;

    State state = State.FREE;

    @Nullable CachedFile file;

    long key;
    /// First byte of the block in its file.
    long position;
    /// Read ahead of demand; the first demand takes the mark away and counts as the block's first use.
    boolean ahead;
    /// Being read together with others of one demand; counts as a miss when that comes to it.
    boolean missed;
    /// What failed to be read, until the frame gets another block.
    int readErrno;

    // Of the operation under way.
    int lengthBytes;
    int doneBytes;

    // Of a dirty block: since when, and its neighbours in the order of age.
    long dirtySinceNs;

    @Nullable Frame older;

    @Nullable Frame newer;

    Frame(int index, PoolBuffer buffer, Completion completion) {
        this.index = index;
        this.buffer = buffer;
        this.operation = new FileOperation(completion, index);
    }

    MemorySegment memory() {
        return buffer.segment();
    }

    boolean isReadable() {
        return state == State.CLEAN || state == State.DIRTY || state == State.WRITING;
    }
}
