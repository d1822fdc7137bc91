package dev.sluice.io.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SocketsTest {
    @TempDir
    Path folder;

    private final Account account = Account.root("test");
    private final Kernel kernel = new Kernel();
    private final Sockets sockets = kernel.sockets();

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "::1"})
    void bytesGoBothWaysBetweenInternetSockets(String host) throws Exception {
        InetAddress address = InetAddress.ofLiteral(host);
        assumeTrue(NetworkInterface.getByInetAddress(address) != null, "no interface has " + host);
        roundTrip(new InetSocketAddress(address, 0));
    }

    @Test
    void bytesGoBothWaysBetweenUnixSockets() throws ErrnoException {
        roundTrip(UnixDomainSocketAddress.of(folder.resolve("socket")));
    }

    private void roundTrip(SocketAddress address) throws ErrnoException {
        try (Arena arena = Arena.ofConfined();
                Descriptor listener = sockets.stream(address, true, account).orThrow();
                Descriptor client = sockets.stream(address, true, account).orThrow()) {
            assertThat(sockets.bind(listener, address)).isZero();
            assertThat(sockets.listen(listener, 1)).isZero();
            SocketAddress bound = sockets.localAddress(listener);
            assertThat(sockets.connect(client, bound)).isZero();
            try (Descriptor server = sockets.accept(listener, true, account).orThrow()) {
                MemorySegment buffer = arena.allocate(16);
                assertThat(sockets.send(client, arena.allocateFrom("ping"), 0)).isEqualTo(5);
                assertThat(sockets.recv(server, buffer, 0)).isEqualTo(5);
                assertThat(buffer.getString(0)).isEqualTo("ping");
                IoVectors vectors = new IoVectors(arena, 2);
                vectors.add(arena.allocateFrom(ValueLayout.JAVA_BYTE, new byte[] {'p', 'o'}));
                vectors.add(arena.allocateFrom("ng"));
                assertThat(sockets.sendmsg(server, vectors, 0)).isEqualTo(5);
                assertThat(sockets.recv(client, buffer, 0)).isEqualTo(5);
                assertThat(buffer.getString(0)).isEqualTo("pong");
                assertThat(sockets.peerAddress(client)).isEqualTo(bound);
            }
            assertThat(sockets.recv(client, arena.allocate(1), 0))
                    .as("the peer's end")
                    .isZero();
        }
    }

    @Test
    void anEmptyNonBlockingSocketAnswersEagainAndAVanishedPeerEpipe() throws ErrnoException {
        Descriptor[] pair = sockets.pair(false, account);
        try (Arena arena = Arena.ofConfined()) {
            assertThat(sockets.recv(pair[0], arena.allocate(1), 0)).isEqualTo(-Errno.EAGAIN);
            pair[1].close();
            assertThat(sockets.send(pair[0], arena.allocate(1), 0)).isEqualTo(-Errno.EPIPE);
        } finally {
            pair[0].close();
        }
    }

    @Test
    void sendfileIsCountedOnTheSocketAndOnTheFile() throws ErrnoException {
        Account ofFile = Account.root("file");
        Account ofSocket = Account.root("socket");
        Descriptor[] pair = sockets.pair(true, ofSocket);
        try (Arena arena = Arena.ofConfined();
                Descriptor file = kernel.files()
                        .open(folder.resolve("f"), Files.O_RDWR | Files.O_CREAT, 0644, ofFile)
                        .orThrow()) {
            kernel.files().pwriteFully(file, arena.allocateFrom("0123456789"), 0);
            MemorySegment scratch = arena.allocate(8, 8);
            assertThat(sockets.sendfile(pair[0], file, 3, 4, scratch)).isEqualTo(4);
            assertThat(sockets.sendfile(pair[0], file, 100, 4, scratch))
                    .as("past the end")
                    .isZero();
            MemorySegment buffer = arena.allocate(8);
            assertThat(sockets.recv(pair[1], buffer, 0)).isEqualTo(4);
            assertThat(buffer.getString(0)).isEqualTo("3456");
            assertThat(ofFile.count(Call.SENDFILE)).isEqualTo(new Account.Count(2, 0, 4));
            assertThat(ofSocket.count(Call.SENDFILE)).isEqualTo(new Account.Count(2, 0, 4));
        } finally {
            pair[0].close();
            pair[1].close();
        }
    }

    @Test
    void theRootsOfTwoFamiliesBothHaveASendfileAndASharedRootHasItOnce() throws ErrnoException {
        Account connections = Account.root("connections");
        Account segments = Account.root("segments");
        sendfileOnce(connections.child("c"), segments.child("s"));
        assertThat(connections.count(Call.SENDFILE)).isEqualTo(new Account.Count(1, 0, 4));
        assertThat(segments.count(Call.SENDFILE)).isEqualTo(new Account.Count(1, 0, 4));

        Account both = Account.root("both");
        sendfileOnce(both.child("c"), both.child("s"));
        assertThat(both.count(Call.SENDFILE)).isEqualTo(new Account.Count(1, 0, 4));
    }

    private void sendfileOnce(Account ofSocket, Account ofFile) throws ErrnoException {
        Descriptor[] pair = sockets.pair(true, ofSocket);
        try (Arena arena = Arena.ofConfined();
                Descriptor file = kernel.files()
                        .open(folder.resolve("f"), Files.O_RDWR | Files.O_CREAT, 0644, ofFile)
                        .orThrow()) {
            kernel.files().pwriteFully(file, arena.allocateFrom("0123456789"), 0);
            assertThat(sockets.sendfile(pair[0], file, 3, 4, arena.allocate(8, 8)))
                    .isEqualTo(4);
        } finally {
            pair[0].close();
            pair[1].close();
        }
    }

    @Test
    void aPortInUseIsAnErrnoThatSaysSo() throws ErrnoException {
        InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        try (Descriptor first = sockets.stream(any, true, account).orThrow();
                Descriptor second = sockets.stream(any, true, account).orThrow()) {
            sockets.bind(first, any);
            sockets.listen(first, 1);
            long result = sockets.bind(second, sockets.localAddress(first));
            assertThat(result).isEqualTo(-Errno.EADDRINUSE);
            assertThatThrownBy(() -> ErrnoException.check(result, Call.BIND, "127.0.0.1"))
                    .hasMessageContaining("the address is in use");
        }
    }

    @Test
    void optionsAreSetAndRead() throws ErrnoException {
        InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        try (Descriptor socket = sockets.stream(any, true, account).orThrow()) {
            assertThat(sockets.setOption(socket, Sockets.IPPROTO_TCP, Sockets.TCP_NODELAY, 1))
                    .isZero();
            assertThat(sockets.getOption(socket, Sockets.IPPROTO_TCP, Sockets.TCP_NODELAY))
                    .isEqualTo(1);
            assertThat(sockets.takeError(socket)).isZero();
        }
    }
}
