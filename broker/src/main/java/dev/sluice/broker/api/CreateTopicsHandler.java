package dev.sluice.broker.api;

import dev.sluice.broker.catalogue.Catalogue;
import dev.sluice.broker.catalogue.Topic;
import dev.sluice.broker.catalogue.TopicNames;
import dev.sluice.broker.config.ConfigException;
import dev.sluice.broker.config.TopicKeys;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopicConfig;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/// CreateTopics. One node holds one copy, so a replication factor of 1 (or −1, the default) is all there is.
final class CreateTopicsHandler extends MessageHandler<CreateTopicsRequestData> {
    private static final int DEFAULT = -1;
    private static final int MOST_PARTITIONS = 10_000;

    CreateTopicsHandler(Services services) {
        super(ApiKeys.CREATE_TOPICS, services);
    }

    @Override
    void handle(CreateTopicsRequestData body, Exchange exchange) {
        offLoop(exchange, () -> create(body));
    }

    private ApiMessage create(CreateTopicsRequestData body) {
        CreateTopicsResponseData answer = new CreateTopicsResponseData();
        for (CreatableTopic wanted : body.topics()) {
            CreatableTopicResult result = new CreatableTopicResult().setName(wanted.name());
            boolean twice = body.topics().findAll(wanted.name()).size() > 1;
            if (twice) {
                if (answer.topics().find(wanted.name()) == null) {
                    answer.topics()
                            .add(fail(result, Errors.INVALID_REQUEST, "The request names the topic more than once"));
                }
                continue;
            }
            answer.topics().add(create(wanted, body.validateOnly(), result));
        }
        return answer;
    }

    private CreatableTopicResult create(CreatableTopic wanted, boolean validateOnly, CreatableTopicResult result) {
        Optional<String> problem = TopicNames.problem(wanted.name());
        if (problem.isPresent()) {
            return fail(result, Errors.INVALID_TOPIC_EXCEPTION, problem.get());
        }
        if (services.catalogue().image().topic(wanted.name()) != null) {
            return fail(result, Errors.TOPIC_ALREADY_EXISTS, "Topic " + wanted.name() + " exists already");
        }
        int partitions =
                wanted.numPartitions() == DEFAULT ? services.config().defaultPartitions() : wanted.numPartitions();
        if (!wanted.assignments().isEmpty()) {
            if (wanted.numPartitions() != DEFAULT || wanted.replicationFactor() != DEFAULT) {
                return fail(
                        result,
                        Errors.INVALID_REQUEST,
                        "With an assignment of replicas, partitions and replication factor are -1");
            }
            boolean here = wanted.assignments().stream()
                    .allMatch(assignment -> assignment
                            .brokerIds()
                            .equals(List.of(services.config().nodeId())));
            if (!here) {
                return fail(
                        result,
                        Errors.INVALID_REPLICA_ASSIGNMENT,
                        "The only broker is " + services.config().nodeId());
            }
            partitions = wanted.assignments().size();
        } else if (wanted.replicationFactor() != DEFAULT && wanted.replicationFactor() != 1) {
            return fail(
                    result,
                    Errors.INVALID_REPLICATION_FACTOR,
                    "There is one broker, so the replication factor is 1, not " + wanted.replicationFactor());
        }
        if (partitions < 1 || partitions > MOST_PARTITIONS) {
            return fail(
                    result,
                    Errors.INVALID_PARTITIONS,
                    "A topic has from 1 to " + MOST_PARTITIONS + " partitions, not " + partitions);
        }
        Map<String, String> configs = new LinkedHashMap<>();
        for (CreatableTopicConfig config : wanted.configs()) {
            if (config.value() == null) {
                return fail(result, Errors.INVALID_CONFIG, "The configuration " + config.name() + " has no value");
            }
            configs.put(config.name(), config.value());
        }
        try {
            TopicKeys.topicConfig(services.config().log(), configs);
        } catch (ConfigException e) {
            return fail(result, Errors.INVALID_CONFIG, String.valueOf(e.getMessage()));
        }
        result.setNumPartitions(partitions).setReplicationFactor((short) 1);
        return validateOnly ? result : make(wanted.name(), partitions, configs, result);
    }

    private CreatableTopicResult make(
            String name, int partitions, Map<String, String> configs, CreatableTopicResult result) {
        try {
            Topic made = services.catalogue().create(name, partitions, configs);
            return result.setTopicId(MetadataHandler.id(made.id()));
        } catch (Catalogue.TopicExistsException e) {
            return fail(result, Errors.TOPIC_ALREADY_EXISTS, String.valueOf(e.getMessage()));
        } catch (IOException e) {
            return fail(result, Errors.KAFKA_STORAGE_ERROR, String.valueOf(e.getMessage()));
        }
    }

    private static CreatableTopicResult fail(CreatableTopicResult result, Errors error, String message) {
        return result.setErrorCode(error.code())
                .setErrorMessage(message)
                .setNumPartitions(-1)
                .setReplicationFactor((short) -1);
    }
}
