package dev.sluice.broker.api;

import dev.sluice.broker.api.ConfigChanges.Change;
import dev.sluice.broker.api.ConfigChanges.Outcome;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterConfigsResource;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData.AlterConfigsResourceResponse;
import org.apache.kafka.common.protocol.ApiKeys;

/// IncrementalAlterConfigs: changes single keys of a topic or a broker. A resource's changes are made together or not
/// at all.
final class IncrementalAlterConfigsHandler extends MessageHandler<IncrementalAlterConfigsRequestData> {
    private static final short FIRST_FLEXIBLE_VERSION = 1;

    IncrementalAlterConfigsHandler(Services services) {
        super(ApiKeys.INCREMENTAL_ALTER_CONFIGS, services);
    }

    @Override
    int parsedOnLoopBytes() {
        return 0;
    }

    @Override
    BodyScan scan(short version, ByteBuffer body) {
        return new AlterConfigsScan(body, version >= FIRST_FLEXIBLE_VERSION, true);
    }

    @Override
    void handle(IncrementalAlterConfigsRequestData body, Exchange exchange) {
        offLoop(exchange, () -> {
            ConfigChanges configs = new ConfigChanges(services, false, body.validateOnly());
            IncrementalAlterConfigsResponseData answer = new IncrementalAlterConfigsResponseData();
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
                .map(config -> new Change(config.name(), config.configOperation(), config.value()))
                .toList();
    }
}
