package dev.sluice.broker.api;

import dev.sluice.broker.api.ConfigChanges.Outcome;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.common.message.AlterConfigsRequestData;
import org.apache.kafka.common.message.AlterConfigsRequestData.AlterConfigsResource;
import org.apache.kafka.common.message.AlterConfigsRequestData.AlterableConfig;
import org.apache.kafka.common.message.AlterConfigsResponseData;
import org.apache.kafka.common.message.AlterConfigsResponseData.AlterConfigsResourceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;

/// AlterConfigs: sets all that is set for a topic; what the request doesn't name is not set any more.
final class AlterConfigsHandler extends MessageHandler<AlterConfigsRequestData> {
    private static final short FIRST_FLEXIBLE_VERSION = 2;

    AlterConfigsHandler(Services services) {
        super(ApiKeys.ALTER_CONFIGS, services);
    }

    @Override
    int parsedOnLoopBytes() {
        return 0;
    }

    @Override
    BodyScan scan(short version, ByteBuffer body) {
        return new AlterConfigsScan(body, version >= FIRST_FLEXIBLE_VERSION, false);
    }

    @Override
    void handle(AlterConfigsRequestData body, Exchange exchange) {
        offLoop(exchange, () -> {
            AlterConfigsResponseData answer = new AlterConfigsResponseData();
            for (AlterConfigsResource resource : body.resources()) {
                Outcome outcome = body.resources()
                                        .findAll(resource.resourceType(), resource.resourceName())
                                        .size()
                                > 1
                        ? new Outcome(Errors.INVALID_REQUEST, "The request names the resource more than once")
                        : alter(resource, body.validateOnly());
                answer.responses()
                        .add(new AlterConfigsResourceResponse()
                                .setResourceType(resource.resourceType())
                                .setResourceName(resource.resourceName())
                                .setErrorCode(outcome.error().code())
                                .setErrorMessage(outcome.message()));
            }
            return answer;
        });
    }

    private Outcome alter(AlterConfigsResource resource, boolean validateOnly) {
        Map<String, String> wanted = new LinkedHashMap<>();
        for (AlterableConfig config : resource.configs()) {
            if (config.value() == null) {
                return new Outcome(Errors.INVALID_REQUEST, "The configuration " + config.name() + " has no value");
            }
            if (wanted.put(config.name(), config.value()) != null) {
                return new Outcome(Errors.INVALID_REQUEST, "The request names " + config.name() + " more than once");
            }
        }
        return ConfigChanges.make(
                services,
                resource.resourceType(),
                resource.resourceName(),
                _ -> ConfigChanges.checked(wanted),
                validateOnly);
    }
}
