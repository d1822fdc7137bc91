package dev.sluice.broker.api;

import dev.sluice.broker.catalogue.Catalogue;
import dev.sluice.broker.catalogue.Topic;
import dev.sluice.broker.config.ConfigException;
import dev.sluice.broker.config.ConfigKey;
import dev.sluice.broker.config.ConfigView;
import dev.sluice.broker.config.TopicKeys;
import java.io.IOException;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/// Changes what clients have set for a topic or a broker, for both APIs that do. All changes of a resource are made, or
/// none.
final class ConfigChanges {
    /// Longer values could not be read back by Kafka's tools.
    static final int LONGEST_VALUE = Short.MAX_VALUE;

    /// A change of one key.
    ///
    /// @param operation the id of an [OpType]
    record Change(String name, byte operation, @Nullable String value) {}

    /// What became of the changes of a resource.
    ///
    /// @param message null with [Errors#NONE]
    record Outcome(Errors error, @Nullable String message) {
        static final Outcome DONE = new Outcome(Errors.NONE, null);
        static final Outcome NAMED_TWICE =
                new Outcome(Errors.INVALID_REQUEST, "The request names the resource more than once");
    }

    private final Services services;
    private final boolean replacing;
    private final boolean validateOnly;

    /// @param replacing    what is not changed is not set any more
    /// @param validateOnly look whether it can be, and change nothing
    ConfigChanges(Services services, boolean replacing, boolean validateOnly) {
        this.services = services;
        this.replacing = replacing;
        this.validateOnly = validateOnly;
    }

    Outcome make(byte type, String name, List<Change> changes) {
        String problem = problem(changes);
        if (problem != null) {
            return new Outcome(Errors.INVALID_REQUEST, problem);
        }
        ConfigResources.Problem unknown = ConfigResources.problem(services, type, name);
        if (unknown != null) {
            return new Outcome(unknown.error(), unknown.message());
        }
        boolean ofTopic = type == ConfigResource.Type.TOPIC.id();
        try {
            return ofTopic ? changeTopic(name, changes) : changeBroker(name, changes);
        } catch (ConfigException e) {
            return new Outcome(ofTopic ? Errors.INVALID_CONFIG : Errors.INVALID_REQUEST, e.getMessage()); // as in Kafka
        } catch (IOException e) {
            return new Outcome(Errors.KAFKA_STORAGE_ERROR, e.getMessage());
        }
    }

    private static @Nullable String problem(List<Change> changes) {
        Set<String> names = new HashSet<>();
        for (Change change : changes) {
            OpType operation = OpType.forId(change.operation());
            if (operation == null) {
                return "There is no operation " + change.operation();
            }
            if (!names.add(change.name())) {
                return "The request names " + change.name() + " more than once";
            }
            if (change.value() == null && operation != OpType.DELETE) {
                return "The configuration " + change.name() + " has no value";
            }
        }
        return null;
    }

    private Outcome changeTopic(String name, List<Change> changes) throws IOException {
        Catalogue catalogue = services.catalogue();
        Topic topic = catalogue.image().topic(name);
        UnaryOperator<Map<String, String>> change = now -> apply(
                changes, now, set -> ConfigView.ofTopic(set, services.live().settings()));
        if (topic != null && validateOnly) {
            var _ = TopicKeys.settings(services.config().topics(), change.apply(topic.configs()));
            return Outcome.DONE;
        }
        return topic != null && catalogue.configure(topic, change)
                ? Outcome.DONE
                : new Outcome(Errors.UNKNOWN_TOPIC_OR_PARTITION, Errors.UNKNOWN_TOPIC_OR_PARTITION.message());
    }

    private Outcome changeBroker(String name, List<Change> changes) throws IOException {
        services.catalogue()
                .configureBroker(
                        name,
                        settings -> apply(changes, settings.of(name), _ -> ConfigView.ofBroker(settings.seenBy(name))),
                        validateOnly);
        return Outcome.DONE;
    }

    /// @param now  what is set
    /// @param view all that holds, and why, when this is set
    private Map<String, String> apply(
            List<Change> changes,
            Map<String, String> now,
            Function<Map<String, String>, List<ConfigView.Setting>> view) {
        Map<String, String> changed = replacing ? new LinkedHashMap<>() : new LinkedHashMap<>(now);
        for (Change change : changes) {
            String name = change.name();
            String value = change.value() == null ? "" : change.value();
            switch (OpType.forId(change.operation())) {
                case SET -> changed.put(name, value);
                case DELETE -> changed.remove(name);
                case APPEND -> {
                    Set<String> values = values(name, view.apply(now));
                    values.addAll(split(value));
                    changed.put(name, String.join(",", values));
                }
                case SUBTRACT -> {
                    Set<String> values = values(name, view.apply(now));
                    split(value).forEach(values::remove);
                    changed.put(name, String.join(",", values));
                }
            }
        }
        return checked(changed);
    }

    /// What a list holds now, whoever has set it.
    private static Set<String> values(String name, List<ConfigView.Setting> settings) {
        ConfigView.Setting setting = settings.stream()
                .filter(known -> known.key().name().equals(name) && known.key().kind() == ConfigKey.Kind.LIST)
                .findFirst()
                .orElseThrow(() -> new ConfigException(name + " is no list: it can be set and deleted only"));
        return new LinkedHashSet<>(split(setting.value()));
    }

    private static List<String> split(String list) {
        return list.isBlank() ? List.of() : List.of(list.strip().split("\\s*,\\s*"));
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
