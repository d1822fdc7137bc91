package dev.sluice.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.junit.jupiter.api.Test;

class BatchBuilderTest {
    private record Added(long timestamp, byte[] key, byte[] value) {}

    /// Kafka's own builder, given the same records, makes the same bytes.
    @Test
    void itsBatchesAreByteForByteKafkas() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        BatchBuilder builder = new BatchBuilder();
        for (int round = 0; round < 200; round++) {
            List<Added> records = new ArrayList<>();
            long timestamp = Batches.T0 + random.nextInt(1000);
            for (int i = 0; i < 1 + random.nextInt(50); i++) {
                timestamp += random.nextInt(2_000_000) - 1_000_000;
                records.add(new Added(timestamp, bytes(random, 100), bytes(random, 5000)));
            }
            builder.clear();
            records.forEach(record -> builder.add(record.timestamp(), record.key(), record.value()));
            BatchView built = builder.build();

            assertThat(built.check(1 << 20)).as("seed %d", seed).isEqualTo(BatchProblem.NONE);
            built.patch(0, RecordBatch.NO_PARTITION_LEADER_EPOCH);
            assertThat(Batches.bytesOf(built)).as("seed %d", seed).isEqualTo(kafkas(records));
        }
    }

    private static byte[] bytes(Random random, int most) {
        if (random.nextInt(5) == 0) {
            return null;
        }
        byte[] bytes = new byte[random.nextInt(most)];
        random.nextBytes(bytes);
        return bytes;
    }

    private static byte[] kafkas(List<Added> records) {
        MemoryRecordsBuilder builder =
                MemoryRecords.builder(ByteBuffer.allocate(1024), Compression.NONE, TimestampType.CREATE_TIME, 0);
        records.forEach(record -> builder.append(record.timestamp(), record.key(), record.value()));
        ByteBuffer buffer = builder.build().buffer();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }
}
