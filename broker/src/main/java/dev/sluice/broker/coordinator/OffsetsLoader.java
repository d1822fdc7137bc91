package dev.sluice.broker.coordinator;

import java.io.IOException;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.coordinator.common.runtime.CoordinatorLoader;
import org.apache.kafka.coordinator.common.runtime.CoordinatorPlayback;
import org.apache.kafka.coordinator.common.runtime.CoordinatorRecord;
import org.apache.kafka.coordinator.common.runtime.Deserializer;
import org.apache.kafka.coordinator.group.GroupCoordinatorRecordSerde;
import org.apache.kafka.coordinator.group.generated.OffsetCommitKey;
import org.apache.kafka.coordinator.group.generated.OffsetCommitValue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Shows a coordinator everything that its partition remembers.
///
/// Loads on the coordinator's thread, which has nothing else to do: the broker loads its groups once, with the first
/// request about any.
final class OffsetsLoader implements CoordinatorLoader<CoordinatorRecord> {
    private static final Logger LOG = LoggerFactory.getLogger(OffsetsLoader.class);

    /// A topic that offsets were committed for.
    ///
    /// @param id the zero id in commits of old versions of Kafka
    record CommittedTopic(String name, Uuid id) {}

    /// So many records apart the coordinator is told that it can let go of what it would need to go back.
    private static final int COMMIT_INTERVAL = 16_384;

    private final OffsetsWriter logs;
    private final GroupCoordinatorRecordSerde serde = new GroupCoordinatorRecordSerde();
    private final Set<CommittedTopic> committed = ConcurrentHashMap.newKeySet();

    OffsetsLoader(OffsetsWriter logs) {
        this.logs = logs;
    }

    /// The topics of all offsets that were loaded.
    Set<CommittedTopic> committed() {
        return new HashSet<>(committed);
    }

    @Override
    public CompletableFuture<LoadSummary> load(
            TopicPartition partition, CoordinatorPlayback<CoordinatorRecord> coordinator) {
        long startMs = System.currentTimeMillis();
        try {
            OffsetsLog log = logs.shard(partition).beginLoading();
            Loading loading = new Loading(coordinator);
            long bytes = log.read(log.log().logEndOffset(), loading::batch);
            loading.tell(log.log().logEndOffset());
            return CompletableFuture.completedFuture(
                    new LoadSummary(startMs, System.currentTimeMillis(), 0, loading.records, bytes));
        } catch (IOException | RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /// One partition's replay.
    private final class Loading {
        private final CoordinatorPlayback<CoordinatorRecord> coordinator;
        private long records;
        private long recordsTold;
        private long told;

        Loading(CoordinatorPlayback<CoordinatorRecord> coordinator) {
            this.coordinator = coordinator;
        }

        void batch(RecordBatch batch) {
            for (Record record : batch) {
                records++;
                replay(batch, record);
            }
            if (records - recordsTold >= COMMIT_INTERVAL) {
                tell(batch.nextOffset());
            }
        }

        private void replay(RecordBatch batch, Record record) {
            CoordinatorRecord decoded;
            try {
                decoded = serde.deserialize(record.key(), record.value());
            } catch (Deserializer.UnknownRecordTypeException e) {
                LOG.warn(
                        "A record of the unknown type {} is left out; it was written by a newer version",
                        e.unknownType());
                return;
            }
            coordinator.replay(record.offset(), batch.producerId(), batch.producerEpoch(), decoded);
            if (decoded.key() instanceof OffsetCommitKey key
                    && decoded.value() != null
                    && decoded.value().message() instanceof OffsetCommitValue value) {
                committed.add(new CommittedTopic(key.topic(), value.topicId()));
            }
        }

        /// How far it has come; the coordinator wants to hear of progress only.
        void tell(long nextOffset) {
            if (nextOffset > told) {
                coordinator.updateLastWrittenOffset(nextOffset);
                coordinator.updateLastCommittedOffset(nextOffset);
                told = nextOffset;
                recordsTold = records;
            }
        }
    }

    @Override
    public void close() {}
}
