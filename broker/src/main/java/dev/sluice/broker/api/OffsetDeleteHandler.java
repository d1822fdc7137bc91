package dev.sluice.broker.api;

import dev.sluice.broker.catalogue.CatalogueImage;
import dev.sluice.broker.catalogue.Topic;
import dev.sluice.broker.coordinator.Caller;
import dev.sluice.broker.coordinator.Groups;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.OffsetDeleteRequestData;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestPartition;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestTopic;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestTopicCollection;
import org.apache.kafka.common.message.OffsetDeleteResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.OffsetDeleteResponse;

/// OffsetDelete: a group forgets what it committed for partitions that none of its members reads.
final class OffsetDeleteHandler extends GroupHandler<OffsetDeleteRequestData, OffsetDeleteResponseData> {
    OffsetDeleteHandler(Services services) {
        super(ApiKeys.OFFSET_DELETE, services);
    }

    /// Topics and partitions become keys of collections, see [Collisions].
    @Override
    BodyScan scan(short version, ByteBuffer body) {
        return new OffsetDeleteScan(body);
    }

    @Override
    CompletableFuture<OffsetDeleteResponseData> ask(Groups groups, Caller caller, OffsetDeleteRequestData body) {
        OffsetDeleteResponse.Builder answer = new OffsetDeleteResponse.Builder();
        OffsetDeleteRequestTopicCollection known = new OffsetDeleteRequestTopicCollection(
                Collisions.room(body.topics().size()));
        CatalogueImage image = services.catalogue().image();
        for (OffsetDeleteRequestTopic asked : body.topics()) {
            Topic topic = image.topic(asked.name());
            OffsetDeleteRequestTopic there = new OffsetDeleteRequestTopic().setName(asked.name());
            for (OffsetDeleteRequestPartition partition : asked.partitions()) {
                if (topic != null && topic.partition(partition.partitionIndex()) != null) {
                    there.partitions().add(partition);
                } else {
                    answer.addPartition(asked.name(), partition.partitionIndex(), Errors.UNKNOWN_TOPIC_OR_PARTITION);
                }
            }
            if (!there.partitions().isEmpty()) {
                known.add(there);
            }
        }
        OffsetDeleteRequestData request =
                new OffsetDeleteRequestData().setGroupId(body.groupId()).setTopics(known);
        return groups.deleteOffsets(caller, request)
                .thenApply(deleted -> answer.merge(deleted).build().data());
    }

    @Override
    ApiMessage answer(OffsetDeleteRequestData body, short version, OffsetDeleteResponseData answered) {
        return answered;
    }

    @Override
    ApiMessage failure(OffsetDeleteRequestData body, short version, Errors error) {
        return new OffsetDeleteResponseData().setErrorCode(error.code());
    }
}
