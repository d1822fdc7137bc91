package dev.sluice.broker;

import static dev.sluice.broker.TestClient.ALL;
import static dev.sluice.broker.TestClient.FETCH;
import static dev.sluice.broker.TestClient.PRODUCE;
import static dev.sluice.broker.TestClient.fetchRequest;
import static dev.sluice.broker.TestClient.produceRequest;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.RawKafkaClient;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What a small request leaves to the collector, on the thread of its loop, once the code is compiled.
///
/// What is left does not grow with the bytes: of each native call a slice for its errno, which
/// the JDK makes and the compiler removes here and there; of a fetch what says where its records lie.
@Timeout(180)
class RequestGarbageTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /// Three of those slices, of 40 bytes. 36 were seen, and 270 before objects were used again.
    private static final long MOST_OF_A_PRODUCE_BYTES = 120;

    /// A span, a place and an outcome, 104 together, and three of them. 136 were seen, and 500 before.
    private static final long MOST_OF_A_FETCH_BYTES = 230;

    private static final int CONNECTIONS = 8;
    private static final int ROUND = 500;
    private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(60);
    private static final int BATCHES = 300;

    @TempDir
    Path folder;

    private final RawKafkaClient[] connections = new RawKafkaClient[CONNECTIONS];
    private TestBroker broker;
    private TestClient client;
    private TopicRef topic;

    @BeforeEach
    void aTopicWithSmallBatches() throws IOException {
        broker = TestBroker.start(folder.resolve("data"), "num.network.threads", "1");
        client = broker.client();
        topic = client.create("topic", 1);
        for (int i = 0; i < BATCHES; i++) {
            client.append(topic, 0, batch(i));
        }
        for (int i = 0; i < CONNECTIONS; i++) {
            connections[i] = RawKafkaClient.connect(broker.address());
        }
    }

    @AfterEach
    void close() throws IOException {
        for (RawKafkaClient connection : connections) {
            connection.close();
        }
        client.close();
        broker.close();
    }

    private static byte[] batch(int seed) {
        return Batches.random(new Random(seed), 1, 1000).bytes();
    }

    @Test
    void aProduceLeavesNextToNothing() throws IOException {
        byte[] frame =
                RawKafkaClient.frame(ApiKeys.PRODUCE, PRODUCE, 1, produceRequest(PRODUCE, ALL, topic, 0, batch(1)));
        assertThat(leastBytesARequest(MOST_OF_A_PRODUCE_BYTES, frame)).isLessThanOrEqualTo(MOST_OF_A_PRODUCE_BYTES);
    }

    /// Of batches behind one another that are not among the newest.
    @Test
    void aFetchLeavesLittle() throws IOException {
        byte[][] frames = new byte[BATCHES / 3][];
        for (int i = 0; i < frames.length; i++) {
            FetchRequestData request = fetchRequest();
            TestClient.add(request, FETCH, topic, 0, i, 1);
            frames[i] = RawKafkaClient.frame(ApiKeys.FETCH, FETCH, 1, request);
        }
        assertThat(leastBytesARequest(MOST_OF_A_FETCH_BYTES, frames)).isLessThanOrEqualTo(MOST_OF_A_FETCH_BYTES);
    }

    /// The control: the measure sees a request that is answered by objects.
    @Test
    void aRequestThatIsParsedToObjectsShows() throws IOException {
        byte[] frame = RawKafkaClient.frame(ApiKeys.METADATA, 12, 1, new MetadataRequestData().setTopics(null));
        assertThat(bytesARequest(frame)).isGreaterThan(MOST_OF_A_FETCH_BYTES);
    }

    /// Asks until the code is compiled so far that a request leaves no more than that, or patience is at its end.
    private long leastBytesARequest(long enough, byte[]... frames) throws IOException {
        long least = Long.MAX_VALUE;
        for (long beganNs = System.nanoTime(); least > enough && System.nanoTime() - beganNs < PATIENCE_NS; ) {
            least = Math.min(least, bytesARequest(frames));
        }
        return least;
    }

    private long bytesARequest(byte[]... frames) throws IOException {
        long loop = loopThread();
        long before = THREADS.getThreadAllocatedBytes(loop);
        for (int i = 0; i < ROUND; i++) {
            for (RawKafkaClient connection : connections) {
                connection.sendBytes(frames[i % frames.length]);
            }
            for (RawKafkaClient connection : connections) {
                connection.readFrame();
            }
        }
        return (THREADS.getThreadAllocatedBytes(loop) - before) / (ROUND * CONNECTIONS);
    }

    private static long loopThread() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("sluice-loop-0"))
                .mapToLong(Thread::threadId)
                .findAny()
                .orElseThrow();
    }
}
