package dev.sluice.broker.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.broker.config.NetConfig;
import dev.sluice.broker.net.RegressionNetwork.Client;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.Gate;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Hold;
import dev.sluice.io.transfer.Span;
import dev.sluice.testkit.GateFaults;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(180)
class ReceiveBudgetRegressionTest {
    private static final byte[] SMALL = {1, 2, 3};

    /// A request for so many bytes that are not in memory.
    private static final byte COLD = 99;

    private static final int COLD_BYTES = 4096;

    @Test
    void oneGoesBeyondTheBoundTheOthersWaitAndAreWokenInTurn() {
        ReceiveBudget budget = new ReceiveBudget(100);
        List<Integer> woken = new ArrayList<>();
        ReceiveBudget.Waiter first = () -> woken.add(1);
        ReceiveBudget.Waiter second = () -> woken.add(2);
        ReceiveBudget.Waiter third = () -> woken.add(3);
        budget.changed(100);

        assertThat(budget.admits(first)).isTrue();
        assertThat(budget.admits(first)).isTrue();
        assertThat(budget.admits(second)).isFalse();
        budget.await(second);
        budget.await(third);
        assertThat(woken).isEmpty();

        budget.finished(first);
        assertThat(woken).containsExactly(2);
        assertThat(budget.admits(second)).isTrue();
        budget.passOn();
        assertThat(woken).as("still full, and the second goes beyond it").containsExactly(2);
        budget.changed(-1);
        assertThat(woken).containsExactly(2, 3);
    }

    @Test
    void largeRequestsThatExceedTheBoundTogetherAllComeToTheirEnd() throws Exception {
        int bound = 1 << 20;
        byte[] large = new byte[4 << 20];
        NetConfig config = new NetConfig(2, 8 << 20, bound, 600_000, 600_000, 100, 100, 16, -1, -1, 200, 64 << 10);
        try (RegressionNetwork net =
                        new RegressionNetwork(Gate.OPEN, config, request -> RegressionNetwork.answer(request, SMALL));
                Client small = net.connect()) {
            List<Client> clients = new ArrayList<>();
            List<Thread> senders = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                Client client = net.connect();
                clients.add(client);
                byte[] frame = Client.frames(large);
                client.out.write(Arrays.copyOf(frame, 32 << 10)); // more than any connection may have always
            }
            // All have begun, so the bound is met by part of each; the rest comes at once from all of them.
            await().until(() -> net.network.unfinishedBytes() >= 6 * ReceiveBudget.ALWAYS_BYTES);
            for (Client client : clients) {
                byte[] frame = Client.frames(large);
                senders.add(Thread.ofPlatform().start(() -> {
                    try {
                        client.out.write(frame, 32 << 10, frame.length - (32 << 10));
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                }));
            }
            small.send(SMALL);
            assertThat(small.receive()).isEqualTo(SMALL);
            for (Client client : clients) {
                assertThat(client.receive()).isEqualTo(SMALL);
                client.close();
            }
            for (Thread sender : senders) {
                sender.join();
            }
            await().until(() -> net.network.unfinishedBytes() == 0);
        }
    }

    @Test
    void aRequestThatDoesNotComeOnIsGivenUpAndAnIdleConnectionIsNot() throws Exception {
        NetConfig config = new NetConfig(1, 8 << 20, 64 << 20, 100, 600_000, 100, 100, 16, -1, -1, 200, 64 << 10);
        try (RegressionNetwork net = new RegressionNetwork(Gate.OPEN, config, RegressionNetwork::echo);
                Client slow = net.connect();
                Client idle = net.connect()) {
            idle.send(SMALL);
            assertThat(idle.receive()).isEqualTo(SMALL);
            slow.send(SMALL);
            assertThat(slow.receive()).isEqualTo(SMALL);
            slow.out.write(Arrays.copyOf(Client.frames(new byte[1 << 20]), 100_000));
            slow.expectEnd();

            idle.send(SMALL);
            assertThat(idle.receive()).isEqualTo(SMALL);
            assertThat(net.network.unfinishedBytes()).isZero();
        }
    }

    /// What a connection has received goes with it to a cold loop, which may wait for the disk for long before it
    /// takes it up.
    @Test
    void whatIsOnItsWayToALoopThatWaitsForTheDiskIsCounted(@TempDir Path folder) throws Exception {
        Path path = Files.write(folder.resolve("cold"), new byte[COLD_BYTES]);
        Kernel kernel = new Kernel();
        GateFaults faults = new GateFaults();
        faults.on(Call.PREADV2).fails(Errno.EAGAIN); // as of what is not in memory
        CountDownLatch disk = new CountDownLatch(1);
        GateFaults.Fault reading = faults.on(Call.SENDFILE).waitsFor(disk);
        byte[] begun = Arrays.copyOf(Client.frames(new byte[] {COLD}, new byte[1 << 20]), 40_000);
        try (Descriptor file = kernel.files()
                        .open(path, dev.sluice.io.linux.Files.O_RDONLY, 0, kernel.account())
                        .orThrow();
                RegressionNetwork net = new RegressionNetwork(
                        faults, RegressionNetwork.CONFIG, request -> answerColdOrSmall(request, file));
                Client first = net.connect();
                Client second = net.connect()) {
            try {
                first.send(new byte[] {COLD});
                reading.awaitHits(1);
                second.out.write(begun);
                await().until(() -> net.network.unfinishedBytes() > 0);
            } finally {
                disk.countDown();
            }
            assertThat(first.receive()).hasSize(COLD_BYTES);
            assertThat(second.receive()).hasSize(COLD_BYTES);
            second.out.write(new byte[Integer.BYTES + 1 + Integer.BYTES + (1 << 20) - begun.length]);
            assertThat(second.receive()).isEqualTo(SMALL);
            await().until(() -> net.network.unfinishedBytes() == 0);
        }
    }

    private static void answerColdOrSmall(Request request, Descriptor file) {
        if (RegressionNetwork.first(request) != COLD) {
            RegressionNetwork.answer(request, SMALL);
            return;
        }
        MemorySegment length = request.loop().slabs().take(Integer.BYTES);
        length.asByteBuffer().putInt(COLD_BYTES);
        request.send(length, Integer.BYTES);
        request.send(new Span(file, 0, COLD_BYTES, Hold.NONE));
        request.done();
    }
}
