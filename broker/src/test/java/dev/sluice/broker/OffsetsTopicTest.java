package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.testkit.LeakCounter;
import java.io.IOException;
import java.nio.file.Path;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ListOffsetsRequest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// `__consumer_offsets` stays short, and forgets nothing by it.
@ExtendWith(LeakCounter.class)
@Timeout(180)
class OffsetsTopicTest {
    private static final String OFFSETS = "__consumer_offsets";
    private static final int SEGMENT_BYTES = 64 << 10;
    private static final String METADATA = "m".repeat(2_000);

    /// Some 1.2 MB of commits.
    private static final int COMMITS = 600;

    /// Two segments, and what has to be remembered: a few of those commits.
    private static final long MOST_BYTES = 2 * SEGMENT_BYTES + 10 * 2_200;

    private TestBroker broker;

    @TempDir
    private Path folder;

    @AfterEach
    void stop() throws IOException {
        broker.close();
    }

    private void start(String... settings) throws IOException {
        broker = TestBroker.stopped(folder.resolve("data"), settings);
        broker.set("offsets.topic.segment.bytes", Integer.toString(SEGMENT_BYTES));
        broker.start();
    }

    @ParameterizedTest
    @ValueSource(strings = {"os", "ack"})
    void staysShortAndRemembersWhatWasCommittedLongAgo(String flushPolicy) throws Exception {
        start("sluice.flush.policy", flushPolicy);
        TopicRef topic;
        try (TestClient client = broker.client()) {
            topic = client.create("topic", 2);
            commitAll(client, topic);

            long written = Status.of(client).partitionBytes(OFFSETS, 0, Call.PWRITE);
            assertThat(written).isGreaterThan(5 * MOST_BYTES); // what it would be without being rewritten
            awaitShort(client, topic);
            assertThat(startOffset(client)).isPositive();
            requireAll(client, topic);
        }
        broker.restart();
        try (TestClient client = broker.client()) {
            requireAll(client, topic);
            // And goes on from there.
            commitAll(client, topic);
            awaitShort(client, topic);
            requireAll(client, topic);
        }
    }

    private static void commitAll(TestClient client, TopicRef topic) throws IOException {
        assertThat(client.commit("cold", topic, 0, 42, "why")).isEqualTo(Errors.NONE);
        for (int i = 1; i <= COMMITS; i++) {
            assertThat(client.commit("hot", topic, i % 2, i, METADATA)).isEqualTo(Errors.NONE);
        }
    }

    private static void requireAll(TestClient client, TopicRef topic) throws IOException {
        assertThat(client.committed("cold", topic, 0)).isEqualTo(42);
        assertThat(client.committed("hot", topic, 0)).isEqualTo(COMMITS);
        assertThat(client.committed("hot", topic, 1)).isEqualTo(COMMITS - 1);
    }

    /// It grows beyond its bound while what was rewritten is on its way to the device; the next commit finds out.
    private static void awaitShort(TestClient client, TopicRef topic) {
        await().until(() -> {
            client.commit("cold", topic, 0, 42, "why");
            return bytes(client) <= MOST_BYTES;
        });
    }

    private static long bytes(TestClient client) throws IOException {
        return ((Number) Status.of(client).partition(OFFSETS, 0).get("bytes")).longValue();
    }

    private static long startOffset(TestClient client) throws IOException {
        return client.listOffset(11, client.find(OFFSETS), 0, ListOffsetsRequest.EARLIEST_TIMESTAMP)
                .offset();
    }

    /// The fault: the device refuses the flush of the rewritten records. What they would replace must stay, for it
    /// may be all there is after a power loss.
    @Test
    void nothingIsGivenUpBeforeItsSuccessorIsOnTheDevice() throws Exception {
        start();
        var fault = broker.faults
                .on(Call.FDATASYNC, Call.FSYNC)
                .of("*" + OFFSETS + "-0/*.log")
                .fails(Errno.EIO);
        TopicRef topic;
        int acknowledged = 0;
        try (TestClient client = broker.client()) {
            topic = client.create("topic", 1);
            assertThat(client.commit("cold", topic, 0, 42, "why")).isEqualTo(Errors.NONE);
            while (client.commit("hot", topic, 0, acknowledged + 1, METADATA) == Errors.NONE) {
                acknowledged++; // until the flush has failed, and the partition takes no more
            }
            assertThat(startOffset(client)).isZero();
        }
        assertThat(fault.hits()).isPositive();
        fault.heal();
        assertThatThrownBy(() -> broker.close()).hasMessageContaining("takes no more appends");
        broker.start();
        try (TestClient client = broker.client()) {
            assertThat(client.committed("cold", topic, 0)).isEqualTo(42);
            assertThat(client.committed("hot", topic, 0)).isEqualTo(acknowledged);
        }
    }

    /// The fault: the disk is full while the records are rewritten. The commit that set it off has been stored.
    @Test
    void aFullDiskWhileRewritingCostsNoCommit() throws Exception {
        start();
        TopicRef topic;
        try (TestClient client = broker.client()) {
            topic = client.create("topic", 1);
            assertThat(client.commit("cold", topic, 0, 42, "why")).isEqualTo(Errors.NONE);
            int commits = 0;
            while (bytes(client) < 2 * SEGMENT_BYTES - 10_000) {
                assertThat(client.commit("hot", topic, 0, ++commits, METADATA)).isEqualTo(Errors.NONE);
            }
            // Two more writes go through; the next, among them that of the rewriting, do not.
            var full = broker.faults
                    .on(Call.PWRITE, Call.FALLOCATE)
                    .of("*" + OFFSETS + "-0/*")
                    .from(8)
                    .times(6)
                    .fails(Errno.ENOSPC);
            int stored = commits;
            for (int i = 1; i <= 100; i++) {
                if (client.commit("hot", topic, 0, commits + i, METADATA) == Errors.NONE) {
                    stored = commits + i;
                }
            }
            assertThat(full.hits()).isPositive();
            assertThat(client.committed("cold", topic, 0)).isEqualTo(42);
            assertThat(client.committed("hot", topic, 0)).isEqualTo(stored);
            broker.restart();
            try (TestClient again = broker.client()) {
                assertThat(again.committed("cold", topic, 0)).isEqualTo(42);
                assertThat(again.committed("hot", topic, 0)).isEqualTo(stored);
            }
        }
    }
}
