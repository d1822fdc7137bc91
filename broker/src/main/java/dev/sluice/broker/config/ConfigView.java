package dev.sluice.broker.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// The settings that hold for a topic or the broker, each with where it comes from, as clients are told.
public final class ConfigView {
    /// Where a value comes from.
    public enum Source {
        TOPIC,
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

    /// @param own   what is set for the topic
    /// @param given what is set for the broker
    public static List<Setting> ofTopic(Map<String, String> own, Map<String, String> given) {
        Map<String, String> inherited = TopicKeys.inherited();
        List<Setting> settings = new ArrayList<>();
        for (ConfigKey<?> key : TopicKeys.all()) {
            List<Synonym> synonyms = new ArrayList<>(3);
            add(synonyms, key.name(), own, Source.TOPIC);
            String brokerName = inherited.get(key.name());
            for (TopicKeys.Inherited each : TopicKeys.inherited(key.name(), given)) {
                synonyms.add(new Synonym(each.name(), each.value(), Source.FILE));
            }
            String defaultName = brokerName != null ? brokerName : UnusedTopicKeys.brokersName(key.name());
            synonyms.add(new Synonym(defaultName, key.defaultValue(), Source.DEFAULT));
            settings.add(new Setting(key, synonyms));
        }
        return settings;
    }

    /// @param given what is set for the broker
    public static List<Setting> ofBroker(Map<String, String> given) {
        List<Setting> settings = new ArrayList<>();
        for (ConfigKey<?> key : BrokerKeys.all()) {
            List<Synonym> synonyms = new ArrayList<>(2);
            add(synonyms, key.name(), given, Source.FILE);
            synonyms.add(new Synonym(key.name(), key.defaultValue(), Source.DEFAULT));
            settings.add(new Setting(key, synonyms));
        }
        return settings;
    }

    private static void add(List<Synonym> synonyms, String name, Map<String, String> set, Source source) {
        String value = set.get(name);
        if (value != null) {
            synonyms.add(new Synonym(name, value, source));
        }
    }
}
