package dev.sluice.netty;

import dev.sluice.io.buffer.Buffer;
import dev.sluice.io.memory.Pieces;
import dev.sluice.io.transfer.Span;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundInvoker;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.ChannelPromise;
import io.netty.channel.FileRegion;
import io.netty.channel.IoEventLoop;
import io.netty.channel.uring.IoUringIoHandler;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/// Writes [Span]s and [Buffer]s to Netty's channels, each in the way that the channel's transport copies least.
///
/// What is written belongs to the channel from then on, whatever comes of it: it is released once, when the write has
/// succeeded or failed. Written are regions and ByteBufs, and no messages of another type that a handler would have to
/// understand: a closed channel has no handlers left, and would lose what it can't release. Flush as usual. By any
/// thread.
public final class Outbound {
    /// Of a ByteBuf with more pieces than a call takes, Netty copies all.
    private static final int MOST_PIECES = 1024;

    private static final long MOST_BYTES = 1 << 30;

    private Outbound() {}

    /// Writes a span.
    ///
    /// @param out a channel, its pipeline, or the context of a handler
    /// @return fails with an IOException when the file can't be opened again, and as every write does
    public static ChannelFuture write(ChannelOutboundInvoker out, Span span) {
        FileRegion region;
        try (SpanFile file = SpanFile.of(span.file())) {
            boolean asItIs = SpanRegion.isWithinIoUring(span.position(), span.lengthBytes()) || !isIoUring(out);
            region = asItIs
                    ? file.region(span.position(), span.lengthBytes(), span.hold())
                    : file.copied(span.position(), span.lengthBytes(), span.hold());
        } catch (IOException | RuntimeException e) {
            span.hold().release();
            return out.newFailedFuture(e);
        }
        return out.write(region);
    }

    private static boolean isIoUring(ChannelOutboundInvoker out) {
        Channel channel = switch (out) {
            case Channel itself -> itself;
            case ChannelHandlerContext context -> context.channel();
            case ChannelPipeline pipeline -> pipeline.channel();
            default -> throw new IllegalArgumentException(out + " is no channel, pipeline or context");
        };
        return channel.eventLoop() instanceof IoEventLoop loop && loop.isIoType(IoUringIoHandler.class);
    }

    /// Writes a buffer, in one message or several.
    ///
    /// @param out a channel, its pipeline, or the context of a handler
    /// @return succeeds when all was written
    /// @throws IllegalStateException when the buffer was released or handed over before
    public static ChannelFuture write(ChannelOutboundInvoker out, Buffer buffer) {
        List<ByteBuf> messages = messages(buffer);
        ChannelPromise all = out.newPromise();
        AtomicInteger left = new AtomicInteger(messages.size());
        for (ByteBuf message : messages) {
            out.write(message).addListener(written -> {
                if (!written.isSuccess()) {
                    all.tryFailure(written.cause());
                } else if (left.decrementAndGet() == 0) {
                    all.trySuccess();
                }
            });
        }
        return all;
    }

    /// ByteBufs of native pieces, as many as a call takes, and of pieces on the heap. Takes the buffer over.
    private static List<ByteBuf> messages(Buffer buffer) {
        Pieces pieces = buffer.pieces();
        List<ByteBuf> messages = new ArrayList<>();
        long from = 0;
        int count = 0;
        for (int i = 0; i < pieces.count(); i++) {
            long start = pieces.start(i);
            long end = start + pieces.piece(i).byteSize();
            boolean otherKind =
                    i > 0 && pieces.piece(i).isNative() != pieces.piece(i - 1).isNative();
            if (start > from && (otherKind || count == MOST_PIECES || end - from > MOST_BYTES)) {
                messages.add(ByteBufs.of(buffer.slice(from, start - from)));
                from = start;
                count = 0;
            }
            for (; end - from > MOST_BYTES; from += MOST_BYTES) {
                messages.add(ByteBufs.of(buffer.slice(from, MOST_BYTES)));
            }
            count++;
        }
        if (messages.isEmpty()) {
            return List.of(ByteBufs.of(buffer));
        }
        messages.add(ByteBufs.of(buffer.slice(from, buffer.lengthBytes() - from)));
        buffer.release();
        return messages;
    }
}
