package dev.sluice.io.memory;

import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/// A buffer that bytes are received into and parsed in, which grows without moving.
///
/// It reserves address space for the largest frame that may come; the kernel gives a page when the page is first
/// written, so memory grows with the bytes received, never with the bytes a peer declares. What has been received lies
/// between [#start] and [#end]:
///
/// ```
/// 0        start            end                                capacity
/// | consumed | received bytes | room (reserved, perhaps not backed) |
/// ```
///
/// Owned by one thread at a time. Whoever takes it from a [ReceiveBufferPool] gives it back there, or to another
/// pool by way of [ReceiveBufferPool#handOn].
public final class ReceiveBuffer implements AutoCloseable {
    private final Mapping mapping;
    private final MemorySegment segment;
    private final ByteBuffer view;
    private long start;
    private long end;
    private long touched;

    ReceiveBuffer(Kernel kernel, long capacityBytes) throws ErrnoException {
        if (capacityBytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("At most 2 GiB - 1, not " + capacityBytes);
        }
        this.mapping = Mapping.reserve(kernel, capacityBytes);
        this.segment = mapping.segment();
        this.view = segment.asByteBuffer();
    }

    /// The whole reserved range; what was not received yet has no pages, or old bytes.
    public MemorySegment segment() {
        return segment;
    }

    /// The whole buffer as a big-endian ByteBuffer, for checksums and for parsers that want one. Its position and
    /// limit are scratch: whoever uses it sets both first.
    public ByteBuffer view() {
        return view;
    }

    /// The size of the reserved range: the most that can be received.
    public long capacityBytes() {
        return segment.byteSize();
    }

    /// Where the bytes that are not consumed yet begin.
    public long start() {
        return start;
    }

    /// Where the received bytes end and the room begins.
    public long end() {
        return end;
    }

    /// Bytes received and not consumed yet.
    public long lengthBytes() {
        return end - start;
    }

    /// Room for `lengthBytes` more bytes, shorter when the buffer ends before.
    public MemorySegment room(long lengthBytes) {
        return segment.asSlice(end, Math.min(lengthBytes, segment.byteSize() - end));
    }

    /// Says that bytes were received into the room.
    public void received(long lengthBytes) {
        end += lengthBytes;
        touched = Math.max(touched, end);
        assert end <= segment.byteSize();
    }

    /// Says that bytes at the start are done with. When none is left the buffer starts over at 0, where the cache
    /// is hot.
    public void consume(long lengthBytes) {
        start += lengthBytes;
        assert start <= end;
        if (start == end) {
            start = 0;
            end = 0;
        }
    }

    /// Moves what is left to the front: a user-space copy, worth it only for a few bytes.
    public void compact() {
        if (start > 0) {
            long length = lengthBytes();
            MemorySegment.copy(segment, start, segment, 0, length);
            start = 0;
            end = length;
        }
    }

    /// Forgets the content, and gives back to the kernel the pages above `keepBytes`.
    void reset(long keepBytes) {
        start = 0;
        end = 0;
        if (touched > keepBytes) {
            mapping.discard(keepBytes, segment.byteSize() - keepBytes);
            touched = keepBytes;
        }
    }

    /// Frees a buffer that no pool has.
    @Override
    public void close() {
        mapping.close();
    }
}
