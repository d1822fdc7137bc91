package dev.sluice.bench.shared;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// A blocking stream socket: a send each message, and a receive for as many as have come, up to 64 KiB or one of them.
final class SocketLink implements Link {
    private static final int RECEIVE_BYTES = 64 << 10;

    private final Kernel kernel;
    private final Descriptor socket;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment out;
    private final MemorySegment in;
    private final int messageBytes;
    private long start;
    private long end;

    SocketLink(Kernel kernel, Descriptor socket, int messageBytes) {
        this.kernel = kernel;
        this.socket = socket;
        this.messageBytes = messageBytes;
        this.out = arena.allocate(messageBytes, 64);
        this.in = arena.allocate(Math.max(RECEIVE_BYTES / messageBytes, 1) * (long) messageBytes, 64);
    }

    @Override
    public void send(byte content) throws IOException {
        out.fill(content);
        for (long sent = 0; sent < messageBytes; ) {
            sent += moved(kernel.sockets().send(socket, out.asSlice(sent), 0));
        }
    }

    @Override
    public long receive() throws IOException {
        while (end - start < messageBytes) {
            if (start == end || start + messageBytes > in.byteSize()) {
                MemorySegment.copy(in, start, in, 0, end - start); // less than a message
                end -= start;
                start = 0;
            }
            end += moved(kernel.sockets().recv(socket, in.asSlice(end), 0));
        }
        long sum = Link.sum(in.asSlice(start, messageBytes));
        start += messageBytes;
        return sum;
    }

    private static long moved(long result) throws IOException {
        if (result <= 0) {
            throw new IOException("The peer's socket answered " + result);
        }
        return result;
    }

    @Override
    public void close() {
        socket.close();
        arena.close();
    }
}
