package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.LeakCounter;
import dev.sluice.testkit.Seeds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A broker that is killed (SIGKILL) at random moments under producers, while topics come and go. After the next start
/// everything that was acknowledged is there, in order and once, and nothing that was acknowledged as gone has come
/// back.
@ExtendWith(LeakCounter.class)
class KilledBrokerTest {
    private static final int ROUNDS = 4;
    private static final int PRODUCERS = 2;

    /// An idempotent producer of its own topic: sends 0, 1, 2…, and after a death first sends again what it had no
    /// answer to.
    private static final class Producing {
        private final String topicName;
        private TopicRef topic;
        private long producerId = -1;
        /// Written by its thread, read by the one that kills.
        private volatile int acknowledged;

        Producing(String topicName) {
            this.topicName = topicName;
        }

        /// Goes on until the broker is gone.
        void go(KilledBroker broker, AtomicInteger progress) {
            try (TestClient client = TestClient.connect(broker.address())) {
                if (topic == null) {
                    topic = client.create(topicName, 1);
                }
                if (producerId < 0) {
                    producerId = client.producerId();
                }
                while (true) {
                    int number = acknowledged;
                    byte[] batch = Batches.of()
                            .record(System.currentTimeMillis(), null, Integer.toString(acknowledged))
                            .producer(producerId, 0, acknowledged)
                            .bytes();
                    // A batch sent again is answered with the offset that it has: everything has come once.
                    assertThat(client.append(topic, 0, batch)).isEqualTo(acknowledged);
                    acknowledged = number + 1;
                    progress.incrementAndGet();
                }
            } catch (IOException e) {
                // Killed.
            }
        }

        void check(TestClient client) throws IOException {
            if (topic == null) {
                return;
            }
            assertThat(client.find(topicName)).isEqualTo(topic);
            long end = client.endOffset(topic, 0);
            assertThat(end).isBetween((long) acknowledged, acknowledged + 1L); // one may have been under way
            List<String> values = new ArrayList<>();
            while (values.size() < end) {
                byte[] bytes = client.read(topic, 0, values.size());
                MemoryRecords.readableRecords(ByteBuffer.wrap(bytes)).batches().forEach(batch -> {
                    batch.ensureValid();
                    for (Record record : batch) {
                        assertThat(record.offset()).isEqualTo(values.size());
                        values.add(StandardCharsets.UTF_8.decode(record.value()).toString());
                    }
                });
            }
            for (int i = 0; i < values.size(); i++) {
                assertThat(values.get(i)).isEqualTo(Integer.toString(i));
            }
        }
    }

    /// Somebody who makes topics and deletes them, and asks for producer ids.
    private static final class Administrating {
        private final Random random;
        private final Map<String, TopicRef> there = new TreeMap<>();
        private final Set<String> gone = ConcurrentHashMap.newKeySet(); // looked at by the one that kills
        private final Set<Long> producerIds = Collections.synchronizedSet(new HashSet<>());
        private String underWay;
        private int next;

        Administrating(Random random) {
            this.random = random;
        }

        void go(KilledBroker broker) {
            try (TestClient client = TestClient.connect(broker.address())) {
                while (true) {
                    assertThat(producerIds.add(client.producerId())).isTrue();
                    if (there.size() < 4 || random.nextBoolean()) {
                        underWay = "admin-" + next++;
                        there.put(underWay, client.create(underWay, 1 + random.nextInt(2)));
                    } else {
                        underWay = there.keySet().iterator().next();
                        assertThat(client.delete(underWay)).isEqualTo(Errors.NONE);
                        there.remove(underWay);
                        gone.add(underWay);
                    }
                    underWay = null;
                }
            } catch (IOException e) {
                // Killed.
            }
        }

        void check(TestClient client) throws IOException {
            if (underWay != null) {
                there.remove(underWay); // done or not: nobody was told
                client.delete(underWay);
                underWay = null;
            }
            Map<String, TopicRef> found = new TreeMap<>();
            client.metadata().topics().stream()
                    .filter(topic -> topic.name().startsWith("admin-"))
                    .forEach(topic -> found.put(topic.name(), new TopicRef(topic.name(), topic.topicId())));
            assertThat(found).isEqualTo(there);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"pwrite", "mapped", "direct"})
    void losesNothingThatItAcknowledged(String engine, @TempDir Path folder) {
        Seeds.run(random -> {
            List<Producing> producers = new ArrayList<>();
            for (int i = 0; i < PRODUCERS; i++) {
                producers.add(new Producing("produced-" + i));
            }
            Administrating administrator = new Administrating(random);
            for (int round = 0; round < ROUNDS; round++) {
                try (KilledBroker broker = KilledBroker.start(folder.resolve("data"), "sluice.log.engine", engine)) {
                    try (TestClient client = TestClient.connect(broker.address())) {
                        for (Producing producer : producers) {
                            producer.check(client);
                        }
                        administrator.check(client);
                        assertThat(administrator.producerIds.add(client.producerId()))
                                .isTrue();
                    }
                    workUntilKilled(broker, producers, administrator, 200 + random.nextInt(800));
                }
            }
            try (TestBroker broker = TestBroker.start(folder.resolve("data"), "sluice.log.engine", engine);
                    TestClient client = broker.client()) {
                assertThat(broker.broker().recoveryReport().clean()).isFalse();
                for (Producing producer : producers) {
                    producer.check(client);
                    assertThat(producer.acknowledged).isPositive();
                }
                administrator.check(client);
                assertThat(administrator.gone).isNotEmpty();
            }
        });
    }

    /// Kills when enough was appended, every producer has had an answer, and a topic has gone: on a slow disk the
    /// appends, which wait for no flush, are far ahead of the topics, which do.
    private static void workUntilKilled(
            KilledBroker broker, List<Producing> producers, Administrating administrator, int appends)
            throws Exception {
        AtomicInteger progress = new AtomicInteger();
        try (ExecutorService threads = Executors.newCachedThreadPool()) {
            List<Future<?>> working = new ArrayList<>();
            for (Producing producer : producers) {
                working.add(threads.submit(done(() -> producer.go(broker, progress))));
            }
            working.add(threads.submit(done(() -> administrator.go(broker))));
            while ((progress.get() < appends
                            || producers.stream().anyMatch(producer -> producer.acknowledged == 0)
                            || administrator.gone.isEmpty())
                    && working.stream().noneMatch(Future::isDone)) {
                Thread.sleep(1); // leaves the cores to the work
            }
            broker.kill();
            for (Future<?> worker : working) {
                worker.get();
            }
        }
    }

    private static Callable<Void> done(Runnable work) {
        return () -> {
            work.run();
            return null;
        };
    }
}
