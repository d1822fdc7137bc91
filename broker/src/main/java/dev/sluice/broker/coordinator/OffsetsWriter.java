package dev.sluice.broker.coordinator;

import dev.sluice.broker.catalogue.Topic;
import dev.sluice.broker.catalogue.TopicNames;
import dev.sluice.broker.partition.Partition;
import dev.sluice.io.linux.Kernel;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.coordinator.common.runtime.PartitionWriter;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.VerificationGuard;

/// Writes what the coordinators of `__consumer_offsets` decide, each to its [OffsetsShard].
final class OffsetsWriter implements PartitionWriter {
    private final Map<Integer, OffsetsShard> shards;
    private final LogConfig config;

    /// @param largestBatchBytes the largest batch that a coordinator makes
    /// @param background        does what may wait for the disk, see [OffsetsSnapshot]
    OffsetsWriter(Kernel kernel, Topic topic, int largestBatchBytes, Executor background) {
        this.shards = topic.partitions().stream().collect(Collectors.toMap(Partition::index, partition -> {
            OffsetsLog log = new OffsetsLog(kernel, partition);
            return new OffsetsShard(
                    new TopicPartition(TopicNames.CONSUMER_OFFSETS, partition.index()),
                    log,
                    new OffsetsSnapshot(log, largestBatchBytes, background));
        }));
        this.config = new LogConfig(Map.of(TopicConfig.MAX_MESSAGE_BYTES_CONFIG, Integer.toString(largestBatchBytes)));
    }

    void close() {
        shards.values().forEach(OffsetsShard::close);
    }

    OffsetsShard shard(TopicPartition partition) {
        OffsetsShard shard = shards.get(partition.partition());
        if (shard == null) {
            throw new IllegalArgumentException("There is no " + partition);
        }
        return shard;
    }

    @Override
    public long append(TopicPartition partition, VerificationGuard guard, MemoryRecords records, short version) {
        return shard(partition).append(records);
    }

    @Override
    public void registerListener(TopicPartition partition, Listener listener) {
        shard(partition).add(listener);
    }

    @Override
    public void deregisterListener(TopicPartition partition, Listener listener) {
        shard(partition).remove(listener);
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
