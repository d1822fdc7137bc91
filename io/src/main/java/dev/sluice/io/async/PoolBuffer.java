package dev.sluice.io.async;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;

/// A page-aligned buffer of a [BufferPool], shared by reference count.
///
/// Rules. [BufferPool#take] hands it out with one reference. Who passes it on to somebody who keeps it lets that one
/// [#retain] it. Each reference is given back by one [#release]; the last one puts the buffer back into the pool. A
/// pending [FileOperation] has a reference of its own, so a buffer that the kernel may still write to is never handed
/// out again, however early its user let go. The segment may be touched by who has a reference, and while the kernel
/// has the buffer by nobody (reading what is being written is allowed).
///
/// Counting is thread-safe; the content is ordered by whatever hands the buffer from thread to thread.
public final class PoolBuffer {
    private final BufferPool pool;
    private final int index;
    private final MemorySegment segment;
    private final AtomicInteger references = new AtomicInteger();

    PoolBuffer(BufferPool pool, int index, MemorySegment segment) {
        this.pool = pool;
        this.index = index;
        this.segment = segment;
    }

    /// All of it.
    public MemorySegment segment() {
        return segment;
    }

    /// A part of it, without a reference of its own.
    public MemorySegment slice(long position, long lengthBytes) {
        return position == 0 && lengthBytes == segment.byteSize() ? segment : segment.asSlice(position, lengthBytes);
    }

    /// Its place in the pool, from 0.
    public int index() {
        return index;
    }

    /// The pool that it goes back to with its last reference.
    public BufferPool pool() {
        return pool;
    }

    /// References at the moment; for tests and messages.
    public int references() {
        return references.get();
    }

    /// Takes one more reference. The caller has one, or knows of somebody who has.
    public PoolBuffer retain() {
        int before = references.getAndIncrement();
        if (before <= 0) {
            references.getAndDecrement();
            throw new IllegalStateException("buffer " + index + " is in its pool; nobody may retain it");
        }
        return this;
    }

    /// Gives one reference back.
    public void release() {
        int left = references.decrementAndGet();
        if (left == 0) {
            pool.give(this);
        } else if (left < 0) {
            references.incrementAndGet();
            throw new IllegalStateException("buffer " + index + " was released more often than retained");
        }
    }

    void handOut() {
        boolean wasFree = references.compareAndSet(0, 1);
        assert wasFree : "a buffer in the pool had references";
    }
}
