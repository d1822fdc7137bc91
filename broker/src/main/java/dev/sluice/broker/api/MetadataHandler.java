package dev.sluice.broker.api;

import dev.sluice.broker.catalogue.CatalogueImage;
import dev.sluice.broker.catalogue.Topic;
import dev.sluice.broker.catalogue.TopicNames;
import dev.sluice.broker.partition.Partition;
import dev.sluice.broker.protocol.MalformedRequestException;
import dev.sluice.io.linux.ErrnoException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataRequestData.MetadataRequestTopic;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseBroker;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseBrokerCollection;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponsePartition;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopic;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopicCollection;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;

/// Metadata: where the topics are, which is here; and makes those that are asked for by name, where that is allowed.
final class MetadataHandler extends MessageHandler<MetadataRequestData> {
    private static final short FIRST_WITH_NULL_FOR_ALL = 1;
    private static final short FIRST_WITH_CHOICE_TO_CREATE = 4;

    /// Versions 10 and 11 have a field for it, but not its meaning.
    private static final short FIRST_WITH_IDS = 12;

    /// Topics described on the loop; more would keep its other connections waiting.
    private static final int MOST_ON_LOOP = 1_000;

    MetadataHandler(Services services) {
        super(ApiKeys.METADATA, services);
    }

    @Override
    public int largestFrameBytes() {
        return Dispatcher.LARGEST_FRAME_OF_PARTITIONS_BYTES;
    }

    @Override
    void handle(MetadataRequestData body, Exchange exchange) {
        List<MetadataRequestTopic> asked = body.topics();
        boolean all = asked == null || (exchange.version() < FIRST_WITH_NULL_FOR_ALL && asked.isEmpty());
        if (!all && exchange.version() < FIRST_WITH_IDS && asked.stream().anyMatch(MetadataHandler::isById)) {
            exchange.answer(new MetadataResponseData()
                    .setTopics(
                            collect(asked.stream().map(MetadataHandler::refuse).toList())));
            return;
        }
        MetadataResponseData answer;
        try {
            answer = cluster(exchange);
        } catch (ErrnoException e) {
            exchange.request().close(e.getMessage());
            return;
        }
        CatalogueImage image = services.catalogue().image();
        if (all) {
            describe(image.topics().size(), exchange, () -> answer.setTopics(describeAll(image)));
            return;
        }
        boolean mayCreate = services.config().autoCreateTopics()
                && (exchange.version() < FIRST_WITH_CHOICE_TO_CREATE || body.allowAutoTopicCreation());
        if (mayCreate && asked.stream().anyMatch(topic -> isNew(topic, image))) {
            offLoop(exchange, () -> {
                int partitions = services.config().defaultPartitions();
                asked.stream()
                        .filter(topic -> isNew(topic, image))
                        .forEach(topic -> services.catalogue().createOnDemand(topic.name(), partitions));
                return answer.setTopics(describe(asked, services.catalogue().image()));
            });
        } else {
            describe(asked.size(), exchange, () -> answer.setTopics(describe(asked, image)));
        }
    }

    /// Answers at once, or, when there is much to describe, from another thread.
    private void describe(int topics, Exchange exchange, Supplier<MetadataResponseData> answer) {
        if (topics > MOST_ON_LOOP) {
            aside(exchange, answer::get);
        } else {
            exchange.answer(answer.get());
        }
    }

    private static boolean isById(MetadataRequestTopic asked) {
        return asked.name() == null || !asked.topicId().equals(Uuid.ZERO_UUID);
    }

    private static MetadataResponseTopic refuse(MetadataRequestTopic asked) {
        return new MetadataResponseTopic()
                .setErrorCode(Errors.INVALID_REQUEST.code())
                .setName(asked.name() == null ? "" : asked.name())
                .setTopicId(asked.topicId());
    }

