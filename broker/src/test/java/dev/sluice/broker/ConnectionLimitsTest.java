package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.testkit.Batches;
import dev.sluice.testkit.LeakCounter;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// How many connections there may be, and for how long they may say nothing.
@ExtendWith(LeakCounter.class)
class ConnectionLimitsTest {
    private static final Duration LONG = Duration.ofSeconds(60);

    @TempDir
    private Path folder;

    @Test
    void connectionsAboveTheLimitAreClosedAtOnce() throws IOException {
        try (TestBroker broker = TestBroker.start(folder.resolve("data"), "max.connections", "3")) {
            List<TestClient> clients = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                clients.add(broker.client());
                clients.getLast().metadata();
            }
            try (TestClient fourth = broker.client()) {
                assertThat(fourth.raw.readUntilClosed()).isEmpty();
            }
            for (TestClient client : clients) {
                assertThat(client.metadata().brokers()).hasSize(1);
            }

            clients.removeLast().close();
            await().atMost(LONG).untilAsserted(() -> {
                try (TestClient next = broker.client()) {
                    assertThat(next.metadata().brokers()).hasSize(1);
                }
            });
            for (TestClient client : clients) {
                client.close();
            }
        }
    }

    @Test
    void theLimitCanBeChangedWhileTheBrokerRuns() throws IOException {
        try (TestBroker broker = TestBroker.start(folder.resolve("data"));
                TestClient one = broker.client();
                TestClient two = broker.client()) {
            two.metadata();

            one.setOfBroker("max.connections", "2");
            try (TestClient third = broker.client()) {
                assertThat(third.raw.readUntilClosed()).isEmpty();
            }
            assertThat(two.metadata().brokers()).as("one that was open before").hasSize(1);

            one.setOfBroker("max.connections", "3");
            try (TestClient third = broker.client()) {
                assertThat(third.metadata().brokers()).hasSize(1);
            }
        }
    }

    @Test
    void oneAddressDoesNotGetAll() throws IOException {
        try (TestBroker broker = TestBroker.start(folder.resolve("data"), "max.connections.per.ip", "2");
                TestClient one = broker.client();
                TestClient two = broker.client()) {
            one.metadata();
            two.metadata();
            try (TestClient third = broker.client()) {
                assertThat(third.raw.readUntilClosed()).isEmpty();
            }
            try (Socket fromElsewhere = new Socket()) {
                fromElsewhere.bind(new InetSocketAddress("127.0.0.2", 0));
                fromElsewhere.connect(broker.address());
                await().atMost(LONG)
                        .until(() -> Status.of(one).openConnections().size() == 3);
            }
            two.close();
            await().atMost(LONG).untilAsserted(() -> {
                try (TestClient next = broker.client()) {
                    assertThat(next.metadata().brokers()).hasSize(1);
                }
            });
        }
    }

    @Test
    void theLimitIsThatOfAllListenersTogether() throws IOException {
        try (TestBroker broker = TestBroker.start(
                        folder.resolve("data"),
                        "max.connections",
                        "2",
                        "listeners",
                        "A://127.0.0.1:0,B://127.0.0.1:0");
                TestClient one = TestClient.connect(broker.broker().addresses().get(0));
                TestClient other =
                        TestClient.connect(broker.broker().addresses().get(1))) {
            one.metadata();
            other.metadata();
            for (int listener = 0; listener < 2; listener++) {
                try (TestClient third =
                        TestClient.connect(broker.broker().addresses().get(listener))) {
                    assertThat(third.raw.readUntilClosed()).isEmpty();
                }
            }
        }
    }

    @Test
    void whoSaysNothingIsClosedAndWhoAsksIsNot() throws Exception {
        try (TestBroker broker = TestBroker.start(folder.resolve("data"), "connections.max.idle.ms", "1000");
                TestClient idle = broker.client();
                TestClient dribbling = broker.client();
                TestClient busy = broker.client()) {
            idle.metadata();
            dribbling.raw.sendBytes(ByteBuffer.allocate(10).putInt(1000).array());
            CompletableFuture<Integer> ended = CompletableFuture.supplyAsync(() -> readAll(idle) + readAll(dribbling));
            long startedNs = System.nanoTime();
            while (!ended.isDone()) {
                assertThat(busy.metadata().brokers()).hasSize(1);
                assertThat(System.nanoTime() - startedNs).isLessThan(LONG.toNanos());
            }
            assertThat(ended.get(1, TimeUnit.SECONDS)).isZero();
            assertThat(busy.metadata().brokers()).hasSize(1);
        }
    }

    private static int readAll(TestClient client) {
        try {
            return client.raw.readUntilClosed().length;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /// Its request is under way, though its connection is silent.
    @Test
    void whoWaitsForRecordsIsNotIdle() throws Exception {
        try (TestBroker broker = TestBroker.start(folder.resolve("data"), "connections.max.idle.ms", "1000");
                TestClient consumer = broker.client();
                TestClient idle = broker.client()) {
            var topic = consumer.create("topic", 1);
            int fetch = consumer.raw.send(
                    ApiKeys.FETCH,
                    TestClient.FETCH,
                    TestClient.fetchRequest(TestClient.FETCH, topic, 0, 0).setMaxWaitMs(3_600_000));
            assertThat(idle.raw.readUntilClosed()).isEmpty(); // a time-out has passed for both
            try (TestClient another = broker.client()) {
                assertThat(another.raw.readUntilClosed()).isEmpty(); // and another
            }
            try (TestClient producer = broker.client()) {
                producer.append(topic, 0, Batches.of("a").bytes());
            }
            var answer = consumer.raw.answer(ApiKeys.FETCH, TestClient.FETCH, fetch, FetchResponseData.class);
            assertThat(TestClient.bytes(TestClient.only(answer).records())).isNotEmpty();
        }
    }
}
