package dev.sluice.broker.api;

import dev.sluice.broker.catalogue.Topic;
import dev.sluice.broker.config.BrokerKeys;
import dev.sluice.broker.config.BrokerSettings;
import dev.sluice.broker.config.ConfigView;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.message.DescribeConfigsRequestData;
import org.apache.kafka.common.message.DescribeConfigsRequestData.DescribeConfigsResource;
import org.apache.kafka.common.message.DescribeConfigsResponseData;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;

/// DescribeConfigs: what holds for topics and for this broker, and why. Under the empty name, which stands for all
/// brokers, only what clients have set for them.
final class DescribeConfigsHandler extends MessageHandler<DescribeConfigsRequestData> {
    /// Resources described on the loop; more would keep its other connections waiting.
    private static final int MOST_ON_LOOP = 20;

    DescribeConfigsHandler(Services services) {
        super(ApiKeys.DESCRIBE_CONFIGS, services);
    }

    @Override
    void handle(DescribeConfigsRequestData body, Exchange exchange) {
        if (body.resources().size() > MOST_ON_LOOP) {
            aside(exchange, () -> describe(body));
        } else {
            exchange.answer(describe(body));
        }
    }

    private DescribeConfigsResponseData describe(DescribeConfigsRequestData body) {
        return new DescribeConfigsResponseData()
                .setResults(body.resources().stream()
                        .map(resource -> describe(resource, body))
                        .toList());
    }

    private DescribeConfigsResult describe(DescribeConfigsResource resource, DescribeConfigsRequestData body) {
        DescribeConfigsResult result = new DescribeConfigsResult()
                .setResourceType(resource.resourceType())
                .setResourceName(resource.resourceName());
        String name = resource.resourceName();
        ConfigResources.Problem problem = ConfigResources.problem(services, resource.resourceType(), name);
        if (problem != null) {
            return result.setErrorCode(problem.error().code()).setErrorMessage(problem.message());
        }
        boolean ofTopic = resource.resourceType() == ConfigResource.Type.TOPIC.id();
        List<ConfigView.Setting> settings;
        if (ofTopic) {
            Topic topic = services.catalogue().image().topic(name);
            if (topic == null) {
                return result.setErrorCode(Errors.UNKNOWN_TOPIC_OR_PARTITION.code())
                        .setErrorMessage(Errors.UNKNOWN_TOPIC_OR_PARTITION.message());
            }
            settings = ConfigView.ofTopic(topic.configs(), services.live().settings());
        } else {
            BrokerSettings broker = services.live().settings();
            settings = name.equals(BrokerSettings.ALL) ? ConfigView.ofAllBrokers(broker) : ConfigView.ofBroker(broker);
        }
        Set<String> asked = resource.configurationKeys() == null ? null : new HashSet<>(resource.configurationKeys());
        return result.setConfigs(settings.stream()
                .filter(setting -> asked == null || asked.contains(setting.key().name()))
                .map(setting -> ConfigAnswers.described(
                        setting,
                        !ofTopic && !BrokerKeys.isDynamic(setting.key().name()),
                        body.includeSynonyms(),
                        body.includeDocumentation()))
                .toList());
    }
}
