package dev.sluice.broker.api;

import dev.sluice.broker.catalogue.Topic;
import dev.sluice.broker.config.ConfigException;
import dev.sluice.broker.config.TopicKeys;
import java.io.IOException;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/// Changes what is set for a topic, for both APIs that do.
final class ConfigChanges {
    /// Longer values could not be read back by Kafka's tools.
    static final int LONGEST_VALUE = Short.MAX_VALUE;

    /// What became of a change.
    ///
    /// @param message null with [Errors#NONE]
    record Outcome(Errors error, @Nullable String message) {
        static final Outcome DONE = new Outcome(Errors.NONE, null);
    }

    private ConfigChanges() {}

    /// @param change       makes of what is set now what shall be; may throw a ConfigException
    /// @param validateOnly look whether it can be, and change nothing
    static Outcome make(
            Services services,
            byte type,
            String name,
            UnaryOperator<Map<String, String>> change,
            boolean validateOnly) {
        ConfigResources.Problem problem = ConfigResources.problem(services, type, name);
        if (problem != null) {
            return new Outcome(problem.error(), problem.message());
        }
        if (type != ConfigResource.Type.TOPIC.id()) {
            return new Outcome(
                    Errors.INVALID_REQUEST,
                    "A broker's configuration is read when it starts: set it in its properties file or with --set, and"
                            + " restart it");
        }
        Topic topic = services.catalogue().image().topic(name);
        try {
            if (topic != null && validateOnly) {
                var _ = TopicKeys.settings(services.config().topics(), change.apply(topic.configs()));
                return Outcome.DONE;
            }
            return topic != null && services.catalogue().configure(topic, change)
                    ? Outcome.DONE
                    : new Outcome(Errors.UNKNOWN_TOPIC_OR_PARTITION, Errors.UNKNOWN_TOPIC_OR_PARTITION.message());
        } catch (ConfigException e) {
            return new Outcome(Errors.INVALID_CONFIG, e.getMessage());
        } catch (IOException e) {
            return new Outcome(Errors.KAFKA_STORAGE_ERROR, e.getMessage());
        }
    }

    /// @throws ConfigException when a value is too long to be stored
    static Map<String, String> checked(Map<String, String> configs) {
        configs.forEach((name, value) -> {
            if (value.length() > LONGEST_VALUE) {
                throw new ConfigException("The value of " + name + " has more than " + LONGEST_VALUE + " characters");
            }
        });
        return configs;
    }
}
