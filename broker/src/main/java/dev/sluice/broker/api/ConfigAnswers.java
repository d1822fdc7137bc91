package dev.sluice.broker.api;

import dev.sluice.broker.config.BrokerSettings;
import dev.sluice.broker.config.ConfigKey;
import dev.sluice.broker.config.ConfigView;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicConfigs;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResourceResult;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsSynonym;
import org.apache.kafka.common.requests.DescribeConfigsResponse.ConfigSource;
import org.apache.kafka.common.requests.DescribeConfigsResponse.ConfigType;

/// Settings as Kafka's messages tell them.
final class ConfigAnswers {
    private ConfigAnswers() {}

    /// What a topic that is made with these configs has.
    static List<CreatableTopicConfigs> created(Map<String, String> configs, BrokerSettings broker) {
        return ConfigView.ofTopic(configs, broker).stream()
                .map(setting -> new CreatableTopicConfigs()
                        .setName(setting.key().name())
                        .setValue(setting.value())
                        .setReadOnly(false)
                        .setConfigSource(source(setting.source()))
                        .setIsSensitive(false))
                .toList();
    }

    static DescribeConfigsResourceResult described(
            ConfigView.Setting setting, boolean readOnly, boolean synonyms, boolean documentation) {
        DescribeConfigsResourceResult result = new DescribeConfigsResourceResult()
                .setName(setting.key().name())
                .setValue(setting.value())
                .setReadOnly(readOnly)
                .setConfigSource(source(setting.source()))
                .setIsSensitive(false)
                .setConfigType(type(setting.key().kind()))
                .setDocumentation(documentation ? setting.key().meaning() : null);
        if (synonyms) {
            result.setSynonyms(setting.synonyms().stream()
                    .map(synonym -> new DescribeConfigsSynonym()
                            .setName(synonym.name())
                            .setValue(synonym.value())
                            .setSource(source(synonym.source())))
                    .toList());
        }
        return result;
    }

    private static byte source(ConfigView.Source source) {
        ConfigSource told = switch (source) {
            case TOPIC -> ConfigSource.TOPIC_CONFIG;
            case BROKER -> ConfigSource.DYNAMIC_BROKER_CONFIG;
            case ALL_BROKERS -> ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG;
            case FILE -> ConfigSource.STATIC_BROKER_CONFIG;
            case DEFAULT -> ConfigSource.DEFAULT_CONFIG;
        };
        return told.id();
    }

    private static byte type(ConfigKey.Kind kind) {
        ConfigType told = switch (kind) {
            case BOOLEAN -> ConfigType.BOOLEAN;
            case TEXT -> ConfigType.STRING;
            case INT -> ConfigType.INT;
            case LONG -> ConfigType.LONG;
            case DOUBLE -> ConfigType.DOUBLE;
            case LIST -> ConfigType.LIST;
        };
        return told.id();
    }
}
