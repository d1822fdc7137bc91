package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.testkit.LeakCounter;
import dev.sluice.testkit.Seeds;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ListOffsetsRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// A broker that is killed (SIGKILL) at random moments while groups commit, and while their log is rewritten: no
/// committed offset is lost, and none moves back.
@ExtendWith(LeakCounter.class)
@Timeout(300)
class KilledGroupsTest {
    private static final int ROUNDS = 4;
    private static final int GROUPS = 3;
    private static final String METADATA = "m".repeat(1_000);
    private static final String[] SMALL_SEGMENTS = {"offsets.topic.segment.bytes", "65536"};

    /// A group that commits 1, 2, 3…
    private static final class Committing {
        private final String group;
        private long acknowledged;

        Committing(String group) {
            this.group = group;
        }

        /// Goes on until the broker is gone.
        void go(KilledBroker broker, TopicRef topic, AtomicInteger progress) {
            try (TestClient client = TestClient.connect(broker.address())) {
                while (true) {
                    assertThat(client.commit(group, topic, 0, acknowledged + 1, METADATA))
                            .isEqualTo(Errors.NONE);
                    acknowledged++;
                    progress.incrementAndGet();
                }
            } catch (IOException e) {
                // Killed.
            }
        }

        void check(TestClient client, TopicRef topic) throws IOException {
            long committed = client.committed(group, topic, 0);
            assertThat(committed).isBetween(acknowledged, acknowledged + 1); // one may have been under way
            acknowledged = committed;
        }
    }

    @Test
    void losesNoCommittedOffset(@TempDir Path folder) {
        Seeds.run(random -> {
            Path data = folder.resolve("data");
            List<Committing> groups = new ArrayList<>();
            for (int i = 0; i < GROUPS; i++) {
                groups.add(new Committing("group-" + i));
            }
            TopicRef topic;
            try (KilledBroker broker = KilledBroker.start(data, SMALL_SEGMENTS);
                    TestClient client = TestClient.connect(broker.address())) {
                topic = client.create("topic", 1);
                for (Committing group : groups) {
                    assertThat(client.commit(group.group, topic, 0, 0, "")).isEqualTo(Errors.NONE);
                }
                assertThat(client.commit("cold", topic, 0, 42, "why")).isEqualTo(Errors.NONE);
            }
            for (int round = 0; round < ROUNDS; round++) {
                try (KilledBroker broker = KilledBroker.start(data, SMALL_SEGMENTS)) {
                    check(broker, topic, groups);
                    commitUntilKilled(broker, topic, groups, 100 + random.nextInt(400));
                }
            }
            try (KilledBroker broker = KilledBroker.start(data, SMALL_SEGMENTS);
                    TestClient client = TestClient.connect(broker.address())) {
                check(broker, topic, groups);
                assertThat(startOffset(client)).isPositive();
            }
        });
    }

    private static void check(KilledBroker broker, TopicRef topic, List<Committing> groups) throws IOException {
        try (TestClient client = TestClient.connect(broker.address())) {
            assertThat(client.committed("cold", topic, 0)).isEqualTo(42);
            for (Committing group : groups) {
                group.check(client, topic);
            }
        }
    }

    /// Of the groups' log: it grows when the log was rewritten, and what it replaces is given up.
    private static long startOffset(TestClient client) throws IOException {
        return client.listOffset(11, client.find("__consumer_offsets"), 0, ListOffsetsRequest.EARLIEST_TIMESTAMP)
                .offset();
    }

    /// Kills when enough was committed and the log was rewritten once: on a slow disk the commits, which wait for
    /// no flush, are far ahead of the rewriting, which does.
    private static void commitUntilKilled(KilledBroker broker, TopicRef topic, List<Committing> groups, int commits)
            throws Exception {
        AtomicInteger progress = new AtomicInteger();
        try (ExecutorService threads = Executors.newCachedThreadPool();
                TestClient observer = TestClient.connect(broker.address())) {
            long startBefore = startOffset(observer);
            List<Future<?>> working = new ArrayList<>();
            for (Committing group : groups) {
                working.add(threads.submit(() -> group.go(broker, topic, progress)));
            }
            while ((progress.get() < commits || startOffset(observer) == startBefore)
                    && working.stream().noneMatch(Future::isDone)) {
                Thread.sleep(1); // leaves the cores to the work
            }
            broker.kill();
            for (Future<?> worker : working) {
                worker.get();
            }
        }
    }
}
