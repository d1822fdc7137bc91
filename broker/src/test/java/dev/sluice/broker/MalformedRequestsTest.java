package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.io.linux.Call;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.LeakCounter;
import dev.sluice.testkit.RawKafkaClient;
import dev.sluice.testkit.Seeds;
import java.io.IOException;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Requests that are cut, flipped or invented. Each is answered or ends its connection; afterwards the broker serves,
/// with all its threads, what was stored is what is stored, and no connection is left.
@ExtendWith(LeakCounter.class)
class MalformedRequestsTest {
    private static final int LOOPS = 2;
    private static final byte[] BATCH = Batches.of("stored before").bytes();

    @TempDir
    private Path folder;

    private TestBroker broker;
    private TestClient witness;
    private TopicRef topic;

    @BeforeEach
    void start() throws IOException {
        broker = TestBroker.start(
                folder.resolve("data"),
                "auto.create.topics.enable",
                "false",
                "num.network.threads",
                Integer.toString(LOOPS));
        witness = broker.client();
        topic = witness.create("topic", 1);
        witness.append(topic, 0, BATCH);
    }

    @AfterEach
    void nothingHasHappened() throws IOException {
        assertThat(Files.readAllBytes(broker.folder().resolve("topic-0/00000000000000000000.log")))
                .isEqualTo(Batches.stored(BATCH, 0, 0));
        assertThat(witness.read(topic, 0, 0)).isEqualTo(Batches.stored(BATCH, 0, 0));
        assertThat(Thread.getAllStackTraces().keySet().stream()
                        .filter(thread -> thread.getName().startsWith("sluice-loop-")))
                .hasSize(LOOPS);
        await().atMost(Duration.ofMinutes(1))
                .untilAsserted(
                        () -> assertThat(Status.of(witness).openConnections()).hasSize(1));
        witness.close();
        broker.close();
    }

    static Stream<ApiKeys> offered() {
        return SampleRequests.OFFERED.stream();
    }

    private byte[] sample(ApiKeys api, int version) {
        byte[] frame = RawKafkaClient.frame(api, version, 4711, SampleRequests.of(api, version, topic));
        return Arrays.copyOfRange(frame, Integer.BYTES, frame.length);
    }

    /// Sends a frame and closes this side, so that even a fetch that came to ask for a long wait is answered. What
    /// comes is an answer to that request, or nothing; then the end.
    private void send(byte[] content) throws IOException {
        try (TestClient client = broker.client()) {
            client.raw.sendBytes(RawKafkaClient.framed(content));
            client.raw.shutdownOutput();
            Optional<ByteBuffer> answer = client.raw.readFrameOrEnd();
            if (answer.isPresent()) {
                assertThat(content).hasSizeGreaterThanOrEqualTo(8);
                assertThat(answer.get().getInt())
                        .isEqualTo(ByteBuffer.wrap(content).getInt(4));
                assertThat(client.raw.readUntilClosed()).isEmpty();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("offered")
    void requestsThatAreCutAreNotTaken(ApiKeys api) throws IOException {
        for (int version = api.oldestVersion(); version <= SampleRequests.newest(api); version++) {
            byte[] whole = sample(api, version);
            for (int length = 0; length < whole.length; length++) {
                try (TestClient client = broker.client()) {
                    client.raw.sendBytes(RawKafkaClient.framed(Arrays.copyOf(whole, length)));

                    assertThat(client.raw.readUntilClosed())
                            .as("%s version %d, cut after %d bytes", api, version, length)
                            .isEmpty();
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("offered")
    void requestsWithBytesBehindThemHarmNobody(ApiKeys api) throws IOException {
        for (int version = api.oldestVersion(); version <= SampleRequests.newest(api); version++) {
            byte[] whole = sample(api, version);
            send(Arrays.copyOf(whole, whole.length + 1));
            send(Arrays.copyOf(whole, whole.length + 1000));
        }
    }

    @ParameterizedTest
    @MethodSource("offered")
    void requestsWithFlippedBytesHarmNobody(ApiKeys api) {
        Seeds.run(random -> {
            for (int version = api.oldestVersion(); version <= SampleRequests.newest(api); version++) {
                byte[] whole = sample(api, version);
                for (int i = 0; i < 25; i++) {
                    byte[] flipped = whole.clone();
                    for (int left = 1 + random.nextInt(3); left > 0; left--) {
                        // Not the API key and version: that would be another request.
                        flipped[4 + random.nextInt(flipped.length - 4)] = interesting(random);
                    }
                    send(flipped);
                }
            }
        });
    }

    private static byte interesting(Random random) {
        return switch (random.nextInt(4)) {
            case 0 -> 0;
            case 1 -> (byte) 0xFF;
            case 2 -> 0x7F;
            default -> (byte) random.nextInt();
        };
    }

    @ParameterizedTest
    @MethodSource("offered")
    void headsWithRandomBodiesHarmNobody(ApiKeys api) {
        Seeds.run(random -> {
            for (int version = api.oldestVersion(); version <= SampleRequests.newest(api); version++) {
                for (int i = 0; i < 15; i++) {
                    byte[] body = new byte[random.nextInt(300)];
                    random.nextBytes(body);
                    send(ByteBuffer.allocate(10 + body.length)
                            .putShort(api.id)
                            .putShort((short) version)
                            .putInt(4711)
                            .putShort((short) -1)
                            .put(body)
                            .array());
                }
            }
        });
    }

    @Test
    void randomBytesHarmNobody() {
        Seeds.run(random -> {
            for (int i = 0; i < 300; i++) {
                byte[] bytes = new byte[random.nextInt(2000)];
                random.nextBytes(bytes);
                try (TestClient client = broker.client()) {
                    client.raw.sendBytes(bytes);
                    client.raw.shutdownOutput();
                    client.raw.readUntilClosed();
                } catch (SocketException e) {
                    // Closed by the broker while bytes were still being sent.
                }
            }
        });
    }

    @Test
    void connectionsThatEndInMidFrameAreForgotten() throws IOException {
        byte[] whole = sample(ApiKeys.PRODUCE, 13);
        for (int length = 0; length < whole.length; length++) {
            try (TestClient client = broker.client()) {
                client.raw.sendBytes(Arrays.copyOf(RawKafkaClient.framed(whole), length));
                if (length % 2 == 0) {
                    client.raw.reset();
                }
            }
        }
    }

    @Test
    void aLargeSizeThatIsAnnouncedCostsNoMemory() throws IOException {
        // A frame that will be just below the largest, of which only the first bytes come, a hundred times.
        TestClient[] clients = new TestClient[100];
        for (int i = 0; i < clients.length; i++) {
            clients[i] = broker.client();
            clients[i].raw.sendBytes(ByteBuffer.allocate(1000).putInt(100 << 20).array());
        }
        await().atMost(Duration.ofMinutes(1)).untilAsserted(() -> {
            Status status = Status.of(witness);
            for (TestClient client : clients) {
                assertThat(status.connectionBytes(client.peerName(), Call.RECV)).isEqualTo(1000);
            }
        });
        long residentBytes = residentBytes();
        assertThat(residentBytes).as("resident memory with 10 GB announced").isLessThan(3L << 30);
        for (TestClient client : clients) {
            client.close();
        }
    }

    private static long residentBytes() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.split("\\s+")[1]) * 1024)
                .sum();
    }
}
