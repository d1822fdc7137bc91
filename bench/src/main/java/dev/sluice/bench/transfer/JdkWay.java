package dev.sluice.bench.transfer;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// The ways that the JDK offers, on a blocking socket.
final class JdkWay implements Way {
    enum How {
        TRANSFER_TO,
        HEAP,
        DIRECT,
        MAPPED
    }

    private final FileChannel file;

    private final How how;
    private ByteBuffer buffer = ByteBuffer.allocate(0);
    private @Nullable SocketChannel socket;

    JdkWay(Path path, How how) throws IOException {
        this.file = FileChannel.open(path);
        this.how = how;
    }

    @Override
    public void connect(int port) throws IOException {
        socket = SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    }

    @Override
    public void send(int chunkBytes) throws IOException {
        switch (how) {
            case TRANSFER_TO -> transferTo(chunkBytes);
            case HEAP, DIRECT -> buffered(chunkBytes);
            case MAPPED -> mapped(chunkBytes);
        }
    }

    private void transferTo(int chunkBytes) throws IOException {
        long size = file.size();
        for (long at = 0; at < size; ) {
            long n = file.transferTo(at, Math.min(chunkBytes, size - at), connected());
            if (n <= 0) {
                throw new EOFException("transferTo moved nothing at " + at);
            }
            at += n;
        }
    }

    private void buffered(int chunkBytes) throws IOException {
        if (buffer.capacity() != chunkBytes) {
            buffer = how == How.HEAP ? ByteBuffer.allocate(chunkBytes) : ByteBuffer.allocateDirect(chunkBytes);
        }
        long size = file.size();
        for (long at = 0; at < size; ) {
            int n = file.read(buffer.clear(), at);
            if (n <= 0) {
                throw new EOFException("read nothing at " + at);
            }
            buffer.flip();
            while (buffer.hasRemaining()) {
                connected().write(buffer);
            }
            at += n;
        }
    }

    private void mapped(int chunkBytes) throws IOException {
        long size = file.size();
        // Made anew for each transfer; it lives until the collector finds it, for the JDK has no unmap for a buffer.
        ByteBuffer map = file.map(FileChannel.MapMode.READ_ONLY, 0, size);
        for (int at = 0; at < size; ) {
            int end = (int) Math.min((long) at + chunkBytes, size);
            map.limit(end).position(at);
            while (map.hasRemaining()) {
                connected().write(map);
            }
            at = end;
        }
    }

    @Override
    public void disconnect() throws IOException {
        try (SocketChannel ending = connected()) {
            ending.shutdownOutput();
            if (ending.read(ByteBuffer.allocate(1)) != -1) {
                throw new IOException("The receiver sent something");
            }
        }
        socket = null;
    }

    private SocketChannel connected() {
        if (socket == null) {
            throw new IllegalStateException("not connected");
        }
        return socket;
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
