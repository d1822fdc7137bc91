package dev.sluice.broker.api;

import dev.sluice.broker.catalogue.CatalogueImage;
import dev.sluice.broker.catalogue.Topic;
import dev.sluice.broker.catalogue.TopicNames;
import dev.sluice.broker.partition.Partition;
import dev.sluice.log.ProducerSummary;
import java.util.List;
import org.apache.kafka.common.message.DescribeProducersRequestData;
import org.apache.kafka.common.message.DescribeProducersRequestData.TopicRequest;
import org.apache.kafka.common.message.DescribeProducersResponseData;
import org.apache.kafka.common.message.DescribeProducersResponseData.PartitionResponse;
import org.apache.kafka.common.message.DescribeProducersResponseData.ProducerState;
import org.apache.kafka.common.message.DescribeProducersResponseData.TopicResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/// DescribeProducers: which idempotent producers a partition remembers.
final class DescribeProducersHandler extends MessageHandler<DescribeProducersRequestData> {
    DescribeProducersHandler(Services services) {
        super(ApiKeys.DESCRIBE_PRODUCERS, services);
    }

    /// A partition may remember very many, and an append may hold its lock: off the loop.
    @Override
    void handle(DescribeProducersRequestData body, Exchange exchange) {
        offLoop(exchange, () -> {
            CatalogueImage image = services.catalogue().image();
            return new DescribeProducersResponseData()
                    .setTopics(body.topics().stream()
                            .map(asked -> describe(asked, image.topic(asked.name())))
                            .toList());
        });
    }

    private static TopicResponse describe(TopicRequest asked, @Nullable Topic topic) {
        return new TopicResponse()
                .setName(asked.name())
                .setPartitions(asked.partitionIndexes().stream()
                        .map(index -> describe(asked.name(), topic, index))
                        .toList());
    }

    private static PartitionResponse describe(String name, @Nullable Topic topic, int index) {
        PartitionResponse answer = new PartitionResponse().setPartitionIndex(index);
        Partition partition = topic == null ? null : topic.partition(index);
        if (partition == null) {
            boolean impossible = TopicNames.problem(name).isPresent();
            return answer.setErrorCode(
                    (impossible ? Errors.INVALID_TOPIC_EXCEPTION : Errors.UNKNOWN_TOPIC_OR_PARTITION).code());
        }
        List<ProducerSummary> producers = partition.log().producers();
        return answer.setActiveProducers(producers.stream()
                .map(producer -> new ProducerState()
                        .setProducerId(producer.id())
                        .setProducerEpoch(producer.epoch())
                        .setLastSequence(producer.lastSequence())
                        .setLastTimestamp(producer.lastTimestampMs())
                        .setCoordinatorEpoch(producer.coordinatorEpoch())
                        .setCurrentTxnStartOffset(producer.transactionFirstOffset()))
                .toList());
    }
}
