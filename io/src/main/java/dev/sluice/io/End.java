package dev.sluice.io;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
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
public abstract sealed class End {
    private End() {}

    /// A file. As a source from its first byte on; as a sink it is made if it isn't there, and emptied if it is.
    public static End file(Path path) {
        return new PathEnd(path);
    }

    /// A file channel, from its position on, which the move advances by the bytes it moved.
    public static End of(FileChannel channel) {
        return new FileEnd(channel);
    }

    /// A connected TCP socket channel, blocking or not.
    public static End of(SocketChannel channel) {
        return new SocketEnd(channel);
    }

    /// Native memory, all of it: as a source it must not change during the move, as a sink it bounds the move.
    ///
    /// @throws IllegalArgumentException when it is on the heap
    public static End of(MemorySegment memory) {
        return new MemoryEnd(new Endpoint.Memory(memory));
    }

    /// A direct buffer between position and limit; the move advances its position by the bytes it moved.
    ///
    /// @throws IllegalArgumentException when it is on the heap
    public static End of(ByteBuffer direct) {
        return new BufferEnd(direct);
    }

    /// Opens what a move needs. Whoever calls it closes the answer.
    abstract Endpoint open(Kernel kernel, Account account, boolean asSink) throws IOException;

    /// Told when a move is over.
    void moved(long bytes) throws IOException {}

    private static final class PathEnd extends End {
        private final Path path;

        PathEnd(Path path) {
            this.path = path;
        }

        @Override
        Endpoint open(Kernel kernel, Account account, boolean asSink) throws IOException {
            return asSink ? Endpoint.openSink(kernel, path, true, account) : Endpoint.openSource(kernel, path, account);
        }
    }

    private static final class FileEnd extends End {
        private final FileChannel channel;

        FileEnd(FileChannel channel) {
            this.channel = channel;
        }

        @Override
        Endpoint open(Kernel kernel, Account account, boolean asSink) throws IOException {
            long position = channel.position();
            Descriptor descriptor = ChannelDescriptors.of(kernel, channel, account);
            return new Endpoint.File(descriptor, position);
        }

        @Override
        void moved(long bytes) throws IOException {
            channel.position(channel.position() + bytes);
        }
    }

    private static final class SocketEnd extends End {
        private final SocketChannel channel;

        SocketEnd(SocketChannel channel) {
            this.channel = channel;
        }

        @Override
        Endpoint open(Kernel kernel, Account account, boolean asSink) throws IOException {
            return new Endpoint.Socket(ChannelDescriptors.of(kernel, channel, account));
        }
    }

    private static final class MemoryEnd extends End {
        private final Endpoint.Memory memory;

        MemoryEnd(Endpoint.Memory memory) {
            this.memory = memory;
        }

        @Override
        Endpoint open(Kernel kernel, Account account, boolean asSink) {
            return memory;
        }
    }

    private static final class BufferEnd extends End {
        private final ByteBuffer buffer;

        BufferEnd(ByteBuffer buffer) {
            if (!buffer.isDirect()) {
                throw new IllegalArgumentException(
                        "Only native memory can be handed to the kernel; use ByteBuffer.allocateDirect");
            }
            this.buffer = buffer;
        }

        @Override
        Endpoint open(Kernel kernel, Account account, boolean asSink) {
            return Endpoint.memory(buffer);
        }

        @Override
        void moved(long bytes) {
            buffer.position(buffer.position() + Math.toIntExact(bytes));
        }
    }
}
