package dev.sluice.io.proxy;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Pipes;
import java.util.ArrayDeque;

/// Empty pipes of one event loop, last in, first out. A direction holds one while it has bytes under way, so idle
/// connections hold none.
///
/// Owned by the loop's thread. Not bounded: a direction whose sink is slow keeps its pipe, and if those could use up a
/// bound, a few slow peers would stop everybody. What bounds it is the number of connections.
final class ProxyPipes implements AutoCloseable {
    /// A pipe holds a reference a slot, and a slot a fragment: 64 slots take what a socket typically gives at once.
    /// A user who isn't root has 256 pipes of this size (/proc/sys/fs/pipe-user-pages-soft); later ones stay small.
    static final int WANTED_BYTES = 256 << 10;

    private static final int FREE = 64;

    /// @param ends          both non-blocking
    /// @param capacityBytes the most that one splice is asked for
    record Pipe(Pipes.Ends ends, long capacityBytes) {
        void close() {
            ends.readEnd().close();
            ends.writeEnd().close();
        }
    }

    private final Kernel kernel;
    private final Account account;
    private final ArrayDeque<Pipe> free = new ArrayDeque<>(FREE);
    private int taken;

    ProxyPipes(Kernel kernel, Account account) {
        this.kernel = kernel;
        this.account = account;
    }

    Pipe take() throws ErrnoException {
        Pipe pipe = free.pollLast();
        if (pipe == null) {
            Pipes.Ends ends = kernel.pipes().open(false, account);
            long capacity = kernel.pipes().setCapacity(ends.writeEnd(), WANTED_BYTES);
            if (capacity < 0) {
                capacity = kernel.pipes().capacity(ends.writeEnd());
            }
            pipe = new Pipe(ends, capacity < 0 ? 4096 : capacity);
        }
        taken++;
        return pipe;
    }

    /// Takes a pipe back.
    ///
    /// @param isEmpty false when bytes lie in it, which nobody else may find
    void give(Pipe pipe, boolean isEmpty) {
        taken--;
        if (isEmpty && free.size() < FREE) {
            free.addLast(pipe);
        } else {
            pipe.close();
        }
    }

    /// Pipes that were taken and not given back.
    int taken() {
        return taken;
    }

    @Override
    public void close() {
        free.forEach(Pipe::close);
        free.clear();
    }
}
