package dev.sluice.io.buffer;

import dev.sluice.io.transfer.Hold;
import java.util.concurrent.atomic.AtomicInteger;

/// What keeps some memory, and how many buffers' pieces lie in it. Thread-safe.
final class Storage {
    private final AtomicInteger references = new AtomicInteger(1);
    private final Hold hold;

    /// @param hold released when the last reference goes, on the thread that gives it back
    Storage(Hold hold) {
        this.hold = hold;
    }

    int references() {
        return references.get();
    }

    /// Takes a reference for a holder of one: it can't be gone.
    ///
    /// @throws IllegalStateException when it is gone all the same: another thread has released the caller's buffer
    void retain() {
        int count = references.get();
        while (count > 0) {
            int witness = references.compareAndExchange(count, count + 1);
            if (witness == count) {
                return;
            }
            count = witness;
        }
        throw new IllegalStateException(
                "The buffer was released by another thread meanwhile; give each thread a duplicate of its own");
    }

    void release() {
        int left = references.decrementAndGet();
        assert left >= 0 : "a buffer's state lets it release once";
        if (left == 0) {
            hold.release();
        }
    }
}
