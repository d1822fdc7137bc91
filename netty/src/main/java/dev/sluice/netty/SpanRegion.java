package dev.sluice.netty;

import dev.sluice.io.transfer.Hold;
import dev.sluice.io.transfer.Span;
import io.netty.channel.DefaultFileRegion;
import io.netty.channel.IoEventLoop;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.util.internal.ThreadExecutorMap;
import java.io.IOException;
import java.nio.channels.FileChannel;

/// A span of a file as Netty's FileRegion: sent by sendfile on NIO and epoll, by splice on io_uring. Releases the
/// span's hold when it is released.
///
/// On io_uring it must end within the first 2 GiB of its file, since Netty cuts the position to 32 bits there; beyond,
/// the write fails, and nothing is sent. [Outbound] has a way around that.
public final class SpanRegion extends DefaultFileRegion {
    private final SpanFile file;
    private final Hold hold;

    SpanRegion(SpanFile file, FileChannel channel, long position, long lengthBytes, Hold hold) {
        super(channel, position, lengthBytes);
        this.file = file;
        this.hold = hold;
    }

    /// A region of a span, which opens the file for itself. The span belongs to it from then on.
    ///
    /// @throws IOException when the file can't be opened; the span is then still the caller's
    public static SpanRegion of(Span span) throws IOException {
        try (SpanFile file = SpanFile.of(span.file())) {
            return file.region(span.position(), span.lengthBytes(), span.hold());
        }
    }

    /// Whether Netty's io_uring transport finds the bytes of a range.
    public static boolean isWithinIoUring(long position, long lengthBytes) {
        return position <= Integer.MAX_VALUE - lengthBytes;
    }

    /// Called by the transports on their event loop, before they send.
    @Override
    public void open() throws IOException {
        if (!isWithinIoUring(position(), count())
                && ThreadExecutorMap.currentExecutor() instanceof IoEventLoop loop
                && loop.isIoType(IoUringIoHandler.class)) {
            throw new IOException(file.name() + " from byte " + position()
                    + " on: Netty's io_uring transport can't send regions that end beyond 2 GiB; write the span by"
                    + " Outbound.write");
        }
        super.open();
    }

    @Override
    protected void deallocate() {
        // Not super's, which would close the file for the other regions too.
        file.release();
        hold.release();
    }
}
