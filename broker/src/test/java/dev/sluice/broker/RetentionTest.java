package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.broker.config.BrokerConfig;
import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Kernel;
import dev.sluice.log.BatchView;
import dev.sluice.log.Identity;
import dev.sluice.log.LogConfig;
import dev.sluice.log.LogDirectory;
import dev.sluice.log.PartitionLog;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.LeakCounter;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.requests.ListOffsetsRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// A running broker lets go of what is due, and of nothing else, whatever its clock does.
@Timeout(180)
@ExtendWith(LeakCounter.class)
class RetentionTest {
    private static final long DAY_MS = TimeUnit.DAYS.toMillis(1);

    @TempDir
    Path folder;

    // ---- A broker

    @Test
    void aBrokerDeletesWhatIsDueAndTellsWhereThePartitionBegins() throws IOException {
        try (TestBroker broker = TestBroker.start(folder, "log.retention.check.interval.ms", "20");
                TestClient client = broker.client()) {
            TopicRef bySize = client.create(
                    "by-size", 1, "segment.bytes", "1000", "retention.bytes", "2000", "retention.ms", "-1");
            TopicRef byAge = client.create("by-age", 1);
            TopicRef kept = client.create("kept", 1, "retention.ms", "-1");
            for (int i = 0; i < 20; i++) { // all of them years old
                for (TopicRef topic : List.of(bySize, byAge, kept)) {
                    client.append(topic, 0, Batches.of("x".repeat(400)).bytes());
                }
            }

            await().untilAsserted(() -> assertThat(firstOffset(client, bySize)).isBetween(13L, 17L));
            await().untilAsserted(() -> assertThat(firstOffset(client, byAge)).isEqualTo(20));
            assertThat(firstOffset(client, kept)).isZero();
            assertThat(client.append(bySize, 0, Batches.of("y").bytes())).isEqualTo(20);
            assertThat(client.read(bySize, 0, 20)).isNotEmpty();
        }
    }

    private static long firstOffset(TestClient client, TopicRef topic) throws IOException {
        return client.listOffset(11, topic, 0, ListOffsetsRequest.EARLIEST_TIMESTAMP)
                .offset();
    }

    @Test
    void timesAreTakenInMsMinutesOrHours() {
        assertThat(log().retentionMs()).isEqualTo(7 * DAY_MS);
        assertThat(log("log.retention.hours", "2").retentionMs()).isEqualTo(7_200_000);
        assertThat(log("log.retention.hours", "2", "log.retention.minutes", "3").retentionMs())
                .isEqualTo(180_000);
        assertThat(log("log.retention.minutes", "3", "log.retention.ms", "4").retentionMs())
                .isEqualTo(4);
        assertThat(log("log.retention.hours", "-1").retentionMs()).isEqualTo(-1);
        assertThat(log("log.roll.hours", "1").segmentMs()).isEqualTo(3_600_000);
        assertThat(log("log.roll.jitter.hours", "1").segmentJitterMs()).isEqualTo(3_600_000);
        assertThat(log("log.cleanup.policy", "compact").deleted()).isFalse();
        assertThat(log("log.cleanup.policy", "compact,delete").deleted()).isTrue();
    }

    private static LogConfig log(String... keysAndValues) {
        Map<String, String> given = new java.util.HashMap<>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            given.put(keysAndValues[i], keysAndValues[i + 1]);
        }
        return BrokerConfig.load(given).log();
    }

    // ---- A clock that jumps

    private long wallMs = Batches.T0_MS;
    private long monotonicNs;

    /// A record a day for twelve days, each in a segment of its own; the clock jumps on the last, and is put right
    /// three hours later. Answers how many records are left when it jumped, and at the end.
    private long[] leftWhenTheClockJumps(Duration by, Duration hold) throws IOException {
        LogConfig config = LogConfig.DEFAULT.withSegmentMs(1);
        try (LogDirectory directory = LogDirectory.open(
                new Kernel(),
                folder,
                new Identity("MkU3OEVBNTcwNTJENDM2Qk", 1),
                config,
                () -> Instant.ofEpochMilli(wallMs),
                Account.root("segments"))) {
            PartitionLog log = directory.create("t", 0, new UUID(1, 2), config);
            SteadyClock clock = new SteadyClock(() -> Instant.ofEpochMilli(wallMs), () -> monotonicNs, hold.toMillis());
            for (int day = 0; day < 12; day++) {
                log.append(batch(Batches.T0_MS + day * DAY_MS));
                log.flush(); // and so shown, whatever the flushing thread does
                pass(Duration.ofDays(1));
                directory.retain(clock.nowMs(), _ -> {});
            }
            assertThat(left(log)).as("a record lives seven days").isEqualTo(7);

            wallMs += by.toMillis();
            pass(Duration.ofHours(3));
            directory.retain(clock.nowMs(), _ -> {});
            long whileWrong = left(log);
            wallMs -= by.toMillis();
            pass(Duration.ofHours(1));
            directory.retain(clock.nowMs(), _ -> {});
            return new long[] {whileWrong, left(log)};
        }
    }

    private void pass(Duration time) {
        wallMs += time.toMillis();
        monotonicNs += time.toNanos();
    }

    private static long left(PartitionLog log) {
        return log.logEndOffset() - log.logStartOffset();
    }

    private static BatchView batch(long timestampMs) {
        byte[] bytes = Batches.of().record(timestampMs, null, "value").bytes();
        MemorySegment memory = Arena.ofAuto().allocate(bytes.length, 8);
        MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, 0, bytes.length);
        return new BatchView().wrap(memory, memory.asByteBuffer(), 0, bytes.length);
    }

    @Test
    void aClockThatJumpsAMonthAheadCostsNoRecord() throws IOException {
        // The oldest of the seven comes of age in these four hours, and goes when the clock is believed again.
        assertThat(leftWhenTheClockJumps(Duration.ofDays(30), Duration.ofDays(1)))
                .containsExactly(7, 6);
    }

    @Test
    void theControlWithoutTheHoldItCostsThemAll() throws IOException {
        assertThat(leftWhenTheClockJumps(Duration.ofDays(30), Duration.ZERO)).containsExactly(0, 0);
    }

    @Test
    void aClockThatJumpsAMonthBackKeepsRecordsUntilItIsRight() throws IOException {
        assertThat(leftWhenTheClockJumps(Duration.ofDays(-30), Duration.ofDays(1)))
                .containsExactly(7, 6);
    }
}
