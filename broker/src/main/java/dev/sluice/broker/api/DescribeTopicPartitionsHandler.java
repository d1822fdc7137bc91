package dev.sluice.broker.api;

import dev.sluice.broker.catalogue.CatalogueImage;
import dev.sluice.broker.catalogue.Topic;
import dev.sluice.broker.catalogue.TopicNames;
import dev.sluice.broker.protocol.MalformedRequestException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData.Cursor;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData.DescribeTopicPartitionsResponsePartition;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData.DescribeTopicPartitionsResponseTopic;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData.DescribeTopicPartitionsResponseTopicCollection;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/// DescribeTopicPartitions: as Metadata, in pages. Topics go by name, and an answer that is full ends with a cursor:
/// the partition to go on with.
final class DescribeTopicPartitionsHandler extends MessageHandler<DescribeTopicPartitionsRequestData> {
    /// Of one answer, as in Kafka (`max.request.partition.size.limit`).
    private static final int MOST_PARTITIONS = 2_000;

    DescribeTopicPartitionsHandler(Services services) {
        super(ApiKeys.DESCRIBE_TOPIC_PARTITIONS, services);
    }

    @Override
    void handle(DescribeTopicPartitionsRequestData body, Exchange exchange) {
        aside(exchange, () -> describe(body));
    }

    private DescribeTopicPartitionsResponseData describe(DescribeTopicPartitionsRequestData body) {
        CatalogueImage image = services.catalogue().image();
        TreeSet<String> names = new TreeSet<>();
        boolean all = body.topics().isEmpty();
        if (all) {
            image.topics().forEach(topic -> names.add(topic.name()));
        } else {
            body.topics().forEach(topic -> names.add(topic.name()));
        }
        DescribeTopicPartitionsRequestData.@Nullable Cursor from = body.cursor();
        if (from != null) {
            names.headSet(from.topicName()).clear();
        }
        int room = Math.clamp(body.responsePartitionLimit(), 1, MOST_PARTITIONS);
        List<DescribeTopicPartitionsResponseTopic> topics = new ArrayList<>();
        DescribeTopicPartitionsResponseData answer = new DescribeTopicPartitionsResponseData();
        for (String name : names) {
            Topic topic = image.topic(name);
            if (topic == null) {
                topics.add(unknown(name));
                continue;
            }
            boolean resumed = from != null && from.topicName().equals(name);
            int first = resumed
                    ? Math.clamp(from.partitionIndex(), 0, topic.partitions().size())
                    : 0;
            int end = Math.min(topic.partitions().size(), first + room);
            if (room > 0) {
                topics.add(describe(topic, first, end));
                room -= end - first;
            }
            if (end < topic.partitions().size() || (room == 0 && end == first)) {
                answer.setNextCursor(new Cursor().setTopicName(name).setPartitionIndex(end));
                break;
            }
        }
        return answer.setTopics(collect(topics));
    }

    private static DescribeTopicPartitionsResponseTopicCollection collect(
            List<DescribeTopicPartitionsResponseTopic> topics) {
        Collisions.Hashes hashes = new Collisions.Hashes();
        topics.forEach(topic -> hashes.add(topic.hashCode()));
        if (!hashes.areCheapToAdd()) {
            throw new MalformedRequestException(
                    "DescribeTopicPartitions", 0, "more names with equal hash codes than chance makes");
        }
        DescribeTopicPartitionsResponseTopicCollection collection =
                new DescribeTopicPartitionsResponseTopicCollection(Collisions.room(topics.size()));
        collection.addAll(topics);
        return collection;
    }

    private static DescribeTopicPartitionsResponseTopic unknown(String name) {
        Errors error = TopicNames.problem(name).isPresent()
                ? Errors.INVALID_TOPIC_EXCEPTION
                : Errors.UNKNOWN_TOPIC_OR_PARTITION;
        return new DescribeTopicPartitionsResponseTopic().setName(name).setErrorCode(error.code());
    }

    private DescribeTopicPartitionsResponseTopic describe(Topic topic, int first, int end) {
        List<Integer> here = List.of(services.config().nodeId());
        return new DescribeTopicPartitionsResponseTopic()
                .setName(topic.name())
                .setTopicId(MetadataHandler.id(topic.id()))
                .setIsInternal(TopicNames.isInternal(topic.name()))
                .setPartitions(topic.partitions().subList(first, end).stream()
                        .map(partition -> new DescribeTopicPartitionsResponsePartition()
                                .setPartitionIndex(partition.index())
                                .setLeaderId(services.config().nodeId())
                                .setLeaderEpoch(partition.log().leaderEpoch())
                                .setReplicaNodes(here)
                                .setIsrNodes(here)
                                .setEligibleLeaderReplicas(List.of())
                                .setLastKnownElr(List.of())
                                .setOfflineReplicas(List.of()))
                        .toList());
    }
}
