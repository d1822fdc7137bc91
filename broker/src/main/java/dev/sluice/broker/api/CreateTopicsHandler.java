package dev.sluice.broker.api;

import dev.sluice.broker.catalogue.Catalogue;
import dev.sluice.broker.catalogue.Topic;
import dev.sluice.broker.catalogue.TopicNames;
import dev.sluice.broker.config.ConfigException;
import dev.sluice.broker.config.TopicKeys;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableReplicaAssignment;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableReplicaAssignmentCollection;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopicConfig;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicResult;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicResultCollection;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/// CreateTopics. One node holds one copy, so a replication factor of 1 (or −1, the default) is all there is.
final class CreateTopicsHandler extends MessageHandler<CreateTopicsRequestData> {
    private static final int DEFAULT = -1;

    /// Of a topic, and of all topics of a request, as in Kafka.
    static final int MOST_PARTITIONS = 10_000;

    /// In the place of how often a name comes, once it has its result.
    private static final int ANSWERED = 0;

    CreateTopicsHandler(Services services) {
        super(ApiKeys.CREATE_TOPICS, services);
    }

    /// None: what is asked is done on a control thread in any case.
    @Override
    int parsedOnLoopBytes() {
        return 0;
    }

    @Override
    BodyScan scan(short version, ByteBuffer body) {
        return new CreateTopicsScan(body, version);
    }

    @Override
    void handle(CreateTopicsRequestData body, Exchange exchange) {
        offLoop(exchange, () -> create(body));
    }

    private ApiMessage create(CreateTopicsRequestData body) {
        Map<String, Integer> times = new LinkedHashMap<>();
        body.topics().forEach(wanted -> times.merge(wanted.name(), 1, Integer::sum));
        CreatableTopicResultCollection results = new CreatableTopicResultCollection(Collisions.room(times.size()));
        boolean tooMany = partitionsOfAll(body) > MOST_PARTITIONS;
        for (CreatableTopic wanted : body.topics()) {
            CreatableTopicResult result = new CreatableTopicResult().setName(wanted.name());
            Integer count = times.put(wanted.name(), ANSWERED);
            if (count == null || count == ANSWERED) {
                continue;
            }
            if (tooMany) {
                fail(result, Errors.POLICY_VIOLATION, "One request makes at most " + MOST_PARTITIONS + " partitions");
            } else if (count > 1) {
                fail(result, Errors.INVALID_REQUEST, "The request names the topic more than once");
            } else {
                create(wanted, body.validateOnly(), result);
            }
            results.add(result);
        }
        return new CreateTopicsResponseData().setTopics(results);
    }

    private long partitionsOfAll(CreateTopicsRequestData body) {
        long sum = 0;
        for (CreatableTopic wanted : body.topics()) {
            sum += wanted.assignments().isEmpty()
                    ? Math.max(1, wanted.numPartitions())
                    : wanted.assignments().size();
        }
        return sum;
    }

    private CreatableTopicResult create(CreatableTopic wanted, boolean validateOnly, CreatableTopicResult result) {
        if (TopicNames.isInternal(wanted.name())) {
            return fail(
                    result, Errors.INVALID_TOPIC_EXCEPTION, "The broker makes " + wanted.name() + " when it needs it");
        }
        try {
            services.catalogue().requireFree(wanted.name());
        } catch (Catalogue.TopicExistsException e) {
            return fail(result, Errors.TOPIC_ALREADY_EXISTS, String.valueOf(e.getMessage()));
        } catch (Catalogue.TopicNameException e) {
            return fail(result, Errors.INVALID_TOPIC_EXCEPTION, String.valueOf(e.getMessage()));
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
            if (!isConsecutive(wanted.assignments())) {
                return fail(
                        result,
                        Errors.INVALID_REPLICA_ASSIGNMENT,
                        "The partitions of an assignment are numbered from 0 on, each once");
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
            var _ = TopicKeys.settings(services.config().topics(), configs);
            result.setConfigs(ConfigAnswers.created(configs, services.live().settings()));
        } catch (ConfigException e) {
            return fail(result, Errors.INVALID_CONFIG, String.valueOf(e.getMessage()));
        }
        result.setNumPartitions(partitions).setReplicationFactor((short) 1);
        return validateOnly ? result : make(wanted.name(), partitions, configs, result);
    }

    private static boolean isConsecutive(CreatableReplicaAssignmentCollection assignments) {
        BitSet indexes = new BitSet();
        for (CreatableReplicaAssignment assignment : assignments) {
            int index = assignment.partitionIndex();
            if (index < 0 || index >= assignments.size() || indexes.get(index)) {
                return false;
            }
            indexes.set(index);
        }
        return true;
    }

    private CreatableTopicResult make(
            String name, int partitions, Map<String, String> configs, CreatableTopicResult result) {
        try {
            Topic made = services.catalogue().create(name, partitions, configs);
            return result.setTopicId(MetadataHandler.id(made.id()));
        } catch (Catalogue.TopicExistsException e) {
            return fail(result, Errors.TOPIC_ALREADY_EXISTS, String.valueOf(e.getMessage()));
        } catch (Catalogue.TopicNameException e) {
            return fail(result, Errors.INVALID_TOPIC_EXCEPTION, String.valueOf(e.getMessage()));
        } catch (IOException e) {
            return fail(result, Errors.KAFKA_STORAGE_ERROR, String.valueOf(e.getMessage()));
        }
    }

    private static CreatableTopicResult fail(CreatableTopicResult result, Errors error, String message) {
        return result.setErrorCode(error.code())
                .setErrorMessage(message)
                .setConfigs(List.of())
                .setNumPartitions(-1)
                .setReplicationFactor((short) -1);
    }
}
