package dev.sluice.broker.net;

import dev.sluice.broker.protocol.Frames;
import dev.sluice.broker.protocol.MalformedRequestException;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.memory.ReceiveBuffer;
import dev.sluice.io.memory.ReceiveBufferPool;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// The bytes of a connection that were received and not handled yet, and how they fall into frames.
///
/// ```
/// | frame in hand or under way | up to 4 bytes of the next, or what one receive without a known size brought |
/// ```
///
/// Knows bytes and no socket. A buffer is held only while there are bytes in it, and a frame begins at the buffer's
/// front, where the cache is hot, unless it came in one receive with frames before it. Owned by one thread.
final class FrameBuffer {
    /// Asked for when no frame is under way: many small requests in one receive.
    private static final int LEAST_RECEIVE_BYTES = 64 << 10;

    /// The most asked for then: a batch of 1 MiB, which clients are tuned to, and what stands around it. Together
    /// with one frame it fits into a buffer, see [ReceiveBufferPool].
    private static final int MOST_RECEIVE_BYTES = (1 << 20) + (64 << 10);

    private final ReceiveBufferPool pool;
    private final int largestFrameBytes;
    private final RequestHandler handler;
    private @Nullable ReceiveBuffer buffer;

    /// Of the frame at the start of the buffer, its size prefix included; 0 while that has not come.
    private long frameBytes;

    /// Whether that frame is not larger than its API may be.
    private boolean admitted;

    private int lastFrameBytes;

    /// @param handler says how large the requests of an API may be
    FrameBuffer(ReceiveBufferPool pool, int largestFrameBytes, RequestHandler handler) {
        this.pool = pool;
        this.largestFrameBytes = largestFrameBytes;
        this.handler = handler;
    }

    /// Where to receive to: at least one byte.
    ///
    /// Four bytes more than the frame are asked for. If they stay away the count is short, which tells that the
    /// socket is empty without asking again; if they come they are the next frame's size.
    ///
    /// @param mostBytes the most that may be received now, at least 1
    /// @throws ErrnoException when there is no memory for a buffer
    MemorySegment room(long mostBytes) throws ErrnoException {
        ReceiveBuffer into = buffer;
        if (into == null) {
            into = pool.take();
            buffer = into;
        }
        if (into.lengthBytes() <= Frames.SIZE_BYTES) {
            into.compact(); // or frames would wander through the buffer, out of the cache and to its end
        }
        MemorySegment room = into.room(Math.min(wantedBytes(into) + Frames.SIZE_BYTES, mostBytes));
        assert room.byteSize() > 0 : "no room behind " + into.end() + " of " + into.capacityBytes() + " bytes";
        return room;
    }

    private long wantedBytes(ReceiveBuffer into) {
        // Frames of one producer are alike, so the last one's length brings the whole next one in a single receive.
        return frameBytes > 0
                ? frameBytes - into.lengthBytes()
                : Math.clamp(lastFrameBytes, LEAST_RECEIVE_BYTES, MOST_RECEIVE_BYTES);
    }

    /// Says that so many bytes were received into the [#room].
    void received(long lengthBytes) {
        held().received(lengthBytes);
    }

    /// Whether the frame at the start is there as a whole.
    ///
    /// @throws MalformedRequestException when it declares a size that no frame, or none of its API, may have
    boolean isComplete() {
        ReceiveBuffer held = buffer;
        if (held == null) {
            return false;
        }
        if (frameBytes == 0 && held.lengthBytes() >= Frames.SIZE_BYTES) {
            frameBytes = Frames.SIZE_BYTES + (long) Frames.size(held.segment(), held.start(), largestFrameBytes);
        }
        if (!admitted && held.lengthBytes() >= Frames.API_KEY_END && frameBytes >= Frames.API_KEY_END) {
            int most = handler.largestFrameBytes(Frames.apiKey(held.segment(), held.start()));
            Frames.size(held.segment(), held.start(), Math.min(most, largestFrameBytes));
            admitted = true;
        }
        return frameBytes > 0 && held.lengthBytes() >= frameBytes;
    }

    /// The buffer that the frames lie in.
    ReceiveBuffer held() {
        ReceiveBuffer held = buffer;
        if (held == null) {
            throw new IllegalStateException("nothing was received");
        }
        return held;
    }

    /// First byte of the complete frame, behind its size prefix.
    long framePosition() {
        return held().start() + Frames.SIZE_BYTES;
    }

    /// Bytes of the complete frame, without its size prefix.
    int frameLengthBytes() {
        return (int) frameBytes - Frames.SIZE_BYTES;
    }

    /// The complete frame was handled.
    void consumeFrame() {
        held().consume(frameBytes);
        lastFrameBytes = (int) frameBytes;
        frameBytes = 0;
        admitted = false;
    }

    /// Bytes received and not handled yet.
    long heldBytes() {
        ReceiveBuffer held = buffer;
        return held == null ? 0 : held.lengthBytes();
    }

    /// Gives up what was received and not handled, for another thread's [#put], in the buffer that it lies in:
    /// nothing is copied, and nothing can fail.
    ///
    /// @return null when there is nothing
    @Nullable ReceiveBuffer take() {
        releaseIfEmpty();
        ReceiveBuffer taken = buffer;
        if (taken != null) {
            forget();
            pool.handOn(taken);
        }
        return taken;
    }

    /// Begins with what another has taken out.
    void put(ReceiveBuffer received) {
        pool.takeOver(received);
        buffer = received;
    }

    /// Gives the buffer back if there are no bytes in it.
    void releaseIfEmpty() {
        if (buffer != null && buffer.lengthBytes() == 0) {
            release();
        }
    }

    /// Gives the buffer back with whatever is in it.
    void release() {
        ReceiveBuffer held = buffer;
        if (held != null) {
            forget();
            pool.give(held);
        }
    }

    private void forget() {
        buffer = null;
        frameBytes = 0;
        admitted = false;
    }
}
