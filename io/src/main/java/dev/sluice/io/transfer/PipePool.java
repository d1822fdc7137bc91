package dev.sluice.io.transfer;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Pipes;
import java.util.ArrayDeque;

/// Pipes that splices go through, empty whenever they lie here. Making one costs five calls, so they are kept.
///
/// Each asks for 1 MiB, the most that /proc/sys/fs/pipe-max-size allows by default; a user who isn't root has 64 of
/// those (16,384 pages, /proc/sys/fs/pipe-user-pages-soft), later ones stay at what they got, and are not kept.
/// Thread-safe.
public final class PipePool implements AutoCloseable {
    private static final int WANTED_BYTES = 1 << 20;
    private static final int KEPT = 8;

    /// @param ends          both non-blocking
    /// @param capacityBytes what it holds
    public record Pipe(Pipes.Ends ends, long capacityBytes) {
        /// Closes both ends; what lies in it is gone.
        public void close() {
            ends.readEnd().close();
            ends.writeEnd().close();
        }
    }

    private final Account account;
    private final ArrayDeque<Pipe> free = new ArrayDeque<>(KEPT);
    private boolean closed;

    /// @param account parent of the pipes' accounts
    public PipePool(Account account) {
        this.account = account;
    }

    /// An empty pipe. Give it back empty, or close it.
    public Pipe take(Kernel kernel) throws ErrnoException {
        synchronized (this) {
            Pipe pooled = free.pollLast();
            if (pooled != null) {
                return pooled;
            }
        }
        Pipes.Ends ends = kernel.pipes().open(false, account);
        long capacity = kernel.pipes().setCapacity(ends.writeEnd(), WANTED_BYTES);
        if (capacity < 0) {
            capacity = kernel.pipes().capacity(ends.writeEnd());
        }
        return pipe(ends, capacity);
    }

    private static Pipe pipe(Pipes.Ends ends, long capacity) {
        // A sandbox may forbid both; then all that is sure is one page.
        return new Pipe(ends, capacity < 0 ? 4096 : capacity);
    }

    /// Takes a pipe back that nothing lies in. A small one is closed, for the next may be larger.
    public void give(Pipe pipe) {
        synchronized (this) {
            if (!closed && pipe.capacityBytes() >= WANTED_BYTES && free.size() < KEPT) {
                free.addLast(pipe);
                return;
            }
        }
        pipe.close();
    }

    @Override
    public synchronized void close() {
        closed = true;
        free.forEach(Pipe::close);
        free.clear();
    }
}
