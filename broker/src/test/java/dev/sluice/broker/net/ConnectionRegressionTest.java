package dev.sluice.broker.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.broker.net.RegressionNetwork.Client;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Gate;
import dev.sluice.io.transfer.Hold;
import dev.sluice.io.transfer.Span;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What a connection does when the code around it, or its peer, misbehaves.
@Timeout(180)
class ConnectionRegressionTest {
    private static final byte[] GOOD = {1, 2, 3};
    private static final byte BAD = 9;

    @Test
    void anAnswerThatThrowsLaterEndsItsConnectionAndNoOther() throws Exception {
        try (RegressionNetwork net = new RegressionNetwork(request -> {
                    if (RegressionNetwork.first(request) == BAD) {
                        long ticket = request.ticket();
                        request.loop()
                                .execute(() -> request.resume(ticket, () -> {
                                    throw new IllegalStateException("thrown by a test");
                                }));
                    } else {
                        RegressionNetwork.echo(request);
                    }
                });
                Client failing = net.connect();
                Client other = net.connect()) {
            failing.send(new byte[] {BAD});
            failing.expectEnd();

            other.send(GOOD);
            assertThat(other.receive()).isEqualTo(GOOD);
        }
    }

    @Test
    void aHurriedAnswerThatThrowsKeepsNoOtherConnectionFromItsAnswer() throws Exception {
        AtomicInteger inHand = new AtomicInteger();
        try (RegressionNetwork net = new RegressionNetwork(request -> {
                    byte body = RegressionNetwork.first(request);
                    inHand.incrementAndGet();
                    request.setPending(new Request.Pending() {
                        @Override
                        public void hurry() {
                            if (body == BAD) {
                                throw new IllegalStateException("thrown by a test");
                            }
                            RegressionNetwork.answer(request, body);
                        }

                        @Override
                        public void abandoned() {}
                    });
                });
                Client first = net.connect();
                Client failing = net.connect();
                Client last = net.connect()) {
            first.send(new byte[] {1});
            failing.send(new byte[] {BAD});
            last.send(new byte[] {2});
            await().until(() -> inHand.get() == 3);

            assertThat(net.network.drain(10_000)).isTrue();
            assertThat(first.receive()).containsExactly(1);
            assertThat(last.receive()).containsExactly(2);
            failing.expectEnd();
        }
    }

    @Test
    void framesArriveWholeThoughAGateMakesEachReceiveShort() throws Exception {
        Gate shortening =
                (call, subject, position, lengthBytes) -> call == Call.RECV ? Math.min(lengthBytes, 1000) : lengthBytes;
        byte[] body = new byte[100_000];
        new Random(1).nextBytes(body);
        try (RegressionNetwork net =
                        new RegressionNetwork(shortening, RegressionNetwork.CONFIG, RegressionNetwork::echo);
                Client client = net.connect()) {
            client.send(body, GOOD);
            assertThat(client.receive()).isEqualTo(body);
            assertThat(client.receive()).isEqualTo(GOOD);
        }
    }

    @Test
    void theAnswersOfFramesThatAreThereAreSentTogether() throws Exception {
        Gate shortening = (call, subject, position, lengthBytes) ->
                call == Call.RECV ? Math.min(lengthBytes, 10_000) : lengthBytes;
        byte[] body = new byte[8_000]; // one receive brings one of them and a part of the next
        CountDownLatch inHand = new CountDownLatch(1);
        CountDownLatch sent = new CountDownLatch(1);
        try (RegressionNetwork net = new RegressionNetwork(shortening, RegressionNetwork.CONFIG, request -> {
                    inHand.countDown();
                    awaitQuietly(sent);
                    RegressionNetwork.answer(request, GOOD);
                });
                Client client = net.connect()) {
            client.send(GOOD);
            inHand.await();
            client.send(body, body);
            sent.countDown();

            for (int answers = 0; answers < 3; answers++) {
                assertThat(client.receive()).isEqualTo(GOOD);
            }
            assertThat(net.network.drain(10_000)).isTrue(); // the last call is counted then
            long calls = net.connectionCalls(Call.SEND) + net.connectionCalls(Call.SENDMSG);
            assertThat(calls).as("calls that sent one answer and then two").isEqualTo(2);
        }
    }

