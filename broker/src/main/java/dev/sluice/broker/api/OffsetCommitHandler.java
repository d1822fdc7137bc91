package dev.sluice.broker.api;

import dev.sluice.broker.catalogue.CatalogueImage;
import dev.sluice.broker.catalogue.Topic;
import dev.sluice.broker.coordinator.Caller;
import dev.sluice.broker.coordinator.Groups;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.OffsetCommitResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.OffsetCommitRequest;
import org.apache.kafka.common.requests.OffsetCommitResponse;

/// OffsetCommit, by topic name or (from version 10) by id. Partitions that don't exist are answered so, the others
/// committed.
final class OffsetCommitHandler extends GroupHandler<OffsetCommitRequestData, OffsetCommitResponseData> {
    OffsetCommitHandler(Services services) {
        super(ApiKeys.OFFSET_COMMIT, services);
    }

    @Override
    CompletableFuture<OffsetCommitResponseData> ask(Groups groups, Caller caller, OffsetCommitRequestData body) {
        boolean byId = OffsetCommitResponse.useTopicIds((short) caller.requestVersion());
        OffsetCommitResponse.Builder answer = OffsetCommitResponse.newBuilder(byId);
        OffsetCommitRequestData known = new OffsetCommitRequestData()
                .setGroupId(body.groupId())
                .setMemberId(body.memberId())
                .setGroupInstanceId(body.groupInstanceId())
                .setGenerationIdOrMemberEpoch(body.generationIdOrMemberEpoch())
                .setRetentionTimeMs(body.retentionTimeMs());
        CatalogueImage image = services.catalogue().image();
        for (OffsetCommitRequestTopic asked : body.topics()) {
            Topic topic = byId ? image.topic(MetadataHandler.id(asked.topicId())) : image.topic(asked.name());
            if (topic == null) {
                Errors error = byId ? Errors.UNKNOWN_TOPIC_ID : Errors.UNKNOWN_TOPIC_OR_PARTITION;
                answer.addPartitions(
                        asked.topicId(),
                        asked.name(),
                        asked.partitions(),
                        OffsetCommitRequestPartition::partitionIndex,
                        error);
            } else {
                split(asked, topic, known, answer);
            }
        }
        if (known.topics().isEmpty()) {
            return CompletableFuture.completedFuture(answer.build().data());
        }
        return groups.commit(caller, known)
                .thenApply(committed -> answer.merge(committed).build().data());
    }

    private static void split(
            OffsetCommitRequestTopic asked,
            Topic topic,
            OffsetCommitRequestData known,
            OffsetCommitResponse.Builder answer) {
        // The id is kept with the offset in any case: a topic of the same name that is made later is another.
        OffsetCommitRequestTopic there =
                new OffsetCommitRequestTopic().setName(topic.name()).setTopicId(MetadataHandler.id(topic.id()));
        for (OffsetCommitRequestPartition partition : asked.partitions()) {
            if (topic.partition(partition.partitionIndex()) != null) {
                there.partitions().add(partition);
            } else {
                answer.addPartition(
                        there.topicId(), there.name(), partition.partitionIndex(), Errors.UNKNOWN_TOPIC_OR_PARTITION);
            }
        }
        if (!there.partitions().isEmpty()) {
            known.topics().add(there);
        }
    }

    @Override
    ApiMessage answer(OffsetCommitRequestData body, short version, OffsetCommitResponseData answered) {
        return answered;
    }

    @Override
    ApiMessage failure(OffsetCommitRequestData body, short version, Errors error) {
        return OffsetCommitRequest.getErrorResponse(body, error);
    }
}
