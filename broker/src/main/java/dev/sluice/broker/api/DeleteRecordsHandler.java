package dev.sluice.broker.api;

import dev.sluice.broker.catalogue.CatalogueImage;
import dev.sluice.broker.catalogue.Topic;
import dev.sluice.broker.catalogue.TopicNames;
import dev.sluice.broker.partition.Partition;
import dev.sluice.broker.protocol.MalformedRequestException;
import dev.sluice.log.PartitionLog;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.message.DeleteRecordsRequestData;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsTopic;
import org.apache.kafka.common.message.DeleteRecordsResponseData;
import org.apache.kafka.common.message.DeleteRecordsResponseData.DeleteRecordsPartitionResult;
import org.apache.kafka.common.message.DeleteRecordsResponseData.DeleteRecordsPartitionResultCollection;
import org.apache.kafka.common.message.DeleteRecordsResponseData.DeleteRecordsTopicResult;
import org.apache.kafka.common.message.DeleteRecordsResponseData.DeleteRecordsTopicResultCollection;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// DeleteRecords: deletes all records of a partition below an offset, durably. A topic or partition that the request
/// names twice has what it asks for last.
final class DeleteRecordsHandler extends MessageHandler<DeleteRecordsRequestData> {
    private static final Logger LOG = LoggerFactory.getLogger(DeleteRecordsHandler.class);
    private static final long HIGH_WATERMARK = -1;
    private static final long NONE = -1;

    DeleteRecordsHandler(Services services) {
        super(ApiKeys.DELETE_RECORDS, services);
    }

    @Override
    void handle(DeleteRecordsRequestData body, Exchange exchange) {
        offLoop(exchange, () -> {
            Map<String, Map<Integer, Long>> wanted = new LinkedHashMap<>();
            for (DeleteRecordsTopic topic : body.topics()) {
                Map<Integer, Long> offsets = wanted.computeIfAbsent(topic.name(), _ -> new TreeMap<>());
                topic.partitions().forEach(asked -> offsets.put(asked.partitionIndex(), asked.offset()));
            }
            requireCheapToAnswer(wanted);
            CatalogueImage image = services.catalogue().image();
            DeleteRecordsTopicResultCollection topics =
                    new DeleteRecordsTopicResultCollection(Collisions.room(wanted.size()));
            wanted.forEach((name, offsets) -> {
                DeleteRecordsPartitionResultCollection partitions =
                        new DeleteRecordsPartitionResultCollection(Collisions.room(offsets.size()));
                offsets.forEach((index, offset) -> partitions.add(delete(image.topic(name), index, offset)));
                topics.add(new DeleteRecordsTopicResult().setName(name).setPartitions(partitions));
            });
            return new DeleteRecordsResponseData().setTopics(topics);
        });
    }

    /// Before anything is deleted.
    private static void requireCheapToAnswer(Map<String, Map<Integer, Long>> wanted) {
        Collisions.Hashes names = new Collisions.Hashes();
        wanted.keySet().forEach(name -> names.add(name.hashCode()));
        boolean cheap = names.areCheapToAdd();
        for (Map<Integer, Long> offsets : wanted.values()) {
            Collisions.Hashes indexes = new Collisions.Hashes();
            offsets.keySet().forEach(indexes::add);
            cheap &= indexes.areCheapToAdd();
        }
        if (!cheap) {
            throw new MalformedRequestException(
                    "DeleteRecords", 0, "more names with equal hash codes than chance makes");
        }
    }

    private static DeleteRecordsPartitionResult delete(@Nullable Topic topic, int index, long offset) {
        DeleteRecordsPartitionResult result =
                new DeleteRecordsPartitionResult().setPartitionIndex(index).setLowWatermark(NONE);
        Partition partition = topic == null ? null : topic.partition(index);
        if (topic == null || partition == null) {
            return result.setErrorCode(Errors.UNKNOWN_TOPIC_OR_PARTITION.code());
        }
        if (TopicNames.isInternal(topic.name())) {
            return result.setErrorCode(Errors.INVALID_TOPIC_EXCEPTION.code());
        }
        PartitionLog log = partition.log();
        if (!log.config().deleted()) {
            return result.setErrorCode(Errors.POLICY_VIOLATION.code()); // as in Kafka: a compacted topic keeps its keys
        }
        long end = log.highWatermark();
        long before = offset == HIGH_WATERMARK ? end : offset;
        if (before < 0 || before > end) {
            return result.setErrorCode(Errors.OFFSET_OUT_OF_RANGE.code());
        }
        try {
            return result.setLowWatermark(log.deleteBefore(before));
        } catch (IOException e) {
            LOG.error("Records of {} below {} could not be deleted", log, before, e);
            return result.setErrorCode(Errors.KAFKA_STORAGE_ERROR.code());
        }
    }
}
