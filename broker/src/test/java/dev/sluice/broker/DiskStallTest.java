package dev.sluice.broker;

import static dev.sluice.broker.TestClient.ALL;
import static dev.sluice.broker.TestClient.FETCH;
import static dev.sluice.broker.TestClient.PRODUCE;
import static dev.sluice.broker.TestClient.fetchRequest;
import static dev.sluice.broker.TestClient.produceRequest;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.io.linux.Call;
import dev.sluice.testbase.LoopFileSystem;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.GateFaults;
import dev.sluice.testkit.LeakCounter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// A disk that does not come back from a write: it costs what is produced, and nothing else.
@Timeout(180)
@ExtendWith(LeakCounter.class)
class DiskStallTest {
    private static final int EXCHANGES = 50;
    private static final short NO_ANSWER = 0;

    @TempDir
    Path folder;

    private final CountDownLatch disk = new CountDownLatch(1);

    private TestBroker start(int loops, long patienceMs) throws IOException {
        return TestBroker.start(
                folder.resolve("data"),
                "num.network.threads",
                String.valueOf(loops),
                "sluice.disk.patience.ms",
                String.valueOf(patienceMs));
    }

    /// A broker of one loop with a topic whose partition 0 has one batch, [#first], and with a client whose batch,
    /// [#stuck], the disk does not take until [#goOn].
    private final class Stall implements AutoCloseable {
        private final int batchBytes;
        private final TestBroker broker;
        private final TestClient client;
        private final TestClient reader;
        private final TopicRef topic;
        private final GateFaults.Fault fault;
        private final int sent;

        Stall(long patienceMs, int partitions, int batchBytes) throws Exception {
            this.batchBytes = batchBytes;
            broker = start(1, patienceMs);
            client = broker.client();
            reader = broker.client();
            topic = reader.create("topic", partitions);
            reader.append(topic, 0, first());
            fault = stall(broker);
            sent = send(client, topic, 0, stuck());
            fault.awaitHits(1);
        }

        byte[] first() {
            return batch(1, batchBytes);
        }

        byte[] stuck() {
            return batch(2, batchBytes);
        }

        /// What needs no write goes on.
        void exchange() throws IOException {
            DiskStallTest.exchange(reader, topic, Batches.stored(first(), 0, 0));
        }

        void awaitTold() {
            await().untilAsserted(() -> assertThat(Status.of(reader).problems()).isNotEmpty());
        }

        void awaitOver() {
            await().untilAsserted(() -> assertThat(Status.of(reader).problems()).isEmpty());
        }

        void goOn() {
            disk.countDown();
        }

        void assertStuckIsAppended() throws IOException {
            assertAppended(client, sent, 1);
            assertStuckIsThere(reader);
        }

        void assertStuckIsThere(TestClient by) throws IOException {
            assertThat(TestClient.bytes(
                            by.fetch(FETCH, fetchRequest(FETCH, topic, 0, 1).setMaxBytes(1))
                                    .records()))
                    .isEqualTo(Batches.stored(stuck(), 1, 0));
        }

        @Override
        public void close() throws IOException {
            goOn();
            client.close();
            reader.close();
            broker.close();
        }
    }

    private static byte[] batch(int seed, int bytes) {
        return Batches.random(new Random(seed), 1, bytes).bytes();
    }

    private static int send(TestClient client, TopicRef topic, int partition, byte[] batch) throws IOException {
        return client.raw.send(ApiKeys.PRODUCE, PRODUCE, produceRequest(PRODUCE, ALL, topic, partition, batch));
    }

    private static PartitionProduceResponse answer(TestClient client, int correlationId) throws IOException {
        return TestClient.only(client.raw.answer(ApiKeys.PRODUCE, PRODUCE, correlationId, ProduceResponseData.class));
    }

