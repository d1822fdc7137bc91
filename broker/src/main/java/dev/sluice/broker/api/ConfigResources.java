package dev.sluice.broker.api;

import dev.sluice.broker.catalogue.TopicNames;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/// What can be configured here: topics, and the one broker, whose name is its number or, for all brokers, empty.
final class ConfigResources {
    /// Why a resource has no configuration.
    record Problem(Errors error, String message) {}

    private ConfigResources() {}

    /// @return null when there may be such a resource
    static @Nullable Problem problem(Services services, byte type, String name) {
        return switch (ConfigResource.Type.forId(type)) {
            case TOPIC ->
                TopicNames.problem(name)
                        .map(what -> new Problem(Errors.INVALID_TOPIC_EXCEPTION, what))
                        .orElse(null);
            case BROKER -> {
                String here = Integer.toString(services.config().nodeId());
                yield name.isEmpty() || name.equals(here)
                        ? null
                        : new Problem(
                                Errors.INVALID_REQUEST, "The only broker is " + here + "; there is no broker " + name);
            }
            default ->
                new Problem(
                        Errors.INVALID_REQUEST,
                        "Only topics and brokers have configurations here, not resources of type "
                                + ConfigResource.Type.forId(type));
        };
    }
}