    private MetadataResponseData cluster(Exchange exchange) throws ErrnoException {
        InetSocketAddress address =
                exchange.request().listener().advertisedTo(exchange.request().socket());
        MetadataResponseBrokerCollection brokers = new MetadataResponseBrokerCollection();
        brokers.add(new MetadataResponseBroker()
                .setNodeId(services.config().nodeId())
                .setHost(address.getHostString())
                .setPort(address.getPort()));
        return new MetadataResponseData()
                .setBrokers(brokers)
                .setClusterId(services.clusterId())
                .setControllerId(services.config().nodeId());
    }

    private static boolean isNew(MetadataRequestTopic asked, CatalogueImage image) {
        return asked.name() != null
                && !TopicNames.isInternal(asked.name())
                && image.topic(asked.name()) == null
                && image.colliding(asked.name()) == null
                && TopicNames.problem(asked.name()).isEmpty();
    }

    private MetadataResponseTopicCollection describeAll(CatalogueImage image) {
        int count = image.topics().size();
        MetadataResponseTopicCollection answers = new MetadataResponseTopicCollection(Collisions.room(count));
        image.topics().forEach(topic -> answers.add(describe(topic)));
        return answers;
    }

    /// A topic that is asked for more than once is answered once.
    private MetadataResponseTopicCollection describe(List<MetadataRequestTopic> asked, CatalogueImage image) {
        Set<String> names = new HashSet<>();
        List<MetadataResponseTopic> answers = new ArrayList<>(asked.size());
        for (MetadataRequestTopic topic : asked) {
            MetadataResponseTopic answer = describe(topic, image);
            if (answer.name() == null || names.add(answer.name())) {
                answers.add(answer);
            }
        }
        return collect(answers);
    }

    private static MetadataResponseTopicCollection collect(List<MetadataResponseTopic> answers) {
        Collisions.Hashes hashes = new Collisions.Hashes();
        answers.forEach(answer -> hashes.add(answer.hashCode()));
        if (!hashes.areCheapToAdd()) {
            throw new MalformedRequestException("Metadata", 0, "more names with equal hash codes than chance makes");
        }
        MetadataResponseTopicCollection collection =
                new MetadataResponseTopicCollection(Collisions.room(answers.size()));
        collection.addAll(answers);
        return collection;
    }

    private MetadataResponseTopic describe(MetadataRequestTopic asked, CatalogueImage image) {
        if (asked.name() == null) {
            Topic known = image.topic(id(asked.topicId()));
            return known != null
                    ? describe(known)
                    : new MetadataResponseTopic()
                            .setErrorCode(Errors.UNKNOWN_TOPIC_ID.code())
                            .setName(null)
                            .setTopicId(asked.topicId());
        }
        Topic known = image.topic(asked.name());
        if (known != null) {
            return describe(known);
        }
        Errors error = TopicNames.problem(asked.name()).isPresent()
                ? Errors.INVALID_TOPIC_EXCEPTION
                : Errors.UNKNOWN_TOPIC_OR_PARTITION;
        return new MetadataResponseTopic().setErrorCode(error.code()).setName(asked.name());
    }

    private MetadataResponseTopic describe(Topic topic) {
        List<Integer> here = List.of(services.config().nodeId());
        return new MetadataResponseTopic()
                .setName(topic.name())
                .setTopicId(id(topic.id()))
                .setIsInternal(TopicNames.isInternal(topic.name()))
                .setPartitions(topic.partitions().stream()
                        .map(partition -> describe(partition, here))
                        .toList());
    }

    private MetadataResponsePartition describe(Partition partition, List<Integer> here) {
        return new MetadataResponsePartition()
                .setPartitionIndex(partition.index())
                .setLeaderId(services.config().nodeId())
                .setLeaderEpoch(partition.log().leaderEpoch())
                .setReplicaNodes(here)
                .setIsrNodes(here)
                .setOfflineReplicas(List.of());
    }

    static Uuid id(UUID id) {
        return new Uuid(id.getMostSignificantBits(), id.getLeastSignificantBits());
    }

    static UUID id(Uuid id) {
        return new UUID(id.getMostSignificantBits(), id.getLeastSignificantBits());
    }
}
