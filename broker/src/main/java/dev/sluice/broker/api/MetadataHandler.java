package dev.sluice.broker.api;

import dev.sluice.broker.catalogue.Catalogue;
import dev.sluice.broker.catalogue.CatalogueImage;
import dev.sluice.broker.catalogue.Topic;
import dev.sluice.broker.catalogue.TopicNames;
import dev.sluice.broker.partition.Partition;
import dev.sluice.io.linux.ErrnoException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.UUID;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Metadata: where the topics are, which is here; and makes those that are asked for by name, where that is allowed.
final class MetadataHandler extends MessageHandler<MetadataRequestData> {
    private static final Logger LOG = LoggerFactory.getLogger(MetadataHandler.class);

    private static final short FIRST_WITH_NULL_FOR_ALL = 1;
    private static final short FIRST_WITH_CHOICE_TO_CREATE = 4;

    MetadataHandler(Services services) {
        super(ApiKeys.METADATA, services);
    }

    @Override
    public int largestFrameBytes() {
        return Dispatcher.LARGEST_FRAME_OF_PARTITIONS_BYTES;
    }

    @Override
    void handle(MetadataRequestData body, Exchange exchange) {
        MetadataResponseData answer;
        try {
            answer = cluster(exchange);
        } catch (ErrnoException e) {
            exchange.request().close(e.getMessage());
            return;
        }
        CatalogueImage image = services.catalogue().image();
        List<MetadataRequestTopic> asked = body.topics();
        boolean all = asked == null || (exchange.version() < FIRST_WITH_NULL_FOR_ALL && asked.isEmpty());
        if (all) {
            image.topics().forEach(topic -> answer.topics().add(describe(topic)));
            exchange.answer(answer);
            return;
        }
        boolean mayCreate = services.config().autoCreateTopics()
                && (exchange.version() < FIRST_WITH_CHOICE_TO_CREATE || body.allowAutoTopicCreation());
        if (mayCreate && asked.stream().anyMatch(topic -> isNew(topic, image))) {
            offLoop(exchange, () -> {
                asked.stream().filter(topic -> isNew(topic, image)).forEach(topic -> create(topic.name()));
                describeAll(asked, services.catalogue().image(), answer.topics());
                return answer;
            });
        } else {
            describeAll(asked, image, answer.topics());
            exchange.answer(answer);
        }
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
                .setControllerId(services.config().nodeId())
                .setTopics(new MetadataResponseTopicCollection());
    }

    private static boolean isNew(MetadataRequestTopic asked, CatalogueImage image) {
        return asked.name() != null
                && image.topic(asked.name()) == null
                && TopicNames.problem(asked.name()).isEmpty();
    }

    private void create(String name) {
        try {
            services.catalogue().create(name, services.config().defaultPartitions(), Map.of());
        } catch (Catalogue.TopicExistsException e) {
            // somebody else asked for it at the same time: good
        } catch (IOException e) {
            LOG.error("Topic {} could not be made", name, e);
        }
    }

    private void describeAll(
            List<MetadataRequestTopic> asked, CatalogueImage image, MetadataResponseTopicCollection answers) {
        for (MetadataRequestTopic topic : asked) {
            MetadataResponseTopic answer = describe(topic, image);
            if (answer.name() == null || answers.find(answer.name()) == null) {
                answers.add(answer);
            }
        }
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
