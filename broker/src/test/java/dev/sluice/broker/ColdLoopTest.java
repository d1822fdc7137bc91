package dev.sluice.broker;

import static dev.sluice.broker.TestClient.FETCH;
import static dev.sluice.broker.TestClient.PRODUCE;
import static dev.sluice.broker.TestClient.fetchRequest;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.LeakCounter;
import dev.sluice.testkit.RawKafkaClient;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// A connection that comes to what is not in memory goes to a loop that may wait for the disk, with all that it has,
/// and comes back.
@ExtendWith(LeakCounter.class)
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class ColdLoopTest {
    private static final Duration LONG = Duration.ofMinutes(1);
    private static final String WARM = "sluice-loop-0";
    private static final String COLD = "sluice-cold-0";

    /// Longer than the test may take.
    private static final int FOR_EVER_MS = (int) Duration.ofMinutes(10).toMillis();

    private final Kernel kernel = new Kernel();
    private volatile String servedBy = "";
    private TestBroker broker;
    private TestClient client;
    private TopicRef topic;
    private Path segment;
    private byte[] stored;

    @BeforeEach
    void fill(@TempDir Path folder) throws IOException {
        broker = TestBroker.start(folder.resolve("data"), "num.network.threads", "1");
        client = broker.client();
        topic = client.create("topic", 1);
        Random random = new Random(5);
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int i = 0; i < 10; i++) {
            byte[] batch = Batches.random(random, 1, i == 0 ? 60_000 : 400_000).bytes(); // a small one first
            client.append(topic, 0, batch);
            all.write(Batches.stored(batch, i, 0));
        }
        stored = all.toByteArray();
        segment = folder.resolve("data/topic-0/00000000000000000000.log");
        dropFromMemory();
        assumeTrue(isCold(), "this file system keeps files in memory, or the kernel does not tell");
        broker.faults.on(Call.RECV).runs(() -> servedBy = Thread.currentThread().getName());
    }

    @AfterEach
    void stop() throws IOException {
        client.close();
        broker.close();
    }

    private Descriptor open() throws IOException {
        return kernel.files().open(segment, Files.O_RDWR, 0, kernel.account()).orThrow();
    }

    private void dropFromMemory() throws IOException {
        try (Descriptor file = open()) {
            assertThat(kernel.files().fdatasync(file)).isZero();
            assertThat(kernel.files().advise(file, 0, 0, Files.FADV_DONTNEED)).isZero();
        }
    }

    private boolean isCold() throws IOException {
        try (Descriptor file = open()) {
            return kernel.pageCache().residentBytes(file, 0, stored.length) == 0;
        }
    }

    /// How often this process has the segment open, by whatever name it has now.
    private long openDescriptors() throws IOException {
        try (Stream<Path> links = java.nio.file.Files.list(Path.of("/proc/self/fd"))) {
            return links.filter(link -> {
                        try {
                            return java.nio.file.Files.readSymbolicLink(link)
                                    .toString()
                                    .startsWith(segment.toString());
                        } catch (IOException e) {
                            return false; // closed meanwhile
                        }
                    })
                    .count();
        }
    }

    private FetchRequestData fromTheBeginning(int session, int epoch, int maxBytes) {
        FetchRequestData request = fetchRequest(FETCH, topic, 0, 0);
        request.setSessionId(session).setSessionEpoch(epoch).setMaxBytes(maxBytes);
        return request;
    }

    private FetchResponseData fetch(FetchRequestData request) throws IOException {
        return client.raw.ask(ApiKeys.FETCH, FETCH, request, FetchResponseData.class);
    }

    private static byte[] records(FetchResponseData answer) {
        assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.NONE);
        return TestClient.bytes(TestClient.only(answer).records());
    }

    @Test
    void aConsumerMovesToAndFroAndKeepsItsSession() throws Exception {
        long before = openDescriptors();
        FetchResponseData first = fetch(fromTheBeginning(0, 0, Integer.MAX_VALUE));
        int session = first.sessionId();
        assertThat(session).isPositive();
        assertThat(client.metadata().brokers()).hasSize(1);
        assertThat(servedBy).isEqualTo(COLD);
        int[] epoch = {1};
        for (int i = 0; i < 2; i++) {
            assertThat(records(fetch(fromTheBeginning(session, epoch[0]++, Integer.MAX_VALUE))))
                    .isEqualTo(stored);
            await().atMost(LONG).until(() -> {
                byte[] again = records(fetch(fromTheBeginning(session, epoch[0]++, Integer.MAX_VALUE)));
                assertThat(again).isEqualTo(stored);
                client.metadata();
                return servedBy.equals(WARM);
            });
            assertThat(openDescriptors())
                    .as("descriptors while it is sent what is in memory")
                    .isEqualTo(before);

            dropFromMemory();
            assertThat(records(fetch(fromTheBeginning(session, epoch[0]++, Integer.MAX_VALUE))))
                    .isEqualTo(stored);
            client.metadata();
            assertThat(servedBy).isEqualTo(COLD);
        }
        assertThat(Status.of(client).openConnections()).as("listed once").hasSize(1);
    }

    @Test
    void whatWasReceivedAndNotAnsweredGoesAlong() throws Exception {
        byte[] batch = Batches.of("produced between two fetches").bytes();
        byte[] produce =
                frame(ApiKeys.PRODUCE, PRODUCE, 2, TestClient.produceRequest(PRODUCE, TestClient.ALL, topic, 0, batch));
        byte[] last = frame(ApiKeys.FETCH, FETCH, 3, fetchRequest(FETCH, topic, 0, 10));
        ByteArrayOutputStream together = new ByteArrayOutputStream();
        together.write(frame(ApiKeys.FETCH, FETCH, 1, fromTheBeginning(0, -1, Integer.MAX_VALUE)));
        together.write(produce);
        together.write(last, 0, 10);

        client.raw.sendBytes(together.toByteArray());
        assertThat(records(client.raw.answer(ApiKeys.FETCH, FETCH, 1, FetchResponseData.class)))
                .isEqualTo(stored);
        assertThat(TestClient.only(client.raw.answer(ApiKeys.PRODUCE, PRODUCE, 2, ProduceResponseData.class))
                        .baseOffset())
                .isEqualTo(10);
        client.raw.sendBytes(Arrays.copyOfRange(last, 10, last.length));
        assertThat(records(client.raw.answer(ApiKeys.FETCH, FETCH, 3, FetchResponseData.class)))
                .isEqualTo(Batches.stored(batch, 10, 0));
        assertThat(servedBy).isEqualTo(COLD);
    }

    private static byte[] frame(ApiKeys api, int version, int id, ApiMessage body) {
        return RawKafkaClient.frame(api, version, id, body);
    }

    /// What the request in hand holds belongs to the loop, so that it can't go along.
    @Test
    void aLongPollBehindAColdAnswerIsAnsweredWithWhatThereIs() throws Exception {
        TopicRef empty = client.create("empty", 1);
        FetchRequestData poll = fetchRequest(FETCH, empty, 0, 0).setMaxWaitMs(FOR_EVER_MS);
        ByteArrayOutputStream together = new ByteArrayOutputStream();
        together.write(frame(ApiKeys.FETCH, FETCH, 1, fromTheBeginning(0, -1, 1)));
        together.write(frame(ApiKeys.FETCH, FETCH, 2, poll));

        broker.faults.on(Call.PREADV2).fails(Errno.EAGAIN); // the disk may be quicker than the test
        client.raw.sendBytes(together.toByteArray());
        byte[] small = records(client.raw.answer(ApiKeys.FETCH, FETCH, 1, FetchResponseData.class));
        assertThat(small).isEqualTo(Arrays.copyOf(stored, small.length)).hasSizeLessThan(64 << 10);
        assertThat(records(client.raw.answer(ApiKeys.FETCH, FETCH, 2, FetchResponseData.class)))
                .isEmpty();
    }

    @Test
    void aDeletedTopicGivesItsRoomBackWhenItsReaderReadsOthers() throws Exception {
        TopicRef other = client.create("other", 1);
        client.append(other, 0, Batches.of("other").bytes());
        fetch(fromTheBeginning(0, -1, 400_000));
        assertThat(openDescriptors())
                .as("the control: the broker's and the reader's")
                .isEqualTo(2);

        assertThat(client.delete("topic")).isEqualTo(Errors.NONE);
        await().atMost(LONG).until(() -> {
            client.read(other, 0, 0);
            return openDescriptors() == 0;
        });
    }

    @Test
    void aBrokerThatStopsAnswersWhoIsOnAColdLoop() throws Exception {
        client.raw.send(ApiKeys.FETCH, FETCH, fromTheBeginning(0, -1, Integer.MAX_VALUE));
        int length = ByteBuffer.wrap(client.raw.readExactly(Integer.BYTES)).getInt();
        try (ExecutorService stopper = Executors.newSingleThreadExecutor()) {
            Future<Boolean> stopped = stopper.submit(() -> broker.broker().shutdown(LONG));
            assertThat(client.raw.readExactly(length)).hasSizeGreaterThan(stored.length);
            assertThat(stopped.get()).isTrue();
        }
        assertThat(client.raw.readUntilClosed()).isEmpty();
    }

    @Test
    void aBrokerThatIsCutOffLeavesNothingOfWhoIsOnAColdLoop() throws Exception {
        try (TestClient undrained = TestClient.connect(broker.address(), 4096)) {
            undrained.raw.send(ApiKeys.FETCH, FETCH, fromTheBeginning(0, -1, Integer.MAX_VALUE));
            undrained.raw.readExactly(1000);
            broker.close();
        }
        assertThat(openDescriptors()).isZero();
    }
}
