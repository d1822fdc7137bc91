package dev.sluice.broker.api;

import dev.sluice.broker.api.ConfigChanges.Change;
import dev.sluice.broker.api.ConfigChanges.Outcome;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.common.message.AlterConfigsRequestData;
import org.apache.kafka.common.message.AlterConfigsRequestData.AlterConfigsResource;
import org.apache.kafka.common.message.AlterConfigsResponseData;
import org.apache.kafka.common.message.AlterConfigsResponseData.AlterConfigsResourceResponse;
import org.apache.kafka.common.protocol.ApiKeys;

/// AlterConfigs: sets all that is set for a topic or a broker; what the request doesn't name is not set any more.
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
            ConfigChanges configs = new ConfigChanges(services, true, body.validateOnly());
            AlterConfigsResponseData answer = new AlterConfigsResponseData();
            for (AlterConfigsResource resource : body.resources()) {
                Outcome outcome = body.resources()
                                        .findAll(resource.resourceType(), resource.resourceName())
                                        .size()
                                > 1
                        ? Outcome.NAMED_TWICE
                        : configs.make(resource.resourceType(), resource.resourceName(), changes(resource));
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

    private static List<Change> changes(AlterConfigsResource resource) {
        return resource.configs().stream()
                .map(config -> new Change(config.name(), OpType.SET.id(), config.value()))
                .toList();
    }
}
