package dev.sluice.broker.catalogue;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/// What the catalogue's log comes to: fed its records from the first to the last.
///
/// Used by one thread.
final class ReplayedCatalogue {
    private final Map<UUID, CatalogueRecord.TopicCreated> topics = new LinkedHashMap<>();
    private final Map<String, UUID> ids = new HashMap<>();
    private final Set<UUID> deleted = new HashSet<>();
    private final Map<String, CatalogueRecord.BrokerConfigured> brokers = new LinkedHashMap<>();
    private long producerIdsReserved;
    private long records;

    void add(CatalogueRecord record) {
        records++;
        switch (record) {
            case CatalogueRecord.TopicCreated created -> {
                // A creation that failed and could not be taken back, because the disk was full, is said here by the
                // next topic of that name.
                UUID superseded = ids.put(created.name(), created.id());
                if (superseded != null) {
                    delete(superseded);
                }
                topics.put(created.id(), created);
            }
            case CatalogueRecord.TopicChanged changed ->
                topics.replace(changed.now().id(), changed.now());
            case CatalogueRecord.TopicDeleted gone -> delete(gone.id());
            case CatalogueRecord.ProducerIdsReserved reserved -> producerIdsReserved = reserved.end();
            case CatalogueRecord.BrokerConfigured configured -> brokers.put(configured.broker(), configured);
        }
    }

    private void delete(UUID id) {
        deleted.add(id);
        CatalogueRecord.TopicCreated created = topics.remove(id);
        if (created != null) {
            ids.remove(created.name(), id);
        }
    }

    Collection<CatalogueRecord.TopicCreated> topics() {
        return topics.values();
    }

    /// What clients have set for a broker.
    ///
    /// @param broker its number in digits, or empty for all brokers
    Map<String, String> configsOf(String broker) {
        CatalogueRecord.BrokerConfigured configured = brokers.get(broker);
        return configured == null ? Map.of() : configured.configs();
    }

    boolean isTopic(UUID id) {
        return topics.containsKey(id);
    }

    boolean isDeleted(UUID id) {
        return deleted.contains(id);
    }

    /// The first producer id that was not reserved.
    long producerIdsReserved() {
        return producerIdsReserved;
    }

    /// How many records say it.
    long records() {
        return records;
    }

    /// The fewest records that say it.
    List<CatalogueRecord> live() {
        List<CatalogueRecord> live = new ArrayList<>(topics.size() + 1);
        live.add(new CatalogueRecord.ProducerIdsReserved(producerIdsReserved));
        brokers.values().stream().filter(each -> !each.configs().isEmpty()).forEach(live::add);
        live.addAll(topics.values());
        return live;
    }
}
