package dev.sluice.broker.api;

import dev.sluice.broker.catalogue.Topic;
import dev.sluice.broker.catalogue.TopicNames;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.common.message.CreatePartitionsRequestData;
import org.apache.kafka.common.message.CreatePartitionsRequestData.CreatePartitionsTopic;
import org.apache.kafka.common.message.CreatePartitionsResponseData;
import org.apache.kafka.common.message.CreatePartitionsResponseData.CreatePartitionsTopicResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;

/// CreatePartitions: gives topics more partitions.
final class CreatePartitionsHandler extends MessageHandler<CreatePartitionsRequestData> {
    private static final short FIRST_FLEXIBLE_VERSION = 2;

    CreatePartitionsHandler(Services services) {
        super(ApiKeys.CREATE_PARTITIONS, services);
    }

    @Override
    int parsedOnLoopBytes() {
        return 0;
    }

    @Override
    BodyScan scan(short version, ByteBuffer body) {
        return new NamedTopicsScan(body, version >= FIRST_FLEXIBLE_VERSION, false, scan -> {
            scan.reader.readInt32("count");
            int assignments = scan.reader.readNullableCount("assignments", scan.flexible, 1);
            for (; assignments > 0; assignments--) {
                scan.skipInts("brokers");
                scan.skipTags();
            }
        });
    }

    @Override
    void handle(CreatePartitionsRequestData body, Exchange exchange) {
        offLoop(exchange, () -> {
            CreatePartitionsResponseData answer = new CreatePartitionsResponseData();
            int room = CreateTopicsHandler.MOST_PARTITIONS;
            for (CreatePartitionsTopic wanted : body.topics()) {
                CreatePartitionsTopicResult result = new CreatePartitionsTopicResult().setName(wanted.name());
                Topic topic = services.catalogue().image().topic(wanted.name());
                if (body.topics().findAll(wanted.name()).size() > 1) {
                    fail(result, Errors.INVALID_REQUEST, "The request names the topic more than once");
                } else if (topic == null) {
                    fail(result, Errors.UNKNOWN_TOPIC_OR_PARTITION, Errors.UNKNOWN_TOPIC_OR_PARTITION.message());
                } else if (check(wanted, topic, room, result)) {
                    room -= wanted.count() - topic.partitions().size();
                    if (!body.validateOnly()) {
                        create(topic, wanted.count(), result);
                    }
                }
                answer.results().add(result);
            }
            return answer;
        });
    }

    private boolean check(CreatePartitionsTopic wanted, Topic topic, int room, CreatePartitionsTopicResult result) {
        int now = topic.partitions().size();
        if (TopicNames.isInternal(topic.name())) {
            return fail(
                    result,
                    Errors.INVALID_TOPIC_EXCEPTION,
                    "The broker's own topics keep the partitions that they were made with");
        }
        if (wanted.count() <= now) {
            return fail(
                    result,
                    Errors.INVALID_PARTITIONS,
                    "The topic has " + now + " partitions already; " + wanted.count() + " would not be more");
        }
        if (wanted.count() > CreateTopicsHandler.MOST_PARTITIONS) {
            return fail(
                    result,
                    Errors.INVALID_PARTITIONS,
                    "A topic has at most " + CreateTopicsHandler.MOST_PARTITIONS + " partitions, not "
                            + wanted.count());
        }
        if (wanted.count() - now > room) {
            return fail(
                    result,
                    Errors.POLICY_VIOLATION,
                    "One request makes at most " + CreateTopicsHandler.MOST_PARTITIONS + " partitions");
        }
        if (wanted.assignments() == null) {
            return true;
        }
        if (wanted.assignments().size() != wanted.count() - now) {
            return fail(
                    result,
                    Errors.INVALID_REPLICA_ASSIGNMENT,
                    (wanted.count() - now) + " partitions are new, and brokers are named for "
                            + wanted.assignments().size());
        }
        List<Integer> here = List.of(services.config().nodeId());
        return wanted.assignments().stream()
                        .allMatch(assignment -> assignment.brokerIds().equals(here))
                || fail(
                        result,
                        Errors.INVALID_REPLICA_ASSIGNMENT,
                        "The only broker is " + services.config().nodeId());
    }

    private void create(Topic topic, int count, CreatePartitionsTopicResult result) {
        try {
            if (!services.catalogue().addPartitions(topic, count)) {
                fail(
                        result,
                        Errors.INVALID_PARTITIONS,
                        "The topic was deleted, or got its partitions from another client");
            }
        } catch (IOException e) {
            fail(result, Errors.KAFKA_STORAGE_ERROR, String.valueOf(e.getMessage()));
        }
    }

    private static boolean fail(CreatePartitionsTopicResult result, Errors error, String message) {
        result.setErrorCode(error.code()).setErrorMessage(message);
        return false;
    }
}
