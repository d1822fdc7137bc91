package dev.sluice.broker.config;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// The settings that hold for a topic or the broker, each with where it comes from, as clients are told.
public final class ConfigView {
    /// Where a value comes from.
    public enum Source {
        TOPIC,
        /// Set by clients for this broker.
        BROKER,
        /// Set by clients for all brokers.
        ALL_BROKERS,
        /// What the broker was started with.
        FILE,
        DEFAULT
    }

    /// One of the places that say what the value is, the first of which holds.
    public record Synonym(String name, String value, Source source) {}

    /// @param synonyms at least one: where the value comes from, and what would hold without that
    public record Setting(ConfigKey<?> key, List<Synonym> synonyms) {
        public String value() {
            return synonyms.getFirst().value();
        }

        public Source source() {
            return synonyms.getFirst().source();
        }
    }

    private ConfigView() {}

    /// @param own    what is set for the topic
    /// @param broker what is set for the broker
    public static List<Setting> ofTopic(Map<String, String> own, BrokerSettings broker) {
        Map<String, String> inherited = TopicKeys.inherited();
        List<Setting> settings = new ArrayList<>();
        for (ConfigKey<?> key : TopicKeys.all()) {
            List<Synonym> synonyms = new ArrayList<>(3);
            add(synonyms, key.name(), own, Source.TOPIC);
            layers(broker)
                    .forEach((source, set) -> TopicKeys.inherited(key.name(), set)
                            .forEach(each -> synonyms.add(new Synonym(each.name(), each.value(), source))));
            String brokerName = inherited.get(key.name());
            String defaultName = brokerName != null ? brokerName : UnusedTopicKeys.brokersName(key.name());
            synonyms.add(new Synonym(defaultName, key.defaultValue(), Source.DEFAULT));
            settings.add(new Setting(key, synonyms));
        }
        return settings;
    }

    /// What holds for this broker.
    public static List<Setting> ofBroker(BrokerSettings broker) {
        List<Setting> settings = new ArrayList<>();
        for (ConfigKey<?> key : BrokerKeys.all()) {
            List<Synonym> synonyms = new ArrayList<>(2);
            layers(broker).forEach((source, set) -> add(synonyms, key.name(), set, source));
            synonyms.add(new Synonym(key.name(), key.defaultValue(), Source.DEFAULT));
            settings.add(new Setting(key, synonyms));
        }
        return settings;
    }

    /// What clients have set for all brokers.
    public static List<Setting> ofAllBrokers(BrokerSettings broker) {
        List<Setting> settings = new ArrayList<>();
        for (ConfigKey<?> key : BrokerKeys.all()) {
            List<Synonym> synonyms = new ArrayList<>(1);
            add(synonyms, key.name(), broker.ofAll(), Source.ALL_BROKERS);
            if (!synonyms.isEmpty()) {
                settings.add(new Setting(key, synonyms));
            }
        }
        return settings;
    }

    /// Each hides those behind it.
    private static Map<Source, Map<String, String>> layers(BrokerSettings broker) {
        Map<Source, Map<String, String>> layers = new EnumMap<>(Source.class); // in the order of the enum
        layers.put(Source.BROKER, broker.ofBroker());
        layers.put(Source.ALL_BROKERS, broker.ofAll());
        layers.put(Source.FILE, broker.given());
        return layers;
    }

    private static void add(List<Synonym> synonyms, String name, Map<String, String> set, Source source) {
        String value = set.get(name);
        if (value != null) {
            synonyms.add(new Synonym(name, value, source));
        }
    }
}