    private static void assertAppended(TestClient client, int correlationId, long offset) throws IOException {
        PartitionProduceResponse answer = answer(client, correlationId);
        assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.NONE);
        assertThat(answer.baseOffset()).isEqualTo(offset);
    }

    /// What needs no write to the disk: fetches of what is cached, metadata, offsets, versions.
    private static void exchange(TestClient client, TopicRef topic, byte[] stored) throws IOException {
        for (int i = 0; i < EXCHANGES; i++) {
            assertThat(TestClient.bytes(
                            client.fetch(FETCH, fetchRequest(FETCH, topic, 0, 0).setMaxBytes(1))
                                    .records()))
                    .isEqualTo(stored);
            assertThat(client.find(topic.name())).isEqualTo(topic);
            assertThat(client.endOffset(topic, 0)).isPositive();
            client.raw.ask(ApiKeys.API_VERSIONS, 0, new ApiVersionsRequestData(), ApiVersionsResponseData.class);
        }
    }

    private GateFaults.Fault stall(TestBroker broker) {
        return broker.faults
                .on(Call.PWRITE, Call.FALLOCATE)
                .of("*/topic-*/*.log")
                .waitsFor(disk);
    }

    @Test
    void allElseGoesOnAndWhatIsProducedIsAnsweredAfterwards() throws Exception {
        try (Stall stall = new Stall(50, 2, 10_000);
                TestClient late = stall.broker.client()) {
            stall.exchange();
            int second = send(late, stall.topic, 1, batch(3, 10_000));
            stall.exchange();

            assertThat(stall.fault.hits()).as("nobody else began a write").isEqualTo(1);
            assertThat(Status.of(stall.reader).problems())
                    .singleElement()
                    .asString()
                    .contains("stalled");
            stall.goOn();
            stall.assertStuckIsAppended();
            assertAppended(late, second, 0);
            stall.awaitOver();
            assertThat(stall.reader.append(stall.topic, 0, batch(4, 100))).isEqualTo(2);
        }
    }

    @Test
    void theControlWithoutPatienceNothingGoesOn() throws Exception {
        try (Stall stall = new Stall(0, 1, 10_000)) {
            CompletableFuture<Void> exchange = async(stall::exchange);

            assertThat(endsWithin(exchange, 500)).isFalse();
            stall.goOn();
            exchange.get();
            stall.assertStuckIsAppended();
        }
    }

    private interface Work {
        void run() throws Exception;
    }

    private static CompletableFuture<Void> async(Work work) {
        CompletableFuture<Void> future = new CompletableFuture<>();
        Thread.ofPlatform().start(() -> {
            try {
                work.run();
                future.complete(null);
            } catch (Throwable t) {
                future.completeExceptionally(t);
            }
        });
        return future;
    }

    private static boolean endsWithin(CompletableFuture<Void> future, long ms)
            throws ExecutionException, InterruptedException {
        try {
            future.get(ms, TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        }
    }

    @Test
    void everyLoopThatIsInAWriteIsGivenToAnotherThread() throws Exception {
        try (TestBroker broker = start(3, 50)) {
            List<TestClient> clients = new ArrayList<>();
            for (int i = 0; i < 9; i++) {
                clients.add(broker.client());
            }
            TopicRef topic = clients.getFirst().create("topic", 3);
            clients.getFirst().append(topic, 0, batch(1, 1000));
            GateFaults.Fault fault = stall(broker);
            List<Integer> sent = new ArrayList<>();
            for (int i = 0; i < 3; i++) { // connections go to the loops in turn
                sent.add(send(clients.get(i), topic, i, batch(i, 1000)));
            }
            fault.awaitHits(3);

            for (TestClient client : clients.subList(3, 9)) {
                exchange(client, topic, Batches.stored(batch(1, 1000), 0, 0));
            }

            disk.countDown();
            for (int i = 0; i < 3; i++) {
                assertAppended(clients.get(i), sent.get(i), i == 0 ? 1 : 0);
            }
            for (TestClient client : clients) {
                client.close();
            }
        }
    }

    /// The bytes that are being written are not given to anybody else, though whose they were is gone.
    @Test
    void whoGoesAwayMeanwhileLeavesWhatWasSentWhole() throws Exception {
        try (Stall stall = new Stall(50, 1, 100_000);
                TestClient late = stall.broker.client()) {
            stall.exchange();

            stall.client.raw.reset();
            stall.exchange();
            // Received to the buffer that is given back last.
            int second = send(late, stall.topic, 0, batch(3, 100_000));
            stall.exchange();

            stall.goOn();
            assertAppended(late, second, 2);
            stall.assertStuckIsThere(stall.reader);
        }
    }

    /// Nothing else would end its connection: that it is gone was told once, and nothing is sent that could fail.
    @Test
    void whoGoesAwayMeanwhileAndWantedNoAnswerIsLetGoOfWhenTheDiskGoesOn() throws Exception {
        try (TestBroker broker = start(1, 50);
                TestClient reader = broker.client();
                TestClient gone = broker.client()) {
            TopicRef topic = reader.create("topic", 1);
            reader.append(topic, 0, batch(1, 1000));
            GateFaults.Fault fault = stall(broker);
            gone.raw.send(ApiKeys.PRODUCE, PRODUCE, produceRequest(PRODUCE, NO_ANSWER, topic, 0, batch(2, 1000)));
            fault.awaitHits(1);
            await().untilAsserted(() -> assertThat(Status.of(reader).problems()).isNotEmpty());

            gone.raw.reset();
            exchange(reader, topic, Batches.stored(batch(1, 1000), 0, 0)); // the loop has seen it by now
            assertThat(Status.of(reader).openConnections())
                    .as("the disk has its bytes still")
                    .hasSize(2);

            disk.countDown();
            await().untilAsserted(() ->
                    assertThat(Status.of(reader).openConnections()).hasSize(1));
            assertThat(reader.endOffset(topic, 0)).isEqualTo(2);
        }
    }

    @Test
    void whoCantWaitIsToldToTryAgain() throws Exception {
        try (Stall stall = new Stall(50, 2, 1000);
                TestClient hasty = stall.broker.client()) {
            stall.awaitTold();

            ProduceRequestData request = produceRequest(PRODUCE, ALL, stall.topic, 1, batch(3, 1000));
            TestClient.add(request, PRODUCE, stall.topic, 0, batch(4, 1000));
            ProduceResponseData answer =
                    hasty.raw.ask(ApiKeys.PRODUCE, PRODUCE, request.setTimeoutMs(100), ProduceResponseData.class);

            assertThat(answer.responses().iterator().next().partitionResponses())
                    .hasSize(2)
                    .allSatisfy(
                            each -> assertThat(Errors.forCode(each.errorCode())).isEqualTo(Errors.REQUEST_TIMED_OUT));
            stall.goOn();
            stall.assertStuckIsAppended();
            stall.awaitOver();
            assertThat(hasty.append(stall.topic, 1, batch(5, 1000))).isZero();
        }
    }

    /// Of the turn in which the disk stalls: small batches for partition 0 of a topic, which are to be written by
    /// one write when the turn ends; [#HASTY] waits for a second alone, [#NOBODY] for no answer.
    private final class Together implements AutoCloseable {
        static final int COUNT = 6;
        static final int HASTY = 2;
        static final int NOBODY = 3;

        private final CountDownLatch allSent = new CountDownLatch(1);
        private final TestBroker broker;
        private final TestClient reader;
        private final TestClient holder;
        private final TestClient stuck;
        private final TopicRef topic;
        private final List<TestClient> clients = new ArrayList<>();
        private final List<Integer> sent = new ArrayList<>();
        private final GateFaults.Fault written;

        Together() throws Exception {
            broker = start(1, 50);
            reader = broker.client();
            holder = broker.client();
            stuck = broker.client();
            topic = reader.create("topic", 2);
            reader.append(topic, 0, batch(0, 1000));
            reader.append(topic, 1, batch(0, 1000));
            written = broker.faults.on(Call.PWRITE).of("*/topic-0/*.log").isCounted();
            GateFaults.Fault held =
                    broker.faults.on(Call.PWRITE).of("*/topic-1/*.log").times(1).waitsFor(allSent);
            send(holder, topic, 1, batch(1, 1000));
            held.awaitHits(1);
            await().untilAsserted(() -> assertThat(Status.of(reader).problems()).isNotEmpty());
            for (int i = 0; i < COUNT; i++) { // the first of them is written at once
                clients.add(broker.client());
                clients.get(i).endOffset(topic, 0); // or the loop may take it up behind the one that gets stuck
                ProduceRequestData request =
                        produceRequest(PRODUCE, i == NOBODY ? NO_ANSWER : ALL, topic, 0, produced(i));
                request.setTimeoutMs(i == HASTY ? 1000 : 120_000);
                sent.add(clients.get(i).raw.send(ApiKeys.PRODUCE, PRODUCE, request));
            }
            GateFaults.Fault stalled =
                    broker.faults.on(Call.PWRITE).of("*/topic-1/*.log").waitsFor(disk);
            send(stuck, topic, 1, batch(2, 1000));
            exchange(reader, topic, Batches.stored(batch(0, 1000), 0, 0)); // the loop has seen all of them by now

            allSent.countDown();
            stalled.awaitHits(1);
            assertThat(outcome(HASTY)).as("the others are waiting").isEqualTo(Errors.REQUEST_TIMED_OUT);
        }

        byte[] produced(int client) {
            return batch(client, 1000 + client);
        }

        PartitionProduceResponse answerTo(int client) throws IOException {
            return answer(clients.get(client), sent.get(client));
        }

        Errors outcome(int client) throws IOException {
            return Errors.forCode(answerTo(client).errorCode());
        }

        /// Behind the batch that was there before.
        void assertOnlyTheFirstIsThereAfterwards() throws IOException {
            broker.start();
            assertThat(broker.broker().recoveryReport().clean()).isTrue();
            try (TestClient again = broker.client()) {
                assertThat(again.endOffset(topic, 0)).isEqualTo(2);
                assertThat(again.read(topic, 0, 1)).isEqualTo(Batches.stored(produced(0), 1, 0));
            }
        }

        @Override
        public void close() throws IOException {
            allSent.countDown();
            disk.countDown();
            for (TestClient client : clients) {
                client.close();
            }
            stuck.close();
            holder.close();
            reader.close();
            broker.close();
        }
    }

    @Test
    void whatCameTogetherWaitsForAsLongAsEachMay() throws Exception {
        try (Together together = new Together()) {
            disk.countDown();

            for (int i = 0; i < Together.COUNT; i++) {
                if (i == Together.NOBODY) {
                    assertThat(together.clients.get(i).endOffset(together.topic, 0))
                            .as("all but one, and it is served")
                            .isEqualTo(6);
                } else if (i != Together.HASTY) {
                    PartitionProduceResponse answer = together.answerTo(i);
                    assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.NONE);
                    assertThat(together.reader.read(together.topic, 0, answer.baseOffset()))
                            .startsWith(Batches.stored(together.produced(i), answer.baseOffset(), 0));
                }
            }
            assertThat(together.written.hits())
                    .as("writes")
                    .isLessThan(5); // as many as there are batches without groups
        }
    }

    @Test
    void aBrokerThatIsStoppedAnswersWhoWaitsForTheDisk() throws Exception {
        try (Together together = new Together();
                TestClient late = together.broker.client()) {
            int behind = send(late, together.topic, 0, batch(9, 1000)); // in its connection, and in no group
            exchange(together.reader, together.topic, Batches.stored(batch(0, 1000), 0, 0));

            assertThat(together.broker.broker().shutdown(Duration.ofMillis(1)))
                    .as("whose request is in the disk waits for its answer")
                    .isFalse();
            assertThat(Errors.forCode(answer(late, behind).errorCode())).isEqualTo(Errors.REQUEST_TIMED_OUT);
            assertThat(late.raw.readUntilClosed()).isEmpty();
            long kept = 0;
            for (int i = 0; i < Together.COUNT; i++) {
                if (i != Together.HASTY && i != Together.NOBODY) {
                    Errors outcome = together.outcome(i);
                    assertThat(outcome).isIn(Errors.NONE, Errors.REQUEST_TIMED_OUT);
                    kept += outcome == Errors.NONE ? 1 : 0;
                }
                assertThat(together.clients.get(i).raw.readUntilClosed()).isEmpty();
            }
            assertThat(kept).as("the first was written before").isEqualTo(1);
            disk.countDown();
            together.broker.broker().close();
            together.assertOnlyTheFirstIsThereAfterwards();
        }
    }

    /// The control: what is cut off has no answer, and as little is stored.
    @Test
    void theControlABrokerThatIsCutOffAnswersNobodyWhoWaitsForTheDisk() throws Exception {
        try (Together together = new Together()) {
            CompletableFuture<Void> closed =
                    async(() -> together.broker.broker().close());
            int cut = 0;
            for (int i = 0; i < Together.COUNT; i++) {
                cut += together.clients.get(i).raw.readUntilClosed().length == 0 ? 1 : 0;
            }
            assertThat(cut).as("all but the first").isEqualTo(Together.COUNT - 1);
            disk.countDown();
            closed.get();
            together.assertOnlyTheFirstIsThereAfterwards();
        }
    }

    /// A topic that is made or deleted waits for the disk on a control thread. There are few of those, and the
    /// status needs none of them.
    @Test
    void metadataAndStatusNeedNoThreadThatWaitsForTheDisk() throws Exception {
        try (TestBroker broker = start(1, 50);
                TestClient reader = broker.client()) {
            TopicRef topic = reader.create("topic", 1);
            reader.append(topic, 0, batch(1, 1000));
            GateFaults.Fault fault =
                    broker.faults.on(Call.FSYNC, Call.MKDIR).of("*").waitsFor(disk);
            List<CompletableFuture<Void>> created = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                String name = "new-" + i;
                created.add(async(() -> {
                    try (TestClient client = broker.client()) {
                        client.create(name, 1);
                    }
                }));
            }
            fault.awaitHits(1);

            exchange(reader, topic, Batches.stored(batch(1, 1000), 0, 0));
            assertThat(Status.of(reader).problems()).isEmpty();

            disk.countDown();
            for (CompletableFuture<Void> each : created) {
                each.get();
            }
        }
    }

    @Test
    void aBrokerThatIsStoppedMeanwhileEndsWhenTheDiskGoesOn() throws Exception {
        try (Stall stall = new Stall(50, 1, 1000)) {
            send(stall.client, stall.topic, 0, batch(3, 1000)); // behind the one that is stuck, and never taken up
            stall.awaitTold();

            assertThat(stall.broker.broker().shutdown(Duration.ofMillis(1)))
                    .as("whose request is in the disk waits for its answer")
                    .isFalse();
            CompletableFuture<Void> closed = async(() -> stall.broker.broker().close());
            assertThat(stall.reader.raw.readUntilClosed()).isEmpty();
            stall.goOn();
            closed.get();

            stall.broker.start();
            assertThat(stall.broker.broker().recoveryReport().clean()).isTrue();
            try (TestClient again = stall.broker.client()) {
                assertThat(again.endOffset(stall.topic, 0)).isEqualTo(2);
                stall.assertStuckIsThere(again);
            }
        }
    }

    // ---- A file system that is frozen

    /// Produces until it is told to stop, and knows what was acknowledged.
    private static final class Load implements AutoCloseable {
        /// So that no file system is full before the test gets to freeze it, nor a partition longer than a
        /// fetch.
        private static final long PACE_NS = 1_000_000;

        private final TestClient client;
        private final TopicRef topic;
        private final int partition;
        private final AtomicInteger acknowledged = new AtomicInteger();
        private final CompletableFuture<Void> running;
        private volatile boolean stopped;

        Load(TestBroker broker, TopicRef topic, int partition) throws IOException {
            this.client = broker.client();
            this.topic = topic;
            this.partition = partition;
            this.running = async(this::run);
        }

        private void run() throws IOException {
            while (!stopped) {
                assertThat(client.append(topic, partition, batch(acknowledged.get(), 2000)))
                        .isEqualTo(acknowledged.get());
                acknowledged.incrementAndGet();
                LockSupport.parkNanos(PACE_NS);
            }
        }

        void awaitMore(int count) {
            int before = acknowledged.get();
            await().until(() -> running.isDone() || acknowledged.get() >= before + count);
        }

        void stop() throws Exception {
            stopped = true;
            running.get();
        }

        void assertKept() throws IOException {
            int count = acknowledged.get();
            assertThat(client.endOffset(topic, partition)).isEqualTo(count);
            ByteBuffer read = ByteBuffer.wrap(client.read(topic, partition, 0));
            for (int offset = 0; offset < count; offset++) {
                byte[] stored = Batches.stored(batch(offset, 2000), offset, 0);
                assertThat(read.remaining()).isGreaterThanOrEqualTo(stored.length);
                assertThat(read.slice(read.position(), stored.length)).isEqualTo(ByteBuffer.wrap(stored));
                read.position(read.position() + stored.length);
            }
            assertThat(read.remaining()).isZero();
        }

        @Override
        public void close() throws IOException {
            client.close();
        }
    }

    /// Runs producers, freezes the file system, has `whileFrozen` look at it when a write is in it for sure, thaws
    /// it, and sees that nothing is missing.
    private void freeze(long patienceMs, WhileFrozen whileFrozen) throws Exception {
        try (LoopFileSystem frozen = LoopFileSystem.create(folder, "ext4", 512L << 20)) {
            try (TestBroker broker = TestBroker.start(
                            frozen.folder().resolve("data"),
                            "num.network.threads",
                            "1",
                            "sluice.disk.patience.ms",
                            String.valueOf(patienceMs),
                            "log.index.interval.bytes",
                            "0",
                            "log.flush.offset.checkpoint.interval.ms", // what is done beside the loops is stuck too
                            "20",
                            "log.retention.check.interval.ms",
                            "20",
                            "log.retention.ms",
                            "-1");
                    TestClient reader = broker.client();
                    TestClient prober = broker.client()) {
                TopicRef topic = reader.create("topic", 3);
                TopicRef probe = reader.create("probe", 1);
                List<Load> loads = new ArrayList<>();
                for (int i = 0; i < 3; i++) {
                    loads.add(new Load(broker, topic, i));
                }
                loads.forEach(load -> load.awaitMore(20));
                frozen.freeze();
                int last;
                CompletableFuture<Void> looking;
                try {
                    last = send(prober, probe, 0, batch(1, 1000));
                    looking = whileFrozen.look(reader, topic, loads);
                } finally {
                    frozen.thaw();
                }
                assertAppended(prober, last, 0);
                looking.get();
                for (Load load : loads) {
                    load.awaitMore(20);
                    load.stop();
                }
                for (Load load : loads) {
                    load.assertKept();
                    load.close();
                }
            }
        }
    }

    private interface WhileFrozen {
        /// @return what is to come to its end when the file system is thawed
        CompletableFuture<Void> look(TestClient reader, TopicRef topic, List<Load> loads) throws Exception;
    }

    @Test
    @Tag("root")
    void aFrozenFileSystemHoldsUpItsWritersAlone() throws Exception {
        freeze(200, (reader, topic, loads) -> {
            List<Integer> atFirst =
                    loads.stream().map(load -> load.acknowledged.get()).toList();
            await().untilAsserted(() -> assertThat(Status.of(reader).problems()).isNotEmpty());

            exchange(reader, topic, Batches.stored(batch(0, 2000), 0, 0));
            System.gc(); // no thread waits for the disk where it holds up a collection

            for (int i = 0; i < loads.size(); i++) { // one answer each may have been on its way, or not yet counted
                assertThat(loads.get(i).acknowledged.get()).isBetween(atFirst.get(i), atFirst.get(i) + 1);
            }
            return CompletableFuture.completedFuture(null);
        });
    }

    @Test
    @Tag("root")
    void theControlWithoutPatienceAFrozenFileSystemHoldsUpAll() throws Exception {
        freeze(0, (reader, topic, _) -> {
            CompletableFuture<Void> exchange =
                    async(() -> exchange(reader, topic, Batches.stored(batch(0, 2000), 0, 0)));
            assertThat(endsWithin(exchange, 500)).isFalse();
            return exchange;
        });
    }
}
