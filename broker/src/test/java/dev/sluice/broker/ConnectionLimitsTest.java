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
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// How many connections there may be, and for how long they may say nothing.
@Timeout(180)
@ExtendWith(LeakCounter.class)
class ConnectionLimitsTest {
    private static final Duration LONG = Duration.ofSeconds(60);

    /// Longer than this process is kept from running between two requests of somebody who is not idle.
    private static final String IDLE_MS = "2500";

    @TempDir
    private Path folder;

    @Test
    void connectionsAboveTheLimitAreClosedAtOnce() throws IOException {
        try (TestBroker broker = TestBroker.start(folder.resolve("data"), "max.connections", "3")) {
            List<TestClient> clients = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                clients.add(TestClient.connectFromElsewhere(broker.address()));
                clients.getLast().metadata();
            }
            try (TestClient fourth = TestClient.connectFromElsewhere(broker.address())) {
                assertThat(fourth.raw.readUntilClosed()).isEmpty();
            }
            for (TestClient client : clients) {
                assertThat(client.metadata().brokers()).hasSize(1);
            }

            clients.removeLast().close();
            await().atMost(LONG).untilAsserted(() -> {
                try (TestClient next = TestClient.connectFromElsewhere(broker.address())) {
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
            try (TestClient third = TestClient.connectFromElsewhere(broker.address())) {
                assertThat(third.raw.readUntilClosed()).isEmpty();
            }
            assertThat(two.metadata().brokers()).as("one that was open before").hasSize(1);

            one.setOfBroker("max.connections", "3");
            try (TestClient third = TestClient.connectFromElsewhere(broker.address())) {
                assertThat(third.metadata().brokers()).hasSize(1);
            }
        }
    }

    /// What was set outlives the broker, so a restart would not undo it.
    @ParameterizedTest
    @ValueSource(strings = {"max.connections", "max.connections.per.ip"})
    void whoLocksEverybodyOutCanUndoItOnTheBrokersHost(String key) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.BROKER, "");
        try (TestBroker broker = TestBroker.start(folder.resolve("data"));
                TestClient one = broker.client()) {
            one.setOfBroker(key, "1");

            try (Admin admin = Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, broker.bootstrap()))) {
                AlterConfigOp undo = new AlterConfigOp(new ConfigEntry(key, "10"), AlterConfigOp.OpType.SET);
                admin.incrementalAlterConfigs(Map.of(resource, List.of(undo)))
                        .all()
                        .get();
            }
            one.setOfBroker(key, "1");
            List<TestClient> kept = new ArrayList<>();
            await().atMost(LONG).until(() -> Status.of(one).openConnections().size() == 1); // the admin's are gone
            for (int i = 0; i < 4; i++) {
                kept.add(broker.client());
                kept.getLast().metadata();
            }
            try (TestClient more = broker.client()) {
                assertThat(more.raw.readUntilClosed()).isEmpty();
            }
            for (TestClient each : kept) {
                each.close();
            }
        }
    }

    @Test
    void oneAddressDoesNotGetAll() throws IOException {
        try (TestBroker broker = TestBroker.start(folder.resolve("data"), "max.connections.per.ip", "2");
                TestClient one = TestClient.connectFromElsewhere(broker.address());
                TestClient two = TestClient.connectFromElsewhere(broker.address())) {
            one.metadata();
            two.metadata();
            try (TestClient third = TestClient.connectFromElsewhere(broker.address())) {
                assertThat(third.raw.readUntilClosed()).isEmpty();
            }
            try (Socket fromElsewhere = new Socket()) {
                fromElsewhere.bind(new InetSocketAddress("127.0.0.3", 0));
                fromElsewhere.connect(broker.address());
                await().atMost(LONG)
                        .until(() -> Status.of(one).openConnections().size() == 3);
            }
            two.close();
            await().atMost(LONG).untilAsserted(() -> {
                try (TestClient next = TestClient.connectFromElsewhere(broker.address())) {
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
                try (TestClient third = TestClient.connectFromElsewhere(
                        broker.broker().addresses().get(listener))) {
                    assertThat(third.raw.readUntilClosed()).isEmpty();
                }
            }
        }
    }

    @Test
    void whoSaysNothingIsClosedAndWhoAsksIsNot() throws Exception {
        try (TestBroker broker = TestBroker.start(folder.resolve("data"), "connections.max.idle.ms", IDLE_MS);
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
        try (TestBroker broker = TestBroker.start(folder.resolve("data"), "connections.max.idle.ms", IDLE_MS);
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
