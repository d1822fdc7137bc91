package dev.sluice.broker.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sluice.broker.config.NetConfig;
import dev.sluice.broker.net.RegressionNetwork.Client;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.Gate;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Sockets;
import dev.sluice.testkit.GateFaults;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(180)
class NetworkRegressionTest {
    private static final NetConfig TWO_LOOPS =
            new NetConfig(2, 8 << 20, 64 << 20, 600_000, 600_000, 100, 100, 16, -1, -1, 200, 64 << 10);
    private static final byte[] BODY = {1, 2, 3};

    @Test
    void aLoopThatHasDiedIsToldOfAndGetsNoConnections() throws Exception {
        AtomicBoolean deadly = new AtomicBoolean();
        Gate gate = (call, subject, position, lengthBytes) -> call == Call.EPOLL_WAIT
                        && deadly.get()
                        && Thread.currentThread().getName().equals("sluice-loop-1")
                ? -Errno.EBADF
                : lengthBytes;
        List<Client> clients = new ArrayList<>();
        try (RegressionNetwork net = new RegressionNetwork(gate, TWO_LOOPS, RegressionNetwork::echo)) {
            for (int i = 0; i < 4; i++) {
                clients.add(net.connect());
                clients.getLast().send(BODY);
                assertThat(clients.getLast().receive()).isEqualTo(BODY);
            }
            deadly.set(true);
            for (Client client : clients) {
                client.send(BODY); // wakes the second loop up, for its last turn
            }
            await().until(() -> net.died.get() != null);

            for (int i = 0; i < 4; i++) {
                try (Client client = net.connect()) {
                    client.send(BODY);
                    assertThat(client.receive()).isEqualTo(BODY);
                }
            }
        } finally {
            for (Client client : clients) {
                client.close();
            }
        }
    }

    @Test
    void aListenerThatCanNotBeRegisteredFailsTheStart() {
        Gate gate = (call, subject, position, lengthBytes) ->
                call == Call.EPOLL_CTL && subject.startsWith("socket for") ? -Errno.ENOSPC : lengthBytes;

        assertThatThrownBy(() -> new RegressionNetwork(gate, TWO_LOOPS, RegressionNetwork::echo))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("ENOSPC");
    }

    @Test
    void anInterruptDoesNotCutTheEndShort() throws Exception {
        try (RegressionNetwork net = new RegressionNetwork(Gate.OPEN, TWO_LOOPS, RegressionNetwork::echo);
                Client client = net.connect()) {
            client.send(BODY);
            client.receive();

            Thread.currentThread().interrupt();
            assertThat(net.network.stop()).isTrue();

            assertThat(Thread.interrupted()).isTrue();
            client.expectEnd();
        }
    }

    /// Half a connection that nobody takes would wait for its time-out.
    @Test
    void whoComesWhenDescriptorsAreOutIsToldAndTheNextIsTaken() throws Exception {
        GateFaults faults = new GateFaults();
        GateFaults.Fault out = faults.on(Call.ACCEPT).times(1).fails(Errno.EMFILE);
        try (RegressionNetwork net = new RegressionNetwork(faults, TWO_LOOPS, RegressionNetwork::echo)) {
            await().until(() -> out.hits() == 1); // the look at the start: the spare finds nobody waiting
            GateFaults.Fault again = faults.on(Call.ACCEPT).times(1).fails(Errno.EMFILE);
            try (Client refused = net.connect()) {
                refused.expectEnd();
            }
            assertThat(again.hits()).isEqualTo(1);
            try (Client client = net.connect()) {
                client.send(BODY);
                assertThat(client.receive()).isEqualTo(BODY);
            }
        }
    }

    @Test
    void acceptingGoesOnWhenNotEvenTheSpareHelped() throws Exception {
        GateFaults faults = new GateFaults();
        GateFaults.Fault noSpare =
                faults.on(Call.EVENTFD).from(5).fails(Errno.EMFILE); // the loops, two of them cold, have theirs
        GateFaults.Fault out = faults.on(Call.ACCEPT).times(3).fails(Errno.EMFILE);
        try (RegressionNetwork net = new RegressionNetwork(faults, TWO_LOOPS, RegressionNetwork::echo);
                Client client = net.connect()) {
            client.send(BODY);
            assertThat(client.receive()).isEqualTo(BODY);
            assertThat(out.hits()).isEqualTo(3);
            assertThat(noSpare.hits()).isPositive();
        }
    }

    @Test
    void acceptingGoesOnAfterItFailed() throws Exception {
        GateFaults faults = new GateFaults();
        GateFaults.Fault thrown = faults.on(Call.ACCEPT).from(2).times(1).runs(() -> {
            throw new IllegalStateException("thrown by a test");
        });
        try (RegressionNetwork net = new RegressionNetwork(faults, TWO_LOOPS, RegressionNetwork::echo);
                Client client = net.connect()) {
            client.send(BODY);
            assertThat(client.receive()).isEqualTo(BODY);
            assertThat(thrown.hits()).isEqualTo(1);
        }
    }

    /// The kernel doubles what it is told. Without a setting its own sizes differ from any of these.
    @Test
    void connectionsHaveTheBuffersThatWereAskedFor() throws Exception {
        assertThat(bufferBytes(30_000, 40_000)).containsExactly(60_000L, 80_000L);
        assertThat(bufferBytes(-1, -1)).doesNotContain(60_000L, 80_000L);
    }

    private static long[] bufferBytes(int sendBytes, int receiveBytes) throws Exception {
        NetConfig config = new NetConfig(
                1, 8 << 20, 64 << 20, 600_000, 600_000, 100, 100, 16, sendBytes, receiveBytes, 200, 64 << 10);
        Sockets sockets = new Kernel().sockets();
        AtomicReference<long[]> seen = new AtomicReference<>();
        try (RegressionNetwork net = new RegressionNetwork(Gate.OPEN, config, request -> {
                    seen.set(new long[] {
                        sockets.getOption(request.socket(), Sockets.SOL_SOCKET, Sockets.SO_SNDBUF),
                        sockets.getOption(request.socket(), Sockets.SOL_SOCKET, Sockets.SO_RCVBUF)
                    });
                    RegressionNetwork.echo(request);
                });
                Client client = net.connect()) {
            client.send(BODY);
            client.receive();
        }
        return seen.get();
    }
}
