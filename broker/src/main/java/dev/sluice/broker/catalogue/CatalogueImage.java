package dev.sluice.broker.catalogue;

import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// All topics at one moment. Immutable: read without a lock by every event loop.
public final class CatalogueImage {
    static final CatalogueImage EMPTY = of(List.of());

    private final Map<String, Topic> byName;
    private final Map<UUID, Topic> byId;

    /// Those whose name has a character that another may stand for, see [TopicNames#unified].
    private final Map<String, Topic> byUnifiedName;

    private CatalogueImage(Map<String, Topic> byName, Map<UUID, Topic> byId, Map<String, Topic> byUnifiedName) {
        this.byName = byName;
        this.byId = byId;
        this.byUnifiedName = byUnifiedName;
    }

    static CatalogueImage of(Collection<Topic> topics) {
        CatalogueImage image = new CatalogueImage(new HashMap<>(), new HashMap<>(), new HashMap<>());
        topics.forEach(image::put);
        return image;
    }

    public @Nullable Topic topic(String name) {
        return byName.get(name);
    }

    public @Nullable Topic topic(UUID id) {
        return byId.get(id);
    }

    /// The topic that a new one of this name could be taken for: names that differ in '.' and '_' alone are the
    /// same to many systems that count by topic.
    public @Nullable Topic colliding(String name) {
        return TopicNames.mayCollide(name) ? byUnifiedName.get(TopicNames.unified(name)) : null;
    }

    public Collection<Topic> topics() {
        return Collections.unmodifiableCollection(byName.values());
    }

    /// With a new topic, or a known one as it is now.
    CatalogueImage with(Topic topic) {
        CatalogueImage next = copy();
        next.put(topic);
        return next;
    }

    CatalogueImage without(Topic topic) {
        CatalogueImage next = copy();
        next.byName.remove(topic.name());
        next.byId.remove(topic.id());
        next.byUnifiedName.remove(TopicNames.unified(topic.name()), topic);
        return next;
    }

    private CatalogueImage copy() {
        return new CatalogueImage(new HashMap<>(byName), new HashMap<>(byId), new HashMap<>(byUnifiedName));
    }

    /// Before the image is seen by anybody.
    private void put(Topic topic) {
        byName.put(topic.name(), topic);
        byId.put(topic.id(), topic);
        if (TopicNames.mayCollide(topic.name())) {
            byUnifiedName.put(TopicNames.unified(topic.name()), topic);
        }
    }
}
