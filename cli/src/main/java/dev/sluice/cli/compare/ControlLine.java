package dev.sluice.cli.compare;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Sockets;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// Lines of text, one way and the other, over a connected blocking socket, which it owns. Used by one thread.
final class ControlLine implements AutoCloseable {
    /// The sums of 64 GiB are a line of 600 KB.
    private static final int MOST_LINE_BYTES = 1 << 20;

    private final Kernel kernel;
    private final Descriptor socket;
    private final MemorySegment buffer = Arena.ofAuto().allocate(64 << 10);
    private MemorySegment unread = buffer.asSlice(0, 0);

    /// @param silenceNs how long to wait for a line
    ControlLine(Kernel kernel, Descriptor socket, long silenceNs) {
        this.kernel = kernel;
        this.socket = socket;
        // An answer right behind another would wait for the first one's delayed acknowledgement.
        kernel.sockets().setOption(socket, Sockets.IPPROTO_TCP, Sockets.TCP_NODELAY, 1);
        kernel.sockets().setTimeout(socket, false, silenceNs);
        kernel.sockets().setTimeout(socket, true, silenceNs);
    }

    Descriptor socket() {
        return socket;
    }

    void send(String line) throws ErrnoException {
        byte[] bytes = (line.replace('\n', ' ') + "\n").getBytes(StandardCharsets.UTF_8);
        for (int done = 0; done < bytes.length; ) {
            int length = (int) Math.min(buffer.byteSize(), bytes.length - done);
            MemorySegment piece = buffer.asSlice(0, length);
            MemorySegment.copy(bytes, done, piece, ValueLayout.JAVA_BYTE, 0, length);
            long n = kernel.sockets().send(socket, piece, Sockets.MSG_NOSIGNAL);
            if (n != -Errno.EINTR) {
                done += (int) ErrnoException.check(n, Call.SEND, socket.name());
            }
        }
    }

    /// @return the next line; null when the other side has closed
    @Nullable String receive() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        while (line.size() < MOST_LINE_BYTES) {
            while (unread.byteSize() > 0) {
                byte next = unread.get(ValueLayout.JAVA_BYTE, 0);
                unread = unread.asSlice(1);
                if (next == '\n') {
                    return line.toString(StandardCharsets.UTF_8);
                }
                line.write(next);
            }
            long n = kernel.sockets().recv(socket, buffer, 0);
            if (n == 0) {
                return null;
            }
            if (n == -Errno.EAGAIN) {
                throw new IOException("the other side, " + socket.name() + ", keeps silent");
            }
            if (n != -Errno.EINTR) {
                unread = buffer.asSlice(0, ErrnoException.check(n, Call.RECV, socket.name()));
            }
        }
        throw new IOException("the other side, " + socket.name() + ", doesn't speak as sluice compare does");
    }

    @Override
    public void close() {
        socket.close();
    }
}
