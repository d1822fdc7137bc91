package dev.sluice.broker.api;

import dev.sluice.broker.catalogue.CatalogueImage;
import dev.sluice.broker.catalogue.Topic;
import java.io.IOException;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsRequestData.DeleteTopicState;
import org.apache.kafka.common.message.DeleteTopicsResponseData;
import org.apache.kafka.common.message.DeleteTopicsResponseData.DeletableTopicResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/// DeleteTopics, by name or (from version 6) by id.
final class DeleteTopicsHandler extends MessageHandler<DeleteTopicsRequestData> {
    private static final short FIRST_WITH_IDS = 6;

    DeleteTopicsHandler(Services services) {
        super(ApiKeys.DELETE_TOPICS, services);
    }

    @Override
    void handle(DeleteTopicsRequestData body, Exchange exchange) {
        offLoop(exchange, () -> delete(body, exchange.version()));
    }

    private ApiMessage delete(DeleteTopicsRequestData body, short version) {
        DeleteTopicsResponseData answer = new DeleteTopicsResponseData();
        if (version >= FIRST_WITH_IDS) {
            for (DeleteTopicState wanted : body.topics()) {
                answer.responses().add(delete(wanted.name(), wanted.topicId()));
            }
        } else {
            for (String name : body.topicNames()) {
                answer.responses().add(delete(name, Uuid.ZERO_UUID));
            }
        }
        return answer;
    }

    private DeletableTopicResult delete(@Nullable String name, Uuid id) {
        DeletableTopicResult result = new DeletableTopicResult().setName(name).setTopicId(id);
        boolean byId = !id.equals(Uuid.ZERO_UUID);
        if (byId == (name != null)) {
            return result.setErrorCode(Errors.INVALID_REQUEST.code())
                    .setErrorMessage("Name the topic or give its id, not both");
        }
        CatalogueImage image = services.catalogue().image();
        Topic topic = name != null ? image.topic(name) : image.topic(MetadataHandler.id(id));
        Errors unknown = byId ? Errors.UNKNOWN_TOPIC_ID : Errors.UNKNOWN_TOPIC_OR_PARTITION;
        if (topic == null) {
            return result.setErrorCode(unknown.code()).setErrorMessage(unknown.message());
        }
        result.setName(topic.name()).setTopicId(MetadataHandler.id(topic.id()));
        try {
            boolean deleted = services.catalogue().delete(topic);
            return deleted ? result : result.setErrorCode(unknown.code()).setErrorMessage(unknown.message());
        } catch (IOException e) {
            return result.setErrorCode(Errors.KAFKA_STORAGE_ERROR.code()).setErrorMessage(e.getMessage());
        }
    }
}
