package dev.sluice.io;

import dev.sluice.io.buffer.Buffer;
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

    /// Memory, all of it: as a source it must not change during the move, as a sink it bounds the move. What lies
    /// on the heap is copied once more than native memory.
    public static End of(MemorySegment memory) {
        return new MemoryEnd(new Endpoint.Memory(memory));
    }

    /// A buffer between position and limit; the move advances its position by the bytes it moved. A direct one is
    /// copied once less.
    public static End of(ByteBuffer bytes) {
        return new ByteBufferEnd(bytes);
    }

    /// A buffer, all of it, in as many pieces as it has. The end has no reference to it: release it when you have
    /// made your moves. A move has one, which is kept for good when a zero-copy send fails before the kernel was
    /// done with the memory; the pool is then short of it, and nobody else's bytes are sent.
    public static End of(Buffer buffer) {
        return new BufferEnd(buffer);
    }

    /// Opens what a move needs. Whoever calls it closes the answer.
    abstract Endpoint open(Kernel kernel, Account account, boolean asSink) throws IOException;

    /// Told when a move is over.
    void moved(long bytes) throws IOException {}

    /// Told, before the endpoint is closed, when a move failed whose memory the kernel may still read.
    void inFlight() {}

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

    private static final class ByteBufferEnd extends End {
        private final ByteBuffer bytes;

        ByteBufferEnd(ByteBuffer bytes) {
            this.bytes = bytes;
        }

        @Override
        Endpoint open(Kernel kernel, Account account, boolean asSink) {
            return Endpoint.memory(bytes);
        }

        @Override
        void moved(long count) {
            bytes.position(bytes.position() + Math.toIntExact(count));
        }
    }

    private static final class BufferEnd extends End {
        private final Buffer buffer;
        private boolean keeps;

        BufferEnd(Buffer buffer) {
            this.buffer = buffer;
        }

        @Override
        Endpoint open(Kernel kernel, Account account, boolean asSink) {
            Endpoint.Memory endpoint = buffer.endpoint();
            return new Endpoint.Memory(endpoint.pieces(), () -> {
                if (!keeps) {
                    endpoint.close();
                }
            });
        }

        @Override
        void inFlight() {
            keeps = true;
        }
    }
}
