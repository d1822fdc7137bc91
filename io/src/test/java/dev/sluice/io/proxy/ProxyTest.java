package dev.sluice.io.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.io.linux.Account.Count;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.proxy.ConnectionReport.End;
import dev.sluice.io.support.Leaks;
import dev.sluice.io.support.SwitchGate;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The proxy against plain sockets on both sides: every byte, both ways, every end.
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class ProxyTest {
    private static final int MIB = 1 << 20;

    private final SwitchGate gate = new SwitchGate();
    private final Kernel kernel = new Kernel(gate);
    private ServerSocket upstream;
    private ExecutorService threads;
    private Leaks leaks;

    /// What the JVM opens to close its first socket (a marker) is not ours.
    @BeforeAll
    static void warmUp() throws IOException {
        try (Socket socket = new Socket()) {
            socket.bind(null);
        }
    }

    @BeforeEach
    void listen() throws IOException {
        leaks = new Leaks(kernel);
        upstream = new ServerSocket(0, 300, InetAddress.getLoopbackAddress());
        upstream.setSoTimeout(ProxyRig.PATIENCE_MS);
        threads = Executors.newCachedThreadPool();
    }

    @AfterEach
    void nothingLeft() throws IOException {
        threads.close();
        upstream.close();
        leaks.assertNone();
        leaks.assertNoMaps();
    }

    private ProxyRig rig() throws IOException {
        return rig(ProxyConfig.DEFAULT);
    }

    private ProxyRig rig(ProxyConfig config) throws IOException {
        return new ProxyRig(kernel, 1, address(upstream), config);
    }

    private static InetSocketAddress address(ServerSocket socket) {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), socket.getLocalPort());
    }

    private static byte[] content(int lengthBytes, long seed) {
        byte[] content = new byte[lengthBytes];
        new Random(seed).nextBytes(content);
        return content;
    }

    private static String sha256(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    private <T> Future<T> meanwhile(Callable<T> task) {
        return threads.submit(task);
    }

    @Test
    void passesBytesBothWaysAndCountsThem() throws Exception {
        byte[] request = content(3 * MIB + 1, 1);
        byte[] answer = content(5 * MIB + 3, 2);
        try (ProxyRig rig = rig();
                Socket client = rig.connect();
                Socket server = upstream.accept()) {
            Future<byte[]> got = meanwhile(() -> client.getInputStream().readAllBytes());
            Future<?> sent = meanwhile(() -> {
                client.getOutputStream().write(request);
                client.shutdownOutput();
                return 0;
            });
            Future<?> answered = meanwhile(() -> {
                server.getOutputStream().write(answer);
                server.shutdownOutput();
                return 0;
            });
            assertThat(sha256(server.getInputStream().readAllBytes())).isEqualTo(sha256(request));
            assertThat(sha256(got.get())).isEqualTo(sha256(answer));
            sent.get();
            answered.get();
            ConnectionReport report = rig.awaitEnd();
            assertThat(report.end()).isEqualTo(End.FINISHED);
            assertThat(report.upBytes()).isEqualTo(request.length);
            assertThat(report.downBytes()).isEqualTo(answer.length);
            assertThat(report.lostBytes()).isZero();
            Map<Call, Count> calls = rig.account.snapshot();
            assertThat(calls.get(Call.SPLICE).calls()).isEqualTo(report.splices());
            for (Call call : List.of(Call.RECV, Call.RECVMSG, Call.SEND, Call.SENDMSG, Call.READ)) {
                assertThat(calls).as("into user space").doesNotContainKey(call);
            }
        }
    }

    @Test
    void anEndOfSendingIsPassedOnWhileTheAnswerStillFlows() throws Exception {
        try (ProxyRig rig = rig();
                Socket client = rig.connect();
                Socket server = upstream.accept()) {
            client.getOutputStream().write("question".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            client.shutdownOutput();
            assertThat(server.getInputStream().readAllBytes()).hasSize(8); // sees the end
            server.getOutputStream().write(new byte[] {1});
            assertThat(client.getInputStream().read()).isOne(); // and can answer still
            server.getOutputStream().write(new byte[] {2});
            server.close();
            assertThat(client.getInputStream().readAllBytes()).containsExactly(2);
            assertThat(rig.awaitEnd().end()).isEqualTo(End.FINISHED);
        }
        try (ProxyRig rig = rig();
                Socket client = rig.connect();
                Socket server = upstream.accept()) {
            server.shutdownOutput(); // the other way round
            assertThat(client.getInputStream().read()).isEqualTo(-1);
            client.getOutputStream().write(7);
            assertThat(server.getInputStream().read()).isEqualTo(7);
            client.close();
            assertThat(server.getInputStream().read()).isEqualTo(-1);
            assertThat(rig.awaitEnd().end()).isEqualTo(End.FINISHED);
        }
    }

    @Test
    void aResetIsPassedOnAsOneAndNotAsAnEnd() throws Exception {
        try (ProxyRig rig = rig();
                Socket client = rig.connect();
                Socket server = upstream.accept()) {
            client.getOutputStream().write(1);
            assertThat(server.getInputStream().read()).isOne();
            client.setSoLinger(true, 0);
            client.close();
            assertThat(catchThrowableOfType(
                            SocketException.class, () -> server.getInputStream().read()))
                    .isNotNull();
            assertThat(rig.awaitEnd().end()).isEqualTo(End.CLIENT_RESET);
        }
        try (ProxyRig rig = rig();
                Socket client = rig.connect();
                Socket server = upstream.accept()) {
            server.getOutputStream().write(1);
            assertThat(client.getInputStream().read()).isOne();
            server.setSoLinger(true, 0);
            server.close();
            assertThat(catchThrowableOfType(
                            SocketException.class, () -> client.getInputStream().read()))
                    .isNotNull();
            assertThat(rig.awaitEnd().end()).isEqualTo(End.UPSTREAM_RESET);
        }
    }

    @Test
    void aClientThatDoesNotReadStopsItsServerAndNobodyElse() throws Exception {
        int lengthBytes = 64 * MIB;
        try (ProxyRig rig = rig();
                Socket slow = rig.connect(64 << 10);
                Socket server = upstream.accept()) {
            server.setSendBufferSize(64 << 10);
            long[] sent = new long[1];
            Future<?> sending = meanwhile(() -> {
                byte[] piece = new byte[64 << 10];
                for (; sent[0] < lengthBytes; sent[0] += piece.length) {
                    server.getOutputStream().write(piece);
                }
                server.shutdownOutput();
                return 0;
            });
            // Others are served while it is stuck.
            for (int i = 0; i < 20; i++) {
                try (Socket other = rig.connect();
                        Socket its = upstream.accept()) {
                    other.getOutputStream().write(i);
                    assertThat(its.getInputStream().read()).isEqualTo(i);
                }
                assertThat(rig.awaitEnd().end()).isEqualTo(End.FINISHED);
            }
            assertThat(sending.isDone()).as("stopped by the window").isFalse();
            assertThat(sent[0]).isLessThan(lengthBytes / 2);
            long got = 0;
            byte[] piece = new byte[64 << 10];
            for (int n = 0; n >= 0; n = slow.getInputStream().read(piece)) {
                got += n;
            }
            assertThat(got).isEqualTo(lengthBytes);
            sending.get();
            slow.close();
            assertThat(rig.awaitEnd().end()).isEqualTo(End.FINISHED);
        }
    }

    @Test
    void anUpstreamThatIsNotThereIsToldByAReset() throws Exception {
        InetSocketAddress nowhere = address(upstream);
        upstream.close();
        try (ProxyRig rig = new ProxyRig(kernel, 1, nowhere, ProxyConfig.DEFAULT)) {
            assertThat(catchThrowableOfType(SocketException.class, () -> {
                        try (Socket client = rig.connect()) { // which may be reset before it knows that it is there
                            client.getInputStream().read();
                        }
                    }))
                    .isNotNull();
            ConnectionReport report = rig.awaitEnd();
            assertThat(report.end()).isEqualTo(End.UPSTREAM_UNREACHABLE);
            assertThat(report.detail()).contains("ECONNREFUSED");
        }
    }

    @Test
    void anUpstreamThatDoesNotAcceptIsGivenUpInTime() throws Exception {
        List<Socket> filling = new ArrayList<>();
        try (ServerSocket full = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            // Two connections fill a backlog of one; the next SYN is dropped.
            for (int i = 0; i < 2; i++) {
                Socket socket = new Socket();
                filling.add(socket);
                socket.connect(address(full), ProxyRig.PATIENCE_MS);
            }
            try (ProxyRig rig = new ProxyRig(
                            kernel, 1, address(full), new ProxyConfig(10, TimeUnit.MILLISECONDS.toNanos(50), 0));
                    Socket client = rig.connect()) {
                assertThat(catchThrowableOfType(
                                SocketException.class,
                                () -> client.getInputStream().read()))
                        .isNotNull();
                assertThat(rig.awaitEnd().detail()).isEqualTo("did not accept in time");
            }
        } finally {
            for (Socket socket : filling) {
                socket.close();
            }
        }
    }

    @Test
    void anIdleConnectionIsResetAndABusyOneIsNot() throws Exception {
        long idleNs = TimeUnit.MILLISECONDS.toNanos(100);
        ProxyConfig config = new ProxyConfig(10, TimeUnit.SECONDS.toNanos(30), idleNs);
        AtomicLong nowNs = new AtomicLong();
        try (ProxyRig rig = new ProxyRig(kernel, 1, address(upstream), config, nowNs::get);
                Socket busy = rig.connect();
                Socket itsServer = upstream.accept();
                Socket idle = rig.connect();
                Socket other = upstream.accept()) {
            // The busy one moves a byte, and then a part of the time passes, until the idle one has ended.
            ConnectionReport first = null;
            while (first == null) {
                busy.getOutputStream().write(1);
                assertThat(itsServer.getInputStream().read()).isOne();
                nowNs.addAndGet(idleNs / 4);
                first = rig.ended.poll();
            }
            assertThat(first.end()).isEqualTo(End.IDLE);
            assertThat(first.client()).endsWith(":" + idle.getLocalPort());
            assertThat(catchThrowableOfType(
                            SocketException.class, () -> other.getInputStream().read()))
                    .isNotNull();
        }
    }

    @Test
    void moreThanTheLimitWaitInTheBacklog() throws Exception {
        try (ProxyRig rig = rig(new ProxyConfig(2, TimeUnit.SECONDS.toNanos(30), 0));
                Socket first = rig.connect();
                Socket second = rig.connect();
                Socket third = rig.connect()) {
            Socket a = upstream.accept();
            Socket b = upstream.accept();
            upstream.setSoTimeout(1);
            assertThat(catchThrowableOfType(java.net.SocketTimeoutException.class, upstream::accept))
                    .as("a third")
                    .isNotNull();
            upstream.setSoTimeout(ProxyRig.PATIENCE_MS);
            assertThat(rig.proxy.connections()).isEqualTo(2);
            first.close();
            a.close();
            assertThat(rig.awaitEnd().end()).isEqualTo(End.FINISHED);
            try (Socket c = upstream.accept()) {
                third.getOutputStream().write(3);
                assertThat(c.getInputStream().read()).isEqualTo(3);
            }
            assertThat(second.isConnected()).isTrue();
            b.close();
        }
    }

    @Test
    void acceptingGoesOnAfterDescriptorsRanOut() throws Exception {
        try (ProxyRig rig = rig()) {
            boolean[] refused = new boolean[1];
            gate.set((call, _, _, lengthBytes) -> {
                if (call == Call.ACCEPT && !refused[0]) {
                    refused[0] = true;
                    return -Errno.EMFILE;
                }
                return lengthBytes;
            });
            try (Socket client = rig.connect();
                    Socket server = upstream.accept()) {
                client.getOutputStream().write(5);
                assertThat(server.getInputStream().read()).isEqualTo(5);
                assertThat(refused[0]).isTrue();
            }
        }
    }

    @Test
    void shortCountsAndInterruptionsChangeNoByte() throws Exception {
        Random random = new Random(20260101);
        gate.set((call, _, _, lengthBytes) -> {
            synchronized (random) {
                if (call != Call.SPLICE) {
                    return lengthBytes;
                }
                int dice = random.nextInt(4);
                return dice == 0 ? -Errno.EINTR : dice == 1 ? 1 + random.nextInt(5000) : lengthBytes;
            }
        });
        byte[] all = content(4 * MIB, 5);
        try (ProxyRig rig = rig();
                Socket client = rig.connect();
                Socket server = upstream.accept()) {
            Future<?> sending = meanwhile(() -> {
                client.getOutputStream().write(all);
                client.shutdownOutput();
                return 0;
            });
            assertThat(sha256(server.getInputStream().readAllBytes())).isEqualTo(sha256(all));
            sending.get();
        }
    }

    @Test
    void manyConnectionsOnSeveralLoopsKeepTheirBytesApart() throws Exception {
        int count = 200;
        Future<?> serving = meanwhile(() -> {
            for (int i = 0; i < count; i++) {
                Socket server = upstream.accept();
                Future<Integer> echo = meanwhile(() -> echoReversed(server));
                assertThat(echo).isNotNull();
            }
            return 0;
        });
        try (ProxyRig rig = new ProxyRig(kernel, 3, address(upstream), ProxyConfig.DEFAULT)) {
            List<Future<Integer>> clients = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                int seed = i;
                clients.add(meanwhile(() -> {
                    byte[] mine = content(10_000 + 991 * seed, seed);
                    try (Socket client = rig.connect()) {
                        if (seed % 10 == 9) { // some break off in the middle
                            client.getOutputStream().write(mine, 0, 5000);
                            client.setSoLinger(true, 0);
                            return 0;
                        }
                        client.getOutputStream().write(mine);
                        client.shutdownOutput();
                        byte[] back = client.getInputStream().readAllBytes();
                        return Arrays.equals(reversed(mine), back) ? 1 : -1;
                    }
                }));
            }
            int whole = 0;
            for (Future<Integer> client : clients) {
                int result = client.get();
                assertThat(result).isNotNegative();
                whole += result;
            }
            assertThat(whole).isEqualTo(180);
            serving.get();
            for (int i = 0; i < count; i++) {
                assertThat(rig.awaitEnd().end()).isIn(End.FINISHED, End.CLIENT_RESET);
            }
            assertThat(rig.proxy.connections()).isZero();
        }
    }

    private static int echoReversed(Socket server) throws IOException {
        try (server) {
            byte[] all = server.getInputStream().readAllBytes();
            server.getOutputStream().write(reversed(all));
            return all.length;
        } catch (SocketException e) {
            return 0; // its client has broken off
        }
    }

    private static byte[] reversed(byte[] bytes) {
        byte[] reversed = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            reversed[i] = bytes[bytes.length - 1 - i];
        }
        return reversed;
    }

    @Test
    void aClosedProxyResetsWhatIsOpen() throws Exception {
        InputStream in;
        try (ProxyRig rig = rig();
                Socket server = closing(rig)) {
            in = server.getInputStream();
            rig.proxy.close();
            assertThat(rig.awaitEnd().end()).isEqualTo(End.PROXY_CLOSED);
            assertThat(catchThrowableOfType(SocketException.class, () -> new DataInputStream(in).readInt()))
                    .isNotNull();
        }
    }

    private Socket closing(ProxyRig rig) throws IOException {
        Socket client = rig.connect();
        Socket server = upstream.accept();
        client.getOutputStream().write(1);
        assertThat(server.getInputStream().read()).isOne();
        threads.execute(() -> {
            try (client) {
                assertThat(client.getInputStream().read()).isEqualTo(-1);
            } catch (IOException e) {
                assertThat(e).isInstanceOf(SocketException.class);
            }
        });
        return server;
    }
}
