package dev.sluice.broker.api;

import dev.sluice.broker.api.ConfigChanges.Outcome;
import dev.sluice.broker.config.ConfigException;
import dev.sluice.broker.config.ConfigKey;
import dev.sluice.broker.config.ConfigView;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterConfigsResource;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterableConfig;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData.AlterConfigsResourceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;

/// IncrementalAlterConfigs: changes single keys of a topic. A resource's changes are made together or not at all.
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
            IncrementalAlterConfigsResponseData answer = new IncrementalAlterConfigsResponseData();
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
        Set<String> names = new HashSet<>();
        for (AlterableConfig config : resource.configs()) {
            OpType operation = OpType.forId(config.configOperation());
            if (operation == null) {
                return new Outcome(Errors.INVALID_REQUEST, "There is no operation " + config.configOperation());
            }
            if (!names.add(config.name())) {
                return new Outcome(Errors.INVALID_REQUEST, "The request names " + config.name() + " more than once");
            }
            if (config.value() == null && operation != OpType.DELETE) {
                return new Outcome(Errors.INVALID_REQUEST, "The configuration " + config.name() + " has no value");
            }
        }
        return ConfigChanges.make(
                services, resource.resourceType(), resource.resourceName(), now -> change(now, resource), validateOnly);
    }

    private Map<String, String> change(Map<String, String> now, AlterConfigsResource resource) {
        Map<String, String> changed = new LinkedHashMap<>(now);
        for (AlterableConfig config : resource.configs()) {
            String name = config.name();
            switch (OpType.forId(config.configOperation())) {
                case SET -> changed.put(name, config.value());
                case DELETE -> changed.remove(name);
                case APPEND -> {
                    Set<String> values = values(name, now);
                    values.addAll(split(config.value()));
                    changed.put(name, String.join(",", values));
                }
                case SUBTRACT -> {
                    Set<String> values = values(name, now);
                    split(config.value()).forEach(values::remove);
                    changed.put(name, String.join(",", values));
                }
            }
        }
        return ConfigChanges.checked(changed);
    }

    /// What a list holds now, whoever has set it.
    private Set<String> values(String name, Map<String, String> now) {
        ConfigView.Setting setting = ConfigView.ofTopic(now, services.config().given()).stream()
                .filter(known -> known.key().name().equals(name) && known.key().kind() == ConfigKey.Kind.LIST)
                .findFirst()
                .orElseThrow(() -> new ConfigException(name + " is no list: it can be set and deleted only"));
        return new LinkedHashSet<>(split(setting.value()));
    }

    private static List<String> split(String list) {
        return list.isBlank() ? List.of() : List.of(list.strip().split("\\s*,\\s*"));
    }
}
