package dev.sluice.io.memory;

import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.util.ArrayDeque;

/// Receive buffers of one event loop, last in, first out: the buffer given back last is the one whose lines are still
/// in the processor's cache, and it is the next to be taken.
///
/// A connection holds a buffer only while it has bytes that are not consumed, so a loop whose peers send whole frames
/// works in one buffer. Owned by one thread. Free buffers keep [#HOT_BYTES] of memory each, and at most [#FREE] are
/// kept.
public final class ReceiveBufferPool implements AutoCloseable {
    /// What a free buffer keeps backed. Above the 1 MiB batches that clients are tuned to, so that these never
    /// fault again; with FREE below it bounds a loop's idle memory to 8 MiB.
    public static final long HOT_BYTES = 2 << 20;

    private static final int FREE = 4;

    private final Kernel kernel;
    private final long capacityBytes;
    private final ArrayDeque<ReceiveBuffer> free = new ArrayDeque<>(FREE);
    private int taken;

    /// @param largestFrameBytes the most that one buffer must hold
    public ReceiveBufferPool(Kernel kernel, long largestFrameBytes) {
        this.kernel = kernel;
        // A frame may begin behind others in the same receive, so leave room for one receive more.
        this.capacityBytes = Math.min(largestFrameBytes + HOT_BYTES, Integer.MAX_VALUE & -4096L);
    }

    /// @throws ErrnoException when address space or the number of maps ran out
    public ReceiveBuffer take() throws ErrnoException {
        ReceiveBuffer buffer = free.pollLast();
        if (buffer == null) {
            buffer = new ReceiveBuffer(kernel, capacityBytes);
        }
        taken++;
        return buffer;
    }

    /// Takes a buffer back, whatever is in it. Nobody may read it any more: its memory beyond a hot front goes back
    /// to the system.
    public void give(ReceiveBuffer buffer) {
        taken--;
        if (free.size() == FREE) {
            buffer.close();
        } else {
            buffer.reset(HOT_BYTES);
            free.addLast(buffer);
        }
    }

    /// Lets go of a buffer that was taken, with what is in it, for a pool of the same size to [#takeOver]; where
    /// none does, it is to be closed.
    public void handOn(ReceiveBuffer buffer) {
        assert buffer.capacityBytes() == capacityBytes;
        taken--;
    }

    /// Has a buffer, with what is in it, that another pool has handed on: as if it had been taken here.
    public void takeOver(ReceiveBuffer buffer) {
        assert buffer.capacityBytes() == capacityBytes;
        taken++;
    }

    /// Buffers that were taken and not given back.
    public int taken() {
        return taken;
    }

    @Override
    public void close() {
        free.forEach(ReceiveBuffer::close);
        free.clear();
    }
}
