package dev.sluice.broker.net;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// How much memory the requests that have not come to their end yet may take, of all connections together.
///
/// ```
///             below the bound             at the bound                     somebody lets go
///   receive ◀───────────────── admits ────────────────────▶ WAITING ───────────────────────▶ one is woken, which
///                                 │                                                            wakes the next
///                                 └── the first that asks may go beyond the bound until it lets go
/// ```
///
/// Without that exception all could wait for each other. The memory is then bounded by this bound, one frame, what one
/// receive brings on each loop, and [#ALWAYS_BYTES] of each connection: small requests come through while large ones
/// wait.
///
/// Thread-safe: shared by the connections of all loops. Counts what a connection holds while it waits for more, so a
/// request that comes at once costs nothing here.
final class ReceiveBudget {
    /// What each connection may receive of a frame in any case.
    static final int ALWAYS_BYTES = 16 << 10;

    /// One that waits for room.
    interface Waiter {
        /// There may be room now. Called on any thread; must answer with [#passOn] when it has taken what it
        /// needs.
        void wake();
    }

    private final long mostBytes;
    private final AtomicLong heldBytes = new AtomicLong();
    private final AtomicReference<@Nullable Waiter> beyond = new AtomicReference<>();
    private final Queue<Waiter> waiting = new ConcurrentLinkedQueue<>();

    ReceiveBudget(long mostBytes) {
        this.mostBytes = mostBytes;
    }

    /// Bytes of unfinished frames held now.
    long heldBytes() {
        return heldBytes.get();
    }

    boolean isFull() {
        return heldBytes.get() >= mostBytes;
    }

    /// Whether this one may receive more of its frame.
    boolean admits(Waiter waiter) {
        return !isFull() || beyond.get() == waiter || beyond.compareAndSet(null, waiter);
    }

    /// Says that one was not admitted, and wants to be woken when it may be.
    void await(Waiter waiter) {
        waiting.add(waiter);
        passOn(); // somebody may have let go before it was in the queue
    }

    /// Says that one holds so many bytes more, or fewer.
    void changed(long bytes) {
        if (bytes != 0) {
            heldBytes.addAndGet(bytes);
            if (bytes < 0) {
                passOn();
            }
        }
    }

    /// Says that the frame of this one has come to its end, or its connection has.
    void finished(Waiter waiter) {
        if (beyond.get() == waiter && beyond.compareAndSet(waiter, null)) {
            passOn();
        }
    }

    /// Wakes the next that waits, if there is room.
    void passOn() {
        if (!waiting.isEmpty() && (!isFull() || beyond.get() == null)) {
            Waiter next = waiting.poll();
            if (next != null) {
                next.wake();
            }
        }
    }
}
