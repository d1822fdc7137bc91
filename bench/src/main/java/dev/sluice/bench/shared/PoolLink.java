package dev.sluice.bench.shared;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.shared.PeerSockets;
import dev.sluice.io.shared.SharedBuffer;
import dev.sluice.io.shared.SharedPool;
import dev.sluice.io.shared.SharedPoolConfig;
import dev.sluice.io.shared.SharedPoolReader;
import dev.sluice.io.shared.SharedPoolReaderConfig;
import java.io.IOException;
import java.nio.file.Path;

/// A pool for each direction.
final class PoolLink implements Link {
    private static final long PATIENCE_NS = 60_000_000_000L;
    private static final int PATIENCE_MS = 60_000;
    private static final int POOL_BYTES = 4 << 20;
    private static final int LEAST_BUFFERS = 4;
    private static final int MOST_BUFFERS = 1024;

    private final SharedPool out;
    private final SharedPoolReader in;
    private final int messageBytes;

    private PoolLink(SharedPool out, SharedPoolReader in, int messageBytes) {
        this.out = out;
        this.in = in;
        this.messageBytes = messageBytes;
    }

    /// The end that listens, and gives its pool first.
    static PoolLink accept(Kernel kernel, Descriptor listener, int messageBytes, long spinNs) throws IOException {
        Descriptor forOut = PeerSockets.accept(kernel, listener, PATIENCE_MS, kernel.account());
        Descriptor forIn = PeerSockets.accept(kernel, listener, PATIENCE_MS, kernel.account());
        SharedPool out = pool(kernel, messageBytes, spinNs);
        out.attach(forOut);
        return new PoolLink(out, reader(kernel, forIn, spinNs), messageBytes);
    }

    static PoolLink connect(Kernel kernel, Path path, int messageBytes, long spinNs) throws IOException {
        Descriptor forIn = PeerSockets.connect(kernel, path, kernel.account());
        Descriptor forOut = PeerSockets.connect(kernel, path, kernel.account());
        SharedPoolReader in = reader(kernel, forIn, spinNs);
        SharedPool out = pool(kernel, messageBytes, spinNs);
        out.attach(forOut);
        return new PoolLink(out, in, messageBytes);
    }

    private static SharedPool pool(Kernel kernel, int messageBytes, long spinNs) throws IOException {
        int count = Math.clamp(POOL_BYTES / messageBytes, LEAST_BUFFERS, MOST_BUFFERS);
        return SharedPool.create(
                kernel, new SharedPoolConfig(messageBytes, count).withSpinNs(spinNs), kernel.account());
    }

    private static SharedPoolReader reader(Kernel kernel, Descriptor socket, long spinNs) throws IOException {
        return SharedPoolReader.accept(
                kernel, socket, SharedPoolReaderConfig.DEFAULT.withSpinNs(spinNs), kernel.account());
    }

    @Override
    public void send(byte content) throws IOException {
        SharedBuffer buffer = out.acquire(PATIENCE_NS);
        if (buffer == null) {
            throw new IOException("The peer released no buffer");
        }
        buffer.memory().fill(content);
        out.send(buffer, messageBytes);
    }

    @Override
    public long receive() throws IOException {
        SharedBuffer buffer = in.receive(PATIENCE_NS);
        if (buffer == null) {
            throw new IOException("The peer sent nothing");
        }
        long sum = Link.sum(buffer.memory());
        in.release(buffer);
        return sum;
    }

    @Override
    public void close() {
        out.close();
        in.close();
    }
}
