package dev.sluice.broker.config;

import java.util.LinkedHashMap;
import java.util.Map;

/// What is set for the broker, by key, as it was written; each of these hides the ones behind it, as in Kafka.
/// Immutable.
///
/// @param ofBroker set by clients for this broker
/// @param ofAll    set by clients for all brokers
/// @param given    what the broker was started with
public record BrokerSettings(Map<String, String> ofBroker, Map<String, String> ofAll, Map<String, String> given) {
    /// The name, among brokers, of all of them.
    public static final String ALL = "";

    public BrokerSettings {
        ofBroker = Map.copyOf(ofBroker);
        ofAll = Map.copyOf(ofAll);
        given = Map.copyOf(given);
    }

    /// What clients have set for this broker or, by the name [#ALL], for all brokers.
    public Map<String, String> of(String broker) {
        return broker.equals(ALL) ? ofAll : ofBroker;
    }

    /// What holds for a broker, or, by the name [#ALL], for any for which nothing is set.
    public BrokerSettings seenBy(String broker) {
        return broker.equals(ALL) ? new BrokerSettings(Map.of(), ofAll, given) : this;
    }

    /// With something else set by clients.
    ///
    /// @throws ConfigException for a key that is not known, or holds from the start of a broker to its end
    public BrokerSettings with(String broker, Map<String, String> configs) {
        configs.keySet().forEach(BrokerKeys::requireDynamic);
        return broker.equals(ALL)
                ? new BrokerSettings(ofBroker, configs, given)
                : new BrokerSettings(configs, ofAll, given);
    }

    /// What holds of all that is set.
    Map<String, String> effective() {
        Map<String, String> all = new LinkedHashMap<>(given);
        all.putAll(ofAll);
        all.putAll(ofBroker);
        return all;
    }
}
