package dev.sluice.broker.config;

import dev.sluice.log.LogConfig;

/// All that is set for a topic, or by default for every topic.
///
/// @param log     how its partitions' logs behave
/// @param records what it asks of records
public record TopicSettings(LogConfig log, RecordRules records) {
    public static final TopicSettings DEFAULT = new TopicSettings(LogConfig.DEFAULT, RecordRules.DEFAULT);

    TopicSettings withLog(LogConfig newLog) {
        return new TopicSettings(newLog, records);
    }

    TopicSettings withRecords(RecordRules newRecords) {
        return new TopicSettings(log, newRecords);
    }
}
