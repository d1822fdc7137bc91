package dev.sluice.netty;

import dev.sluice.io.buffer.Buffer;
import dev.sluice.io.buffer.Buffers;
import dev.sluice.io.buffer.LeakDetection;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Hold;
import dev.sluice.io.transfer.Span;
import io.netty.channel.ChannelFuture;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;

/// A process that sends a file's bytes, and as many of a buffer, for strace to look at.
@SuppressWarnings("FutureReturnValueIgnored") // of a write before one that is waited for
public final class SenderMain {
    private SenderMain() {}

    /// Prints the buffer's address and how many bytes arrived.
    ///
    /// @param arguments a [Transport] and a file
    public static void main(String[] arguments) throws Exception {
        Kernel kernel = new Kernel();
        Path path = Path.of(arguments[1]);
        try (Buffers buffers = new Buffers(kernel, LeakDetection.OFF);
                Descriptor file = kernel.files()
                        .open(path, Files.O_RDONLY, 0, kernel.account())
                        .orThrow();
                Wire wire = new Wire(Transport.valueOf(arguments[0]))) {
            long length = java.nio.file.Files.size(path);
            CompletableFuture<byte[]> all = wire.collect();
            Buffer buffer = buffers.allocate(length);
            System.out.println(Long.toHexString(buffer.pieces().piece(0).address()));
            Outbound.write(wire.channel, new Span(file, 0, length, Hold.NONE));
            ChannelFuture written = Outbound.write(wire.channel, buffer);
            wire.channel.flush();
            written.sync();
            System.out.println(wire.received(all).length);
        }
    }
}
