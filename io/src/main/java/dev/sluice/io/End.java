package dev.sluice.io;

import dev.sluice.io.buffer.Buffer;
import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Endpoint;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;

/// Where bytes come from or go to, in the JDK's own types. Made by the methods below, used by [SluiceIo#move]; an end
/// holds nothing open between moves, so there is nothing to close.
///
/// Channels are borrowed for the time of a move: don't use one meanwhile. The JDK doesn't tell a channel's descriptor,
/// so it is found in /proc/self/fd and duplicated: that costs a look at each descriptor of the process, a few
/// microseconds apiece. Who moves many small pieces through one channel is better off with
/// [dev.sluice.io.transfer.Transfers], which keeps its ends.
public final class End {
    /// Opens what a move needs. Whoever calls it closes the answer.
    @FunctionalInterface
    private interface Opener {
        Endpoint open(Kernel kernel, Account account, boolean asSink) throws IOException;
    }

    /// Told when a move is over.
    @FunctionalInterface
    private interface Advance {
        Advance NONE = _ -> {};

        void by(long bytes) throws IOException;
    }

    private final Opener opener;
    private final Advance advance;

    private End(Opener opener, Advance advance) {
        this.opener = opener;
        this.advance = advance;
    }

    /// A file. As a source from its first byte on; as a sink it is made if it isn't there, and emptied if it is.
    public static End file(Path path) {
        return new End(
                (kernel, account, asSink) -> asSink
                        ? Endpoint.openSink(kernel, path, true, account)
                        : Endpoint.openSource(kernel, path, account),
                Advance.NONE);
    }

    /// A file channel, from its position on, which the move advances by the bytes it moved.
    public static End of(FileChannel channel) {
        return new End(
                (kernel, account, _) -> {
                    long position = channel.position();
                    return new Endpoint.File(ChannelDescriptors.of(kernel, channel, account), position);
                },
                bytes -> channel.position(channel.position() + bytes));
    }

    /// A connected TCP socket channel, blocking or not.
    public static End of(SocketChannel channel) {
        return new End(
                (kernel, account, _) -> new Endpoint.Socket(ChannelDescriptors.of(kernel, channel, account)),
                Advance.NONE);
    }

    /// Memory, all of it: as a source it must not change during the move, as a sink it bounds the move. What lies
    /// on the heap is copied once more than native memory.
    public static End of(MemorySegment memory) {
        return new End((_, _, _) -> new Endpoint.Memory(memory), Advance.NONE);
    }

    /// A buffer between position and limit; the move advances its position by the bytes it moved. A direct one is
    /// copied once less.
    public static End of(ByteBuffer bytes) {
        return new End(
                (_, _, _) -> Endpoint.memory(bytes),
                moved -> bytes.position(bytes.position() + Math.toIntExact(moved)));
    }

    /// A buffer, all of it, in as many pieces as it has. The end has no reference to it: release it when you have
    /// made your moves. A move has one, which is kept for good when a zero-copy send fails before the kernel was
    /// done with the memory; the pool is then short of it, and nobody else's bytes are sent.
    public static End of(Buffer buffer) {
        return new End((_, _, _) -> buffer.endpoint(), Advance.NONE);
    }

    Endpoint open(Kernel kernel, Account account, boolean asSink) throws IOException {
        return opener.open(kernel, account, asSink);
    }

    void moved(long bytes) throws IOException {
        advance.by(bytes);
    }
}
