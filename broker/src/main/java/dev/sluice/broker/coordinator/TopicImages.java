package dev.sluice.broker.coordinator;

import dev.sluice.broker.catalogue.CatalogueImage;
import dev.sluice.broker.catalogue.Topic;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.RemoveTopicRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.image.MetadataDelta;
import org.apache.kafka.image.MetadataImage;
import org.apache.kafka.image.MetadataProvenance;

/// The catalogue as Kafka's coordinator wants to see it: images, and what changed from one to the next.
///
/// Not thread-safe.
final class TopicImages {
    /// @param delta what changed since the last
    record Change(MetadataDelta delta, MetadataImage image) {}

    private final int nodeId;
    private MetadataImage image = MetadataImage.EMPTY;
    private Map<UUID, Topic> known = Map.of();
    private long version;

    TopicImages(int nodeId) {
        this.nodeId = nodeId;
    }

    /// An image of topics that are gone. Followed by [#change], which tells that they are, the coordinator forgets
    /// what was committed for them. Only before the first [#change].
    Change gone(Set<OffsetsLoader.CommittedTopic> topics) {
        MetadataDelta delta = begin();
        for (OffsetsLoader.CommittedTopic topic : topics) {
            // Any id goes for offsets that were committed without one.
            Uuid id = topic.id().equals(Uuid.ZERO_UUID) ? Uuid.randomUuid() : topic.id();
            delta.replay(new TopicRecord().setName(topic.name()).setTopicId(id));
        }
        return finish(delta);
    }

    /// What the catalogue became since the last call.
    Change change(CatalogueImage catalogue) {
        MetadataDelta delta = begin();
        Map<UUID, Topic> now = new HashMap<>();
        catalogue.topics().forEach(topic -> now.put(topic.id(), topic));
        image.topics().topicsById().keySet().stream()
                .filter(id -> !now.containsKey(uuid(id)))
                .toList()
                .forEach(id -> delta.replay(new RemoveTopicRecord().setTopicId(id)));
        now.forEach((id, topic) -> {
            Topic before = known.get(id);
            int first = 0;
            if (before == null) {
                delta.replay(new TopicRecord().setName(topic.name()).setTopicId(kafkaId(id)));
            } else {
                first = before.partitions().size();
            }
            for (int i = first; i < topic.partitions().size(); i++) {
                delta.replay(partition(id, i));
            }
        });
        known = now;
        return finish(delta);
    }

    private MetadataDelta begin() {
        return new MetadataDelta.Builder().setImage(image).build();
    }

    private Change finish(MetadataDelta delta) {
        version++;
        image = delta.apply(new MetadataProvenance(version, 0, 0, true));
        return new Change(delta, image);
    }

    private PartitionRecord partition(UUID topic, int index) {
        List<Integer> here = List.of(nodeId);
        return new PartitionRecord()
                .setTopicId(kafkaId(topic))
                .setPartitionId(index)
                .setReplicas(here)
                .setIsr(here)
                .setLeader(nodeId);
    }

    static Uuid kafkaId(UUID id) {
        return new Uuid(id.getMostSignificantBits(), id.getLeastSignificantBits());
    }

    private static UUID uuid(Uuid id) {
        return new UUID(id.getMostSignificantBits(), id.getLeastSignificantBits());
    }
}
