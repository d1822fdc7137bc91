package dev.sluice.cli;

import dev.sluice.broker.config.Nearest;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;

/// Which of Kafka's clients a command uses, and so which settings it takes with `--property`.
///
/// Kafka's clients take any name in silence and go on without what was meant. Here it is refused, as the broker refuses
/// a name that it does not know. None of Kafka's classes is loaded where nothing is set.
enum KafkaClient {
    ADMIN("admin client"),
    PRODUCER("producer"),
    CONSUMER("consumer"),
    /// The command uses none, and takes what the others take.
    NONE("clients");

    private final String label;

    KafkaClient(String label) {
        this.label = label;
    }

    private Set<String> known() {
        return switch (this) {
            case ADMIN -> AdminClientConfig.configNames();
            case PRODUCER -> ProducerConfig.configNames();
            case CONSUMER -> ConsumerConfig.configNames();
            case NONE -> knownToAny();
        };
    }

    private static Set<String> knownToAny() {
        Set<String> all = new HashSet<>(ADMIN.known());
        all.addAll(PRODUCER.known());
        all.addAll(CONSUMER.known());
        return all;
    }

    /// @throws CommandFailure when a name is none of the client's. Beside a class of the user's own anything goes:
    ///     Kafka hands all settings to it, and only it knows its own.
    void check(Map<String, String> properties) throws CommandFailure {
        if (properties.isEmpty() || properties.keySet().stream().anyMatch(KafkaClient::isOfClasses)) {
            return;
        }
        Set<String> known = known();
        for (String name : properties.keySet()) {
            if (name.startsWith("sluice.")) {
                throw CommandFailure.usage("--property " + name
                        + ": what begins with sluice. is a setting of the broker: sluice broker --set KEY=VALUE");
            }
            if (!known.contains(name)) {
                throw CommandFailure.usage("--property " + name + ": not a setting of Kafka's " + label
                        + "; the nearest is " + Nearest.of(name, known.stream().sorted()));
            }
        }
    }

    private static boolean isOfClasses(String name) {
        return name.endsWith(".class")
                || name.endsWith(".classes")
                || name.equals("metric.reporters")
                || name.equals("security.providers")
                || name.equals("config.providers");
    }
}
