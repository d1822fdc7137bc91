package dev.sluice.broker.api;

import dev.sluice.broker.catalogue.CatalogueImage;
import dev.sluice.broker.catalogue.Topic;
import dev.sluice.broker.partition.Partition;
import dev.sluice.broker.protocol.RecordTimestamps;
import dev.sluice.broker.protocol.UnreadableRecordsException;
import dev.sluice.log.PartitionLog;
import dev.sluice.log.TimestampedOffset;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.ListOffsetsResponseData;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsPartitionResponse;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsTopicResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ListOffsetsRequest;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// ListOffsets: the first offset, the next one, or the first at or after a time. Only the last kind reads the disk, off
/// the loop.
final class ListOffsetsHandler extends MessageHandler<ListOffsetsRequestData> {
    private static final Logger LOG = LoggerFactory.getLogger(ListOffsetsHandler.class);
    private static final long NONE = -1;
    private static final int NO_EPOCH = -1;
    private static final short FIRST_WITH_EPOCH = 4;

    /// The first version with each of the special timestamps, as in Kafka's ReplicaManager.
    private static final Map<Long, Short> FIRST_WITH = Map.of(
            ListOffsetsRequest.EARLIEST_TIMESTAMP, (short) 1,
            ListOffsetsRequest.LATEST_TIMESTAMP, (short) 1,
            ListOffsetsRequest.MAX_TIMESTAMP, (short) 7,
            ListOffsetsRequest.EARLIEST_LOCAL_TIMESTAMP, (short) 8,
            ListOffsetsRequest.LATEST_TIERED_TIMESTAMP, (short) 9,
            ListOffsetsRequest.EARLIEST_PENDING_UPLOAD_TIMESTAMP, (short) 11);

    /// Partitions answered on the loop; more would keep its other connections waiting.
    private static final int MOST_ON_LOOP = 1_000;

    ListOffsetsHandler(Services services) {
        super(ApiKeys.LIST_OFFSETS, services);
    }

    @Override
    public int largestFrameBytes() {
        return Dispatcher.LARGEST_FRAME_OF_PARTITIONS_BYTES;
    }

    @Override
    void handle(ListOffsetsRequestData body, Exchange exchange) {
        int partitions = body.topics().stream()
                .mapToInt(topic -> topic.partitions().size())
                .sum();
        boolean searches = body.topics().stream()
                .flatMap(topic -> topic.partitions().stream())
                .anyMatch(partition ->
                        partition.timestamp() >= 0 || partition.timestamp() == ListOffsetsRequest.MAX_TIMESTAMP);
        if (searches) {
            offLoop(exchange, () -> answer(body, exchange.version()));
        } else if (partitions > MOST_ON_LOOP) {
            aside(exchange, () -> answer(body, exchange.version()));
        } else {
            exchange.answer(answer(body, exchange.version()));
        }
    }

    private ListOffsetsResponseData answer(ListOffsetsRequestData body, short version) {
        CatalogueImage image = services.catalogue().image();
        ListOffsetsResponseData answer = new ListOffsetsResponseData();
        for (ListOffsetsTopic asked : body.topics()) {
            Topic topic = image.topic(asked.name());
            ListOffsetsTopicResponse answers = new ListOffsetsTopicResponse().setName(asked.name());
            for (ListOffsetsPartition partition : asked.partitions()) {
                ListOffsetsPartitionResponse answered = answer(topic, partition, version);
                answers.partitions().add(version < FIRST_WITH_EPOCH ? answered.setLeaderEpoch(NO_EPOCH) : answered);
            }
            answer.topics().add(answers);
        }
        return answer;
    }

    private static ListOffsetsPartitionResponse answer(
            @Nullable Topic topic, ListOffsetsPartition asked, short version) {
        if (!isOffered(asked.timestamp(), version)) {
            return error(asked, Errors.UNSUPPORTED_VERSION);
        }
        Partition known = topic == null ? null : topic.partition(asked.partitionIndex());
        return known == null ? error(asked, Errors.UNKNOWN_TOPIC_OR_PARTITION) : answer(asked, known.log());
    }

    /// Whether the version has this time, or negative number with a meaning of its own.
    private static boolean isOffered(long timestamp, short version) {
        Short first = FIRST_WITH.get(timestamp);
        return timestamp >= 0 || (first != null && version >= first);
    }

    private static ListOffsetsPartitionResponse answer(ListOffsetsPartition asked, PartitionLog log) {
        int epoch = asked.currentLeaderEpoch();
        if (epoch >= 0 && epoch != log.leaderEpoch()) {
            return error(asked, epoch < log.leaderEpoch() ? Errors.FENCED_LEADER_EPOCH : Errors.UNKNOWN_LEADER_EPOCH);
        }
        ListOffsetsPartitionResponse answer =
                new ListOffsetsPartitionResponse().setPartitionIndex(asked.partitionIndex());
        try {
            long timestamp = asked.timestamp();
            if (timestamp == ListOffsetsRequest.LATEST_TIMESTAMP) {
                return answer.setTimestamp(NONE).setOffset(log.highWatermark()).setLeaderEpoch(log.leaderEpoch());
            }
            if (timestamp == ListOffsetsRequest.EARLIEST_TIMESTAMP
                    || timestamp == ListOffsetsRequest.EARLIEST_LOCAL_TIMESTAMP) {
                return answer.setTimestamp(NONE)
                        .setOffset(log.logStartOffset())
                        .setLeaderEpoch(log.leaderEpochOf(log.logStartOffset()));
            }
            if (timestamp == ListOffsetsRequest.LATEST_TIERED_TIMESTAMP
                    || timestamp == ListOffsetsRequest.EARLIEST_PENDING_UPLOAD_TIMESTAMP) {
                return answer.setTimestamp(NONE).setOffset(NONE).setLeaderEpoch(NO_EPOCH); // nothing is tiered
            }
            Optional<TimestampedOffset> found = timestamp == ListOffsetsRequest.MAX_TIMESTAMP
                    ? log.offsetOfMaxTimestamp(RecordTimestamps.CODEC)
                    : log.offsetForTimestamp(timestamp, RecordTimestamps.CODEC);
            found.ifPresentOrElse(
                    record -> answer.setTimestamp(record.timestampMs())
                            .setOffset(record.offset())
                            .setLeaderEpoch(record.leaderEpoch()),
                    () -> answer.setTimestamp(NONE).setOffset(NONE).setLeaderEpoch(NO_EPOCH));
            return answer;
        } catch (UnreadableRecordsException e) {
            LOG.warn("{}-{} can't be searched by time. {}", log.topic(), log.partition(), e.getMessage());
            return error(asked, Errors.INVALID_RECORD);
        } catch (IOException e) {
            LOG.error("{}-{} can't be searched by time", log.topic(), log.partition(), e);
            return error(asked, Errors.KAFKA_STORAGE_ERROR);
        }
    }

    private static ListOffsetsPartitionResponse error(ListOffsetsPartition asked, Errors error) {
        return new ListOffsetsPartitionResponse()
                .setPartitionIndex(asked.partitionIndex())
                .setErrorCode(error.code())
                .setTimestamp(NONE)
                .setOffset(NONE);
    }
}
