package dev.sluice.broker;

import static dev.sluice.broker.TestClient.FETCH;
import static dev.sluice.broker.TestClient.fetchRequest;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.io.linux.Call;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.LeakCounter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.zip.CRC32C;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// A consumer that asks for much and reads nothing: it holds up nobody but itself.
@ExtendWith(LeakCounter.class)
class SlowReaderTest {
    private static final int BATCHES = 64;
    private static final int RECORD_BYTES = (1 << 20) - 1000;
    private static final int SMALL_WINDOW_BYTES = 16 << 10;

    @Test
    void othersAreServedWhileAFetchOf64MebibytesIsNotRead(@TempDir Path folder) throws IOException {
        try (TestBroker broker = TestBroker.start(
                        folder.resolve("data"), "num.network.threads", "1", "fetch.max.bytes", "100000000");
                TestClient other = broker.client();
                TestClient slow = TestClient.connect(broker.address(), SMALL_WINDOW_BYTES)) {
            TopicRef topic = other.create("topic", 1);
            CRC32C stored = fill(other, topic);
            long topicBytes =
                    Status.number(Status.of(other).partition("topic", 0).get("bytes"));

            slow.raw.send(ApiKeys.FETCH, FETCH, fetchRequest(FETCH, topic, 0, 0));
            await().atMost(Duration.ofSeconds(60)).until(() -> sentTo(slow, other) > 0);

            for (int i = 0; i < 200; i++) {
                assertThat(other.append(topic, 0, Batches.of("meanwhile").bytes()))
                        .isEqualTo(BATCHES + i);
                assertThat(other.read(topic, 0, BATCHES + i)).isNotEmpty();
            }
            // The socket took what it had room for, and no more: nothing waits in the broker's memory.
            assertThat(sentTo(slow, other)).isLessThan(topicBytes / 2);

            ByteBuffer size = ByteBuffer.wrap(slow.raw.readExactly(Integer.BYTES));
            assertThat(size.getInt()).isGreaterThan((int) topicBytes);
            assertThat(checksumOfRecords(slow, topicBytes)).isEqualTo(stored.getValue());
        }
    }

    private static CRC32C fill(TestClient client, TopicRef topic) throws IOException {
        Random random = new Random(1);
        CRC32C checksum = new CRC32C();
        for (int i = 0; i < BATCHES; i++) {
            byte[] batch = Batches.random(random, 1, RECORD_BYTES).bytes();
            assertThat(client.append(topic, 0, batch)).isEqualTo(i);
            checksum.update(Batches.stored(batch, i, 0));
        }
        return checksum;
    }

    private static long sentTo(TestClient slow, TestClient asker) throws IOException {
        return Status.of(asker).connectionBytes(slow.peerName(), Call.SENDFILE);
    }

    /// Of the records in a fetch's answer with one partition: what stands before them has a known form.
    private static long checksumOfRecords(TestClient slow, long recordsBytes) throws IOException {
        int correlationTagsThrottleErrorSessionBytes = 4 + 1 + 4 + 2 + 4;
        int topicCountIdPartitionCountBytes = 1 + 16 + 1;
        int partitionErrorOffsetsBytes = 4 + 2 + 3 * 8;
        int abortedReplicaBytes = 1 + 4;
        slow.raw.readExactly(correlationTagsThrottleErrorSessionBytes
                + topicCountIdPartitionCountBytes
                + partitionErrorOffsetsBytes
                + abortedReplicaBytes);
        long length = 0;
        for (int shift = 0; ; shift += 7) { // an unsigned varint: the length of the records, and one
            byte next = slow.raw.readExactly(1)[0];
            length |= (long) (next & 0x7F) << shift;
            if (next >= 0) {
                break;
            }
        }
        assertThat(length - 1).isEqualTo(recordsBytes);
        CRC32C checksum = new CRC32C();
        for (long left = recordsBytes; left > 0; ) {
            byte[] part = slow.raw.readExactly((int) Math.min(left, 1 << 20));
            checksum.update(part);
            left -= part.length;
        }
        return checksum.getValue();
    }
}
