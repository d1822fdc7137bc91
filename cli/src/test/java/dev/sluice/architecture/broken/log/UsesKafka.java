package dev.sluice.architecture.broken.log;

import org.apache.kafka.common.TopicPartition;

/// Breaks a rule: log is useful without Kafka.
public interface UsesKafka {
    TopicPartition used();
}
