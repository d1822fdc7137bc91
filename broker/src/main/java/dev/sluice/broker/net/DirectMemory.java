package dev.sluice.broker.net;

import dev.sluice.io.async.BufferPool;
import dev.sluice.io.async.PoolBuffer;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.memory.Mapping;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The memory that files are read into past the page cache.
///
/// Windows of 1 MiB, in huge pages where there are any: a read is one request to the disk then, and pins one page, not
/// 256. There are at most 64 MiB of them, made 8 MiB at a time when all others are taken, and kept; three quarters at
/// most hold what nobody has asked for yet. Who asks while all are taken, by peers that are slow as a rule, gets 64 KiB
/// of his own, which go when they come back.
///
/// Thread-safe.
final class DirectMemory implements AutoCloseable {
    static final int WINDOW_BYTES = 1 << 20;
    private static final int OF_A_POOL = 8;
    private static final int MOST_POOLS = 8;
    static final int MOST_WINDOWS = OF_A_POOL * MOST_POOLS;
    static final int MOST_AHEAD = MOST_WINDOWS * 3 / 4;
    static final int SMALL_BYTES = 64 << 10;

    private final Kernel kernel;

    // Guarded by this.
    private final List<BufferPool> pools = new ArrayList<>();
    private final Set<Piece> taken = new HashSet<>();
    private int ahead;
    private boolean closed;

    /// Page-aligned memory of one user.
    final class Piece {
        private final MemorySegment segment;
        private final @Nullable PoolBuffer pooled;
        private final @Nullable Mapping own;
        /// Whether nobody has asked for it yet. Guarded by the memory.
        private boolean isAhead;

        private Piece(PoolBuffer pooled, boolean isAhead) {
            this.segment = pooled.segment();
            this.pooled = pooled;
            this.own = null;
            this.isAhead = isAhead;
        }

        private Piece(Mapping own) {
            this.segment = own.segment();
            this.pooled = null;
            this.own = own;
        }

        /// Valid until [#release].
        MemorySegment segment() {
            return segment;
        }

        /// Somebody has asked for what it holds.
        void isWanted() {
            synchronized (DirectMemory.this) {
                ahead -= isAhead ? 1 : 0;
                isAhead = false;
            }
        }

        /// Nobody has asked yet for what is left in it.
        ///
        /// @return false when there is enough of that
        boolean isKept() {
            synchronized (DirectMemory.this) {
                isAhead = pooled != null && ahead < MOST_AHEAD;
                ahead += isAhead ? 1 : 0;
                return isAhead;
            }
        }

        /// Gives it back; again, or after the memory was closed, it does nothing.
        void release() {
            synchronized (DirectMemory.this) {
                isWanted();
                if (taken.remove(this)) {
                    free();
                }
            }
        }

        private void free() {
            if (pooled != null) {
                pooled.release();
            } else if (own != null) {
                own.close();
            }
        }
    }

    DirectMemory(Kernel kernel) {
        this.kernel = kernel;
    }

    /// For bytes that somebody waits for.
    ///
    /// @throws ErrnoException ENOMEM; EIO when it is closed
    synchronized Piece take() throws ErrnoException {
        PoolBuffer pooled = window();
        Piece piece = pooled == null ? new Piece(Mapping.reserve(kernel, SMALL_BYTES)) : new Piece(pooled, false);
        taken.add(piece);
        return piece;
    }

    /// For bytes that nobody has asked for yet.
    ///
    /// @return null when there are enough of these
    /// @throws ErrnoException ENOMEM; EIO when it is closed
    synchronized @Nullable Piece takeAhead() throws ErrnoException {
        PoolBuffer pooled = ahead < MOST_AHEAD ? window() : null;
        if (pooled == null) {
            return null;
        }
        ahead++;
        Piece piece = new Piece(pooled, true);
        taken.add(piece);
        return piece;
    }

    /// Whether [#takeAhead] may find something.
    synchronized boolean hasRoomAhead() {
        return ahead < MOST_AHEAD && taken.size() < MOST_WINDOWS;
    }

    /// How many pieces are not given back; for tests.
    synchronized int takenCount() {
        return taken.size();
    }

    private @Nullable PoolBuffer window() throws ErrnoException {
        if (closed) {
            throw new ErrnoException(Call.PREAD, Errno.EIO, "the broker stops");
        }
        for (BufferPool pool : pools) {
            PoolBuffer free = pool.take();
            if (free != null) {
                return free;
            }
        }
        if (pools.size() == MOST_POOLS) {
            return null;
        }
        BufferPool more = BufferPool.open(kernel, new BufferPool.Shape(OF_A_POOL, WINDOW_BYTES));
        pools.add(more);
        return more.take();
    }

    /// When nobody reads, or sends what was read, any more: frees all of it, that too which was not given back.
    @Override
    public synchronized void close() {
        closed = true;
        taken.forEach(Piece::free);
        taken.clear();
        pools.forEach(BufferPool::close);
    }
}
