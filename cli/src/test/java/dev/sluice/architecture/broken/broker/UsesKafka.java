package dev.sluice.architecture.broken.broker;

import org.apache.kafka.common.TopicPartition;

/// Breaks nothing: Kafka's client classes are for the whole broker.
public interface UsesKafka {
    TopicPartition used();
}
