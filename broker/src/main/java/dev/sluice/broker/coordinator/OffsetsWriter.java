package dev.sluice.broker.coordinator;

import dev.sluice.broker.catalogue.Topic;
import dev.sluice.broker.partition.Partition;
import dev.sluice.io.linux.Kernel;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.coordinator.common.runtime.PartitionWriter;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.VerificationGuard;

/// Writes what the coordinators of `__consumer_offsets` decide.
///
/// A coordinator numbers its records itself and expects each at that offset. So that a log can be rewritten behind its
/// back, it is told offsets that leave the rewritten records out:
///
/// ```
/// log:           0 … 99 | 100 … 119 rewritten | 120 …
/// coordinator:   0 … 99 |                     | 100 …      shift = 20
/// ```
///
/// The shift is gone when the log is loaded next. Called by the coordinators' threads, each partition by one at a time.
final class OffsetsWriter implements PartitionWriter {
    /// One partition's state, owned by its coordinator's thread.
    private static final class Shard {
        final OffsetsLog log;
        final OffsetsSnapshot snapshot;
        final List<Listener> listeners = new CopyOnWriteArrayList<>();
        long shift;

        Shard(OffsetsLog log, OffsetsSnapshot snapshot) {
            this.log = log;
            this.snapshot = snapshot;
        }
    }

    private final Map<Integer, Shard> shards;
    private final LogConfig config;

    /// @param largestBatchBytes the largest batch that a coordinator makes
    /// @param background        does what may wait for the disk, see [OffsetsSnapshot]
    OffsetsWriter(Kernel kernel, Topic topic, int largestBatchBytes, OffsetsSnapshot.Background background) {
        this.shards = topic.partitions().stream().collect(Collectors.toMap(Partition::index, partition -> {
            OffsetsLog log = new OffsetsLog(kernel, partition);
            return new Shard(log, new OffsetsSnapshot(log, largestBatchBytes, background));
        }));
        this.config = new LogConfig(Map.of(TopicConfig.MAX_MESSAGE_BYTES_CONFIG, Integer.toString(largestBatchBytes)));
    }

    private Shard shard(TopicPartition partition) {
        Shard shard = shards.get(partition.partition());
        if (shard == null) {
            throw new IllegalArgumentException("There is no " + partition);
        }
        return shard;
    }

    /// The partition's log, whose offsets the coordinator now learns anew.
    OffsetsLog beginLoading(TopicPartition partition) {
        Shard shard = shard(partition);
        shard.shift = 0;
        return shard.log;
    }

    @Override
    public long append(TopicPartition partition, VerificationGuard guard, MemoryRecords records, short version) {
        Shard shard = shard(partition);
        long end = shard.log.append(records) - shard.shift;
        // One node: what is written is what consumers of these records may see.
        shard.listeners.forEach(listener -> listener.onHighWatermarkUpdated(partition, end));
        shard.snapshot.writeIfDue();
        shard.shift = shard.log.log().logEndOffset() - end;
        return end;
    }

    @Override
    public void registerListener(TopicPartition partition, Listener listener) {
        shard(partition).listeners.add(listener);
    }

    @Override
    public void deregisterListener(TopicPartition partition, Listener listener) {
        shard(partition).listeners.remove(listener);
    }

    @Override
    public LogConfig config(TopicPartition partition) {
        return config;
    }

    /// Only commits within a transaction come here, which are not offered.
    @Override
    public CompletableFuture<VerificationGuard> maybeStartTransactionVerification(
            TopicPartition partition, String transactionalId, long producerId, short producerEpoch, int apiVersion) {
        return producerId == RecordBatch.NO_PRODUCER_ID
                ? CompletableFuture.completedFuture(VerificationGuard.SENTINEL)
                : CompletableFuture.failedFuture(new UnsupportedVersionException("There are no transactions"));
    }

    /// Only the share coordinator asks for this, which is not offered.
    @Override
    public CompletableFuture<Void> deleteRecords(TopicPartition partition, long beforeOffset) {
        return CompletableFuture.failedFuture(new UnsupportedVersionException("There are no share groups"));
    }
}
