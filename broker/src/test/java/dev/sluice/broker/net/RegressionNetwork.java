package dev.sluice.broker.net;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.broker.config.ListenerAddress;
import dev.sluice.broker.config.NetConfig;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Gate;
import dev.sluice.io.linux.Kernel;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;

/// Listeners and loops around a handler of the test's own, without a log, and plain sockets as clients.
final class RegressionNetwork implements AutoCloseable {
    private static final int SOCKET_TIMEOUT_MS = 60_000;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    static final NetConfig CONFIG =
            new NetConfig(1, 8 << 20, 64 << 20, 600_000, 600_000, 100, 100, 16, -1, -1, 200, 64 << 10);

    final Kernel kernel;
    final Network network;
    final AtomicReference<Throwable> died = new AtomicReference<>();

    RegressionNetwork(RequestHandler handler) throws IOException {
        this(Gate.OPEN, CONFIG, handler);
    }

    RegressionNetwork(Gate gate, NetConfig config, RequestHandler handler) throws IOException {
        kernel = new Kernel(gate);
        network = new Network(
                kernel, ListenerAddress.parseList("listeners", "PLAINTEXT://127.0.0.1:0"), Map.of(), config);
        try {
            network.start(_ -> handler, died::set);
        } catch (IOException e) {
            network.close();
            throw e;
        }
    }

    /// Answers a request with its own bytes.
    static void echo(Request request) {
        MemorySegment slab = request.loop().slabs().take(Integer.BYTES + request.lengthBytes());
        slab.set(INT, 0, request.lengthBytes());
        MemorySegment.copy(request.memory(), request.position(), slab, Integer.BYTES, request.lengthBytes());
        request.send(slab, Integer.BYTES + request.lengthBytes());
        request.done();
    }

    /// Answers a request with some bytes.
    static void answer(Request request, byte... body) {
        MemorySegment slab = request.loop().slabs().take(Integer.BYTES + body.length);
        slab.set(INT, 0, body.length);
        MemorySegment.copy(body, 0, slab, ValueLayout.JAVA_BYTE, Integer.BYTES, body.length);
        request.send(slab, Integer.BYTES + body.length);
        request.done();
    }

    /// The first byte of the request.
    static byte first(Request request) {
        return request.memory().get(ValueLayout.JAVA_BYTE, request.position());
    }

    long connectionCalls(Call call) {
        return network.connectionsAccount().count(call).calls();
    }

    Client connect() throws IOException {
        return new Client(network.listeners().getFirst().boundAddress());
    }

    @Override
    public void close() {
        network.close();
    }

    /// A client that sends frames and reads frames.
    static final class Client implements AutoCloseable {
        final Socket socket = new Socket();
        final DataInputStream in;
        final DataOutputStream out;

        Client(InetSocketAddress address) throws IOException {
            socket.connect(address);
            socket.setSoTimeout(SOCKET_TIMEOUT_MS);
            socket.setTcpNoDelay(true);
            in = new DataInputStream(socket.getInputStream());
            out = new DataOutputStream(socket.getOutputStream());
        }

        static byte[] frames(byte[]... bodies) {
            int length = List.of(bodies).stream()
                    .mapToInt(body -> Integer.BYTES + body.length)
                    .sum();
            ByteBuffer all = ByteBuffer.allocate(length);
            for (byte[] body : bodies) {
                all.putInt(body.length).put(body);
            }
            return all.array();
        }

        void send(byte[]... bodies) throws IOException {
            out.write(frames(bodies));
            out.flush();
        }

        byte[] receive() throws IOException {
            byte[] body = new byte[in.readInt()];
            in.readFully(body);
            return body;
        }

        void expectEnd() throws IOException {
            assertThat(in.read()).as("the end of the stream").isEqualTo(-1);
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
