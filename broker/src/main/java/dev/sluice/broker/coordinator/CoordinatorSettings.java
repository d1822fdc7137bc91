package dev.sluice.broker.coordinator;

import dev.sluice.broker.config.GroupConfig;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.coordinator.group.GroupConfigManager;
import org.apache.kafka.coordinator.group.GroupCoordinatorConfig;
import org.apache.kafka.coordinator.group.modern.share.ShareGroupConfig;

/// Our configuration, as Kafka's coordinator wants it. What we offer no key for has Kafka's default.
///
/// @param coordinator of all groups
/// @param perGroup    where the configuration of single groups would be, which is not offered
record CoordinatorSettings(GroupCoordinatorConfig coordinator, GroupConfigManager perGroup) {
    static CoordinatorSettings of(GroupConfig config) {
        ConfigDef keys = Utils.mergeConfigs(List.of(GroupCoordinatorConfig.CONFIG_DEF, ShareGroupConfig.CONFIG_DEF));
        AbstractConfig parsed = new AbstractConfig(keys, values(config), false);
        GroupCoordinatorConfig coordinator = new GroupCoordinatorConfig(parsed);
        ShareGroupConfig share = new ShareGroupConfig(parsed);
        return new CoordinatorSettings(
                coordinator, new GroupConfigManager(coordinator.extractGroupConfigMap(share), coordinator, share));
    }

    private static Map<String, Object> values(GroupConfig config) {
        Map<String, Object> values = new LinkedHashMap<>();
        // One partition is served by one thread in any case, and our one-node broker has one by default. The second
        // works out assignments and regular expressions.
        values.put(GroupCoordinatorConfig.GROUP_COORDINATOR_NUM_THREADS_CONFIG, 1);
        values.put(GroupCoordinatorConfig.GROUP_COORDINATOR_NUM_BACKGROUND_THREADS_CONFIG, 1);
        values.put(GroupCoordinatorConfig.OFFSETS_RETENTION_MINUTES_CONFIG, config.offsetsRetentionMinutes());
        values.put(GroupCoordinatorConfig.OFFSETS_RETENTION_CHECK_INTERVAL_MS_CONFIG, config.retentionCheckMs());
        values.put(GroupCoordinatorConfig.OFFSET_METADATA_MAX_SIZE_CONFIG, config.metadataMaxBytes());
        values.put(GroupCoordinatorConfig.GROUP_INITIAL_REBALANCE_DELAY_MS_CONFIG, config.initialRebalanceDelayMs());
        values.put(GroupCoordinatorConfig.GROUP_MIN_SESSION_TIMEOUT_MS_CONFIG, config.minSessionTimeoutMs());
        values.put(GroupCoordinatorConfig.GROUP_MAX_SESSION_TIMEOUT_MS_CONFIG, config.maxSessionTimeoutMs());
        values.put(GroupCoordinatorConfig.GROUP_MAX_SIZE_CONFIG, config.maxSize());
        // The bounds are those of groups with settings of their own, which are not offered.
        values.put(GroupCoordinatorConfig.CONSUMER_GROUP_SESSION_TIMEOUT_MS_CONFIG, config.consumerSessionTimeoutMs());
        values.put(
                GroupCoordinatorConfig.CONSUMER_GROUP_MIN_SESSION_TIMEOUT_MS_CONFIG, config.consumerSessionTimeoutMs());
        values.put(
                GroupCoordinatorConfig.CONSUMER_GROUP_MAX_SESSION_TIMEOUT_MS_CONFIG, config.consumerSessionTimeoutMs());
        values.put(GroupCoordinatorConfig.CONSUMER_GROUP_HEARTBEAT_INTERVAL_MS_CONFIG, config.consumerHeartbeatMs());
        values.put(
                GroupCoordinatorConfig.CONSUMER_GROUP_MIN_HEARTBEAT_INTERVAL_MS_CONFIG, config.consumerHeartbeatMs());
        values.put(
                GroupCoordinatorConfig.CONSUMER_GROUP_MAX_HEARTBEAT_INTERVAL_MS_CONFIG, config.consumerHeartbeatMs());
        values.put(GroupCoordinatorConfig.CONSUMER_GROUP_MAX_SIZE_CONFIG, config.consumerMaxSize());
        return values;
    }
}
