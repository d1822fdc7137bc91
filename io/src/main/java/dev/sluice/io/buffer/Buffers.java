package dev.sluice.io.buffer;

import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.memory.Mapping;
import dev.sluice.io.memory.MappingPool;
import dev.sluice.io.transfer.Hold;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/// Where [Buffer]s come from: wrapped around any memory, allocated from a pool, composed of others.
///
/// Whatever memory it is, its owner is told once, by [Hold#release], when the last buffer that has a part of it was
/// released, on the thread that did so. So the pools of this library are wrapped like this:
///
/// ```java
/// buffers.wrap(slab.asSlice(0, length), () -> slabs.give(slab));       // memory.SlabPool: release on its own thread
/// buffers.wrap(poolBuffer.segment(), poolBuffer::release);             // async.BufferPool, by any thread
/// ```
///
/// Thread-safe.
public final class Buffers implements AutoCloseable {
    private final Kernel kernel;
    private final LeakDetection leaks;
    private final MappingPool pool = new MappingPool();
    private final LongAdder outstanding = new LongAdder();

    /// @param kernel whose account counts the maps that pooled buffers are made of
    public Buffers(Kernel kernel, LeakDetection leaks) {
        this.kernel = kernel;
        this.leaks = leaks;
    }

    /// Native memory from a pool, its content undefined; it goes back when the last buffer in it is released. It
    /// takes whole pages, a power of two of them: for many small messages, slice one large buffer.
    ///
    /// @throws ErrnoException ENOMEM when there is no memory, or too many maps
    public Buffer allocate(long lengthBytes) throws ErrnoException {
        if (lengthBytes < 0) {
            throw new IllegalArgumentException("lengthBytes " + lengthBytes + " is negative");
        }
        Mapping mapping = pool.take(kernel, Math.max(1, lengthBytes));
        return wrap(mapping.segment().asSlice(0, lengthBytes), () -> pool.give(mapping));
    }

    /// An array, shared: who writes to one sees it in the other. A transfer copies it once more than native memory.
    public Buffer wrap(byte[] array) {
        return wrap(MemorySegment.ofArray(array));
    }

    /// The bytes between position and limit of a buffer, direct or not, shared; its position stays as it is.
    public Buffer wrap(ByteBuffer bytes) {
        return wrap(MemorySegment.ofBuffer(bytes));
    }

    /// Memory that needs no release: of an arena that outlives the buffer, or of the garbage collector.
    public Buffer wrap(MemorySegment memory) {
        return wrap(memory, Hold.NONE);
    }

    /// A map, with a reference to it until the buffer is released.
    ///
    /// @throws IllegalStateException when the map is gone already
    public Buffer wrap(Mapping mapping) {
        if (!mapping.retain()) {
            throw new IllegalStateException("The map is gone: its last reference was released");
        }
        return wrap(mapping.segment(), mapping::release);
    }

    /// Memory and what releases it.
    ///
    /// @param memory native or on the heap; usable by each thread that the buffer goes to, so not of a confined
    ///               arena unless it stays with its thread
    /// @param hold   released once, when no buffer has a part of the memory any more
    public Buffer wrap(MemorySegment memory, Hold hold) {
        return wrap(List.of(memory), hold);
    }

    /// Pieces of memory that are released together.
    ///
    /// @param hold released once, when no buffer has a part of any of them any more
    public Buffer wrap(List<MemorySegment> memory, Hold hold) {
        // An empty piece keeps what has no bytes.
        MemorySegment[] pieces =
                memory.isEmpty() ? new MemorySegment[] {MemorySegment.NULL} : memory.toArray(MemorySegment[]::new);
        Storage storage = new Storage(hold);
        Storage[] storages = new Storage[pieces.length];
        Arrays.fill(storages, storage);
        for (int i = 1; i < pieces.length; i++) {
            storage.retain();
        }
        return new Buffer(this, pieces, storages);
    }

    /// The same as [#compose(List)].
    public Buffer compose(Buffer... parts) {
        return compose(Arrays.asList(parts));
    }

    /// One buffer of the parts' bytes, one behind the other, without copying any. It takes the parts over: they
    /// count as handed over and are released with it. Give it duplicates of what you want to keep.
    ///
    /// @throws IllegalStateException when a part was released or handed over before; all parts are then as they
    ///                               were
    public Buffer compose(List<Buffer> parts) {
        int taken = 0;
        try {
            for (Buffer part : parts) {
                part.handOver();
                taken++;
            }
        } finally {
            if (taken < parts.size()) {
                parts.subList(0, taken).forEach(Buffer::takeBack);
            }
        }
        int count = parts.stream().mapToInt(Buffer::count).sum();
        MemorySegment[] pieces = new MemorySegment[count];
        Storage[] storages = new Storage[count];
        int at = 0;
        for (Buffer part : parts) {
            at += part.moveInto(pieces, storages, at);
        }
        return new Buffer(this, pieces, storages);
    }

    /// Buffers that were acquired here and not released or handed over yet.
    public long outstanding() {
        return outstanding.sum();
    }

    void acquired() {
        outstanding.increment();
    }

    void released() {
        outstanding.decrement();
    }

    LeakDetection leaks() {
        return leaks;
    }

    /// Frees the pooled memory that no buffer has; the rest when it is released.
    @Override
    public void close() {
        pool.close();
    }
}