    @Test
    void anAnswerDoesNotWaitForTheRestOfTheNextFrame() throws Exception {
        byte[] two = Client.frames(GOOD, new byte[40_000]);
        try (RegressionNetwork net = new RegressionNetwork(RegressionNetwork::echo);
                Client client = net.connect()) {
            client.out.write(two, 0, 20_000);

            assertThat(client.receive()).isEqualTo(GOOD);
            client.out.write(two, 20_000, two.length - 20_000);
            assertThat(client.receive()).hasSize(40_000);
        }
    }

    @Test
    void theAnswerBeforeAFrameThatThePeerBreaksOffIsSent() throws Exception {
        byte[] two = Client.frames(new byte[40_000], new byte[40_000]);
        CountDownLatch ended = new CountDownLatch(1);
        try (RegressionNetwork net = new RegressionNetwork(request -> {
                    awaitQuietly(ended);
                    RegressionNetwork.answer(request, GOOD);
                });
                Client client = net.connect()) {
            client.out.write(two, 0, 60_000);
            client.socket.shutdownOutput();
            ended.countDown();

            assertThat(client.receive()).isEqualTo(GOOD);
            client.expectEnd();
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void theAnswersBeforeAMalformedFrameAreSent() throws Exception {
        try (RegressionNetwork net = new RegressionNetwork(RegressionNetwork::echo);
                Client client = net.connect()) {
            byte[] good = Client.frames(GOOD, GOOD);
            byte[] all = Arrays.copyOf(good, good.length + Integer.BYTES);
            Arrays.fill(all, good.length, all.length, (byte) 0xff); // a size of -1
            client.out.write(all);

            assertThat(client.receive()).isEqualTo(GOOD);
            assertThat(client.receive()).isEqualTo(GOOD);
            client.expectEnd();
        }
    }

    @Test
    void theAnswersBeforeARequestThatIsRefusedAreSent() throws Exception {
        try (RegressionNetwork net = new RegressionNetwork(request -> {
                    if (RegressionNetwork.first(request) == BAD) {
                        request.close("bad");
                    } else {
                        RegressionNetwork.echo(request);
                    }
                });
                Client client = net.connect()) {
            client.send(GOOD, GOOD, new byte[] {BAD});

            assertThat(client.receive()).isEqualTo(GOOD);
            assertThat(client.receive()).isEqualTo(GOOD);
            client.expectEnd();
        }
    }

    @Test
    void whatAHandlerQueuedBeforeItThrewIsNotSent() throws Exception {
        AtomicInteger released = new AtomicInteger();
        try (RegressionNetwork net = new RegressionNetwork(request -> {
                    if (RegressionNetwork.first(request) == BAD) {
                        MemorySegment slab = request.loop().slabs().take(8);
                        Hold counted = () -> {
                            released.incrementAndGet();
                            request.loop().slabs().give(slab);
                        };
                        request.send(new Span(request.socket(), 0, 8, List.of(slab), true, counted));
                        throw new IllegalStateException("thrown by a test");
                    }
                    RegressionNetwork.echo(request);
                });
                Client client = net.connect()) {
            client.send(GOOD, GOOD, new byte[] {BAD});

            assertThat(client.receive()).isEqualTo(GOOD);
            assertThat(client.receive()).isEqualTo(GOOD);
            client.expectEnd();
            assertThat(released).hasValue(1);
        }
    }

    @Test
    void nothingOfAnAnswerThatCanNotBeWrittenIsSent() throws Exception {
        AtomicInteger slabsTaken = new AtomicInteger(-1);
        try (RegressionNetwork net = new RegressionNetwork(request -> {
                    if (RegressionNetwork.first(request) == BAD) {
                        MetadataResponseData unwritable = new MetadataResponseData();
                        unwritable
                                .topics()
                                .add(new MetadataResponseTopic().setName(null)); // null in no version below 12
                        try {
                            request.answer(ApiKeys.METADATA, (short) 9, 1, unwritable);
                        } finally {
                            slabsTaken.set(request.loop().slabs().taken());
                        }
                    } else {
                        RegressionNetwork.echo(request);
                    }
                });
                Client client = net.connect()) {
            client.send(GOOD);
            assertThat(client.receive()).isEqualTo(GOOD);
            client.send(new byte[] {BAD});

            client.expectEnd();
            assertThat(slabsTaken).hasValue(0);
        }
    }
}
