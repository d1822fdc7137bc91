package dev.sluice.netty;

import dev.sluice.io.buffer.Buffer;
import dev.sluice.io.buffer.Buffers;
import dev.sluice.io.memory.Pieces;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/// Buffers of this library as Netty's, and back: the same memory, and each side's reference kept until the other has
/// let go.
public final class ByteBufs {
    private ByteBufs() {}

    /// A ByteBuf of a buffer's bytes, all of them readable. It takes the buffer over and releases it when its own
    /// count goes to 0, on the thread that does so. Read-only pieces stay read-only.
    ///
    /// @throws IllegalArgumentException when there are 2 GiB or more, which no ByteBuf holds; slice it
    /// @throws IllegalStateException    when the buffer was released or handed over
    public static ByteBuf of(Buffer buffer) {
        Pieces pieces = buffer.pieces();
        if (pieces.lengthBytes() > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(pieces.lengthBytes() + " bytes don't fit in a ByteBuf; write slices");
        }
        return new Composite(buffer, pieces);
    }

    /// A buffer of a ByteBuf's readable bytes. It takes over one reference to the ByteBuf, and gives it back when
    /// the last buffer on those bytes is released.
    ///
    /// @throws IllegalArgumentException when the ByteBuf shows no memory (nioBufferCount is -1); it is then still
    ///                                  the caller's
    public static Buffer toBuffer(Buffers buffers, ByteBuf bytes) {
        if (bytes.nioBufferCount() < 0) {
            throw new IllegalArgumentException("This ByteBuf shows no memory that could be shared; copy it first");
        }
        List<MemorySegment> pieces = new ArrayList<>();
        for (ByteBuffer piece : bytes.nioBuffers(bytes.readerIndex(), bytes.readableBytes())) {
            pieces.add(MemorySegment.ofBuffer(piece));
        }
        return buffers.wrap(pieces, bytes::release);
    }

    /// The components are views without a count of their own; the buffer is the one thing that is released.
    private static final class Composite extends CompositeByteBuf {
        private final Buffer buffer;

        Composite(Buffer buffer, Pieces pieces) {
            super(UnpooledByteBufAllocator.DEFAULT, false, Integer.MAX_VALUE);
            this.buffer = buffer;
            for (int i = 0; i < pieces.count(); i++) {
                if (pieces.piece(i).byteSize() > 0) {
                    addComponent(true, Unpooled.wrappedBuffer(pieces.piece(i).asByteBuffer()));
                }
            }
        }

        @Override
        protected void deallocate() {
            super.deallocate();
            buffer.release();
        }
    }
}
