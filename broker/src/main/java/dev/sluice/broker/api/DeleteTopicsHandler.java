package dev.sluice.broker.api;

import dev.sluice.broker.catalogue.Topic;
import dev.sluice.broker.catalogue.TopicNames;
import dev.sluice.broker.protocol.MalformedRequestException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsRequestData.DeleteTopicState;
import org.apache.kafka.common.message.DeleteTopicsResponseData;
import org.apache.kafka.common.message.DeleteTopicsResponseData.DeletableTopicResult;
import org.apache.kafka.common.message.DeleteTopicsResponseData.DeletableTopicResultCollection;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/// DeleteTopics, by name or (from version 6) by id.
final class DeleteTopicsHandler extends MessageHandler<DeleteTopicsRequestData> {
    private static final short FIRST_WITH_IDS = 6;
    private static final String TWICE = "The request names the topic more than once";

    DeleteTopicsHandler(Services services) {
        super(ApiKeys.DELETE_TOPICS, services);
    }

    @Override
    void handle(DeleteTopicsRequestData body, Exchange exchange) {
        offLoop(exchange, () -> delete(body, exchange.version()));
    }

    /// What is named more than once is not deleted, as in Kafka, and answered once.
    private ApiMessage delete(DeleteTopicsRequestData body, short version) {
        Map<String, Integer> names = new LinkedHashMap<>();
        Map<Uuid, Integer> ids = new LinkedHashMap<>();
        List<DeletableTopicResult> results = new ArrayList<>();
        if (version < FIRST_WITH_IDS) {
            body.topicNames().forEach(name -> names.merge(name, 1, Integer::sum));
        }
        for (DeleteTopicState wanted : body.topics()) {
            boolean byId = !wanted.topicId().equals(Uuid.ZERO_UUID);
            if (byId == (wanted.name() != null)) {
                results.add(refuse(wanted.name(), wanted.topicId(), "Name the topic or give its id, not both"));
            } else if (byId) {
                ids.merge(wanted.topicId(), 1, Integer::sum);
            } else {
                names.merge(wanted.name(), 1, Integer::sum);
            }
        }
        requireCheapToAnswer(results, names.keySet(), ids.size());
        names.forEach((name, times) -> results.add(times > 1 ? refuse(name, Uuid.ZERO_UUID, TWICE) : delete(name)));
        ids.forEach((id, times) -> results.add(times > 1 ? refuse(null, id, TWICE) : delete(id)));

        DeletableTopicResultCollection answers = new DeletableTopicResultCollection(Collisions.room(results.size()));
        answers.addAll(results);
        return new DeleteTopicsResponseData().setResponses(answers);
    }

    /// Before anything is deleted. A result's hash code is that of its name, 0 without one.
    private static void requireCheapToAnswer(List<DeletableTopicResult> refused, Set<String> names, int ids) {
        Collisions.Hashes hashes = new Collisions.Hashes();
        refused.forEach(result -> hashes.add(result.hashCode()));
        names.forEach(name -> hashes.add(name.hashCode()));
        for (int i = 0; i < ids; i++) {
            hashes.add(0);
        }
        if (!hashes.areCheapToAdd()) {
            throw new MalformedRequestException(
                    "DeleteTopics", 0, "more names with equal hash codes than chance makes");
        }
    }

    private static DeletableTopicResult refuse(@Nullable String name, Uuid id, String why) {
        return new DeletableTopicResult()
                .setName(name)
                .setTopicId(id)
                .setErrorCode(Errors.INVALID_REQUEST.code())
                .setErrorMessage(why);
    }

    private DeletableTopicResult delete(String name) {
        Topic topic = services.catalogue().image().topic(name);
        DeletableTopicResult result = new DeletableTopicResult().setName(name);
        return delete(topic, result, Errors.UNKNOWN_TOPIC_OR_PARTITION);
    }

    private DeletableTopicResult delete(Uuid id) {
        Topic topic = services.catalogue().image().topic(MetadataHandler.id(id));
        DeletableTopicResult result = new DeletableTopicResult().setName(null).setTopicId(id);
        return delete(topic, result, Errors.UNKNOWN_TOPIC_ID);
    }

    private DeletableTopicResult delete(@Nullable Topic topic, DeletableTopicResult result, Errors unknown) {
        if (topic == null) {
            return result.setErrorCode(unknown.code()).setErrorMessage(unknown.message());
        }
        result.setName(topic.name()).setTopicId(MetadataHandler.id(topic.id()));
        if (TopicNames.isInternal(topic.name())) {
            return result.setErrorCode(Errors.INVALID_REQUEST.code())
                    .setErrorMessage(topic.name() + " is the broker's own: delete groups, or their offsets, instead");
        }
        try {
            boolean deleted = services.catalogue().delete(topic);
            return deleted ? result : result.setErrorCode(unknown.code()).setErrorMessage(unknown.message());
        } catch (IOException e) {
            return result.setErrorCode(Errors.KAFKA_STORAGE_ERROR.code()).setErrorMessage(e.getMessage());
        }
    }
}
