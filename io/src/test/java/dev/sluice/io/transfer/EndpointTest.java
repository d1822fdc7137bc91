package dev.sluice.io.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Pipes;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EndpointTest {
    @TempDir
    Path folder;

    private final ScriptedGate gate = new ScriptedGate();
    private final Kernel kernel = new Kernel(gate);

    @Test
    void aDescriptorBecomesTheEndThatItIs() throws Exception {
        Path path = folder.resolve("file");
        try (Endpoint.File file = Endpoint.openSink(kernel, path, true, kernel.account())) {
            assertThat(Endpoint.of(kernel, file.descriptor(), 7)).isEqualTo(new Endpoint.File(file.descriptor(), 7));
        }
        Descriptor[] pair = kernel.sockets().pair(true, kernel.account());
        assertThat(Endpoint.of(kernel, pair[0], 0)).isInstanceOf(Endpoint.Socket.class);
        Pipes.Ends ends = kernel.pipes().open(true, kernel.account());
        assertThat(Endpoint.of(kernel, ends.readEnd(), 0)).isInstanceOf(Endpoint.Pipe.class);
        for (Descriptor descriptor : new Descriptor[] {pair[0], pair[1], ends.readEnd(), ends.writeEnd()}) {
            descriptor.close();
        }
    }

    @Test
    void aDirectBufferIsTakenBetweenPositionAndLimit() {
        ByteBuffer buffer = ByteBuffer.allocateDirect(100).position(10).limit(30);
        assertThat(Endpoint.memory(buffer).lengthBytes()).isEqualTo(20);
    }

    @Test
    void connectingToNobodyIsRefused() throws Exception {
        SocketAddress nobody;
        try (Descriptor bound = listener(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            nobody = kernel.sockets().localAddress(bound);
        }
        Leaks leaks = new Leaks(folder);
        assertThatThrownBy(() -> Endpoint.connect(kernel, nobody, true, 0, kernel.account()))
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ECONNREFUSED));
        leaks.assertNone();
    }

    @Test
    void connectingEndsAtItsTimeout() throws Exception {
        // A listener whose queue is full drops further requests, so the connection stays in progress.
        try (Descriptor listener = listener(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            SocketAddress address = kernel.sockets().localAddress(listener);
            gate.on((call, subject, position, length) ->
                    call == Call.CONNECT ? -Errno.EINPROGRESS : call == Call.POLL ? -Errno.EINTR : length);
            assertThatThrownBy(() -> Endpoint.connect(kernel, address, true, 1_000_000, kernel.account()))
                    .isInstanceOfSatisfying(
                            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ETIMEDOUT));
        }
    }

    @Test
    void aConnectionBlocksOrNotAsAsked() throws Exception {
        for (SocketAddress where : new SocketAddress[] {
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
            UnixDomainSocketAddress.of(folder.resolve("socket"))
        }) {
            try (Descriptor listener = listener(where)) {
                SocketAddress address = kernel.sockets().localAddress(listener);
                for (boolean blocking : new boolean[] {true, false}) {
                    try (Endpoint.Socket socket = Endpoint.connect(kernel, address, blocking, 0, kernel.account())) {
                        long flags = kernel.files().openFlags(socket.descriptor());
                        assertThat((flags & Files.O_NONBLOCK) == 0).isEqualTo(blocking);
                    }
                }
            }
        }
    }

    private Descriptor listener(SocketAddress where) throws ErrnoException {
        Descriptor listener =
                kernel.sockets().stream(where, true, kernel.account()).orThrow();
        ErrnoException.check(kernel.sockets().bind(listener, where), Call.BIND, where.toString());
        ErrnoException.check(kernel.sockets().listen(listener, 5), Call.LISTEN, where.toString());
        return listener;
    }
}
