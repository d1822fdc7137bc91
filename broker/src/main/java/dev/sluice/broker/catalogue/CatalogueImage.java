package dev.sluice.broker.catalogue;

import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// All topics at one moment. Immutable: read without a lock by every event loop.
public final class CatalogueImage {
    static final CatalogueImage EMPTY = new CatalogueImage(Map.of(), Map.of());

    private final Map<String, Topic> byName;
    private final Map<UUID, Topic> byId;

    private CatalogueImage(Map<String, Topic> byName, Map<UUID, Topic> byId) {
        this.byName = byName;
        this.byId = byId;
    }

    public @Nullable Topic topic(String name) {
        return byName.get(name);
    }

    public @Nullable Topic topic(UUID id) {
        return byId.get(id);
    }

    public Collection<Topic> topics() {
        return Collections.unmodifiableCollection(byName.values());
    }

    CatalogueImage with(Topic topic) {
        Map<String, Topic> names = new HashMap<>(byName);
        Map<UUID, Topic> ids = new HashMap<>(byId);
        names.put(topic.name(), topic);
        ids.put(topic.id(), topic);
        return new CatalogueImage(names, ids);
    }

    CatalogueImage without(Topic topic) {
        Map<String, Topic> names = new HashMap<>(byName);
        Map<UUID, Topic> ids = new HashMap<>(byId);
        names.remove(topic.name());
        ids.remove(topic.id());
        return new CatalogueImage(names, ids);
    }
}
