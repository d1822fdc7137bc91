package dev.sluice.broker.catalogue;

import dev.sluice.broker.partition.Partition;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// A topic as it is now. Immutable; its partitions do their own work.
///
/// @param configs what was set for this topic, by Kafka's names
public record Topic(UUID id, String name, List<Partition> partitions, Map<String, String> configs) {
    /// @return the partition, or null when there is none of that number
    public @Nullable Partition partition(int index) {
        return index >= 0 && index < partitions.size() ? partitions.get(index) : null;
    }
}
