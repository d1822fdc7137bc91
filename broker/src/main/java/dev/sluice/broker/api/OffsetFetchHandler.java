package dev.sluice.broker.api;

import dev.sluice.broker.catalogue.CatalogueImage;
import dev.sluice.broker.catalogue.Topic;
import dev.sluice.broker.coordinator.Caller;
import dev.sluice.broker.coordinator.Groups;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseGroup;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponsePartitions;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseTopics;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.OffsetFetchRequest;
import org.apache.kafka.common.requests.OffsetFetchResponse;

/// OffsetFetch: what one group, or from version 8 on several, committed; by topic name or (from version 10) by id.
final class OffsetFetchHandler extends GroupHandler<OffsetFetchRequestData, List<OffsetFetchResponseGroup>> {
    OffsetFetchHandler(Services services) {
        super(ApiKeys.OFFSET_FETCH, services);
    }

    @Override
    CompletableFuture<List<OffsetFetchResponseGroup>> ask(Groups groups, Caller caller, OffsetFetchRequestData body) {
        boolean byId = caller.requestVersion() >= OffsetFetchRequest.TOPIC_ID_MIN_VERSION;
        List<CompletableFuture<OffsetFetchResponseGroup>> asked = groups(body, caller.requestVersion()).stream()
                .map(group -> {
                    if (group.memberId() == null && group.memberEpoch() >= 0) {
                        return CompletableFuture.completedFuture(ofNoMember(group, caller));
                    }
                    return byId
                            ? byId(groups, caller, group, body)
                            : groups.committed(caller, group, body.requireStable());
                })
                .toList();
        return CompletableFuture.allOf(asked.toArray(CompletableFuture[]::new))
                .thenApply(_ -> asked.stream().map(CompletableFuture::join).toList());
    }

    /// The epoch of nobody: the coordinator would fail on it.
    private static OffsetFetchResponseGroup ofNoMember(OffsetFetchRequestGroup group, Caller caller) {
        return OffsetFetchResponse.groupError(group, Errors.UNKNOWN_MEMBER_ID, caller.requestVersion());
    }

    /// The groups that are asked for; old versions have one, in other fields.
    private static List<OffsetFetchRequestGroup> groups(OffsetFetchRequestData body, int version) {
        if (version >= OffsetFetchRequest.BATCH_MIN_VERSION) {
            return body.groups();
        }
        List<OffsetFetchRequestTopics> topics = body.topics() == null
                ? null
                : body.topics().stream()
                        .map(topic -> new OffsetFetchRequestTopics()
                                .setName(topic.name())
                                .setPartitionIndexes(topic.partitionIndexes()))
                        .toList();
        return List.of(new OffsetFetchRequestGroup().setGroupId(body.groupId()).setTopics(topics));
    }

    /// The coordinator knows names alone.
    private CompletableFuture<OffsetFetchResponseGroup> byId(
            Groups groups, Caller caller, OffsetFetchRequestGroup group, OffsetFetchRequestData body) {
        CatalogueImage image = services.catalogue().image();
        List<OffsetFetchResponseTopics> unknown = new ArrayList<>();
        if (group.topics() != null) {
            List<OffsetFetchRequestTopics> known = new ArrayList<>();
            for (OffsetFetchRequestTopics topic : group.topics()) {
                Topic found = image.topic(MetadataHandler.id(topic.topicId()));
                if (found != null) {
                    known.add(topic.setName(found.name()));
                } else {
                    unknown.add(refuse(topic));
                }
            }
            group.setTopics(known);
        }
        return groups.committed(caller, group, body.requireStable())
                .thenApply(answer -> withIds(answer, image, unknown));
    }

    private static OffsetFetchResponseTopics refuse(OffsetFetchRequestTopics topic) {
        return new OffsetFetchResponseTopics()
                .setTopicId(topic.topicId())
                .setPartitions(topic.partitionIndexes().stream()
                        .map(index -> new OffsetFetchResponsePartitions()
                                .setPartitionIndex(index)
                                .setErrorCode(Errors.UNKNOWN_TOPIC_ID.code())
                                .setCommittedOffset(OffsetFetchResponse.INVALID_OFFSET)
                                .setMetadata(OffsetFetchResponse.NO_METADATA))
                        .toList());
    }

    /// Leaves out topics that were deleted meanwhile.
    private static OffsetFetchResponseGroup withIds(
            OffsetFetchResponseGroup answer, CatalogueImage image, List<OffsetFetchResponseTopics> unknown) {
        if (answer.errorCode() != Errors.NONE.code()) {
            return answer;
        }
        List<OffsetFetchResponseTopics> topics = new ArrayList<>(unknown);
        for (OffsetFetchResponseTopics topic : answer.topics()) {
            Topic found = image.topic(topic.name());
            if (found != null) {
                topics.add(topic.setTopicId(MetadataHandler.id(found.id())));
            }
        }
        return answer.setTopics(topics);
    }

    @Override
    ApiMessage answer(OffsetFetchRequestData body, short version, List<OffsetFetchResponseGroup> answered) {
        return new OffsetFetchResponse.Builder(answered).build(version).data();
    }

    @Override
    ApiMessage failure(OffsetFetchRequestData body, short version, Errors error) {
        return answer(
                body,
                version,
                groups(body, version).stream()
                        .map(group -> OffsetFetchResponse.groupError(group, error, version))
                        .toList());
    }
}
