package dev.sluice.broker.coordinator;

import dev.sluice.broker.catalogue.Catalogue;
import dev.sluice.broker.catalogue.Topic;
import dev.sluice.broker.catalogue.TopicNames;
import dev.sluice.broker.config.GroupConfig;
import java.io.IOException;
import java.util.Map;

/// The topic that groups and committed offsets are kept in.
final class OffsetsTopic {
    private OffsetsTopic() {}

    static boolean exists(Catalogue catalogue) {
        return catalogue.image().topic(TopicNames.CONSUMER_OFFSETS) != null;
    }

    /// The topic, made if it is not there. How many partitions it has is decided then, once and for all: a group's
    /// partition follows from its name and their number.
    ///
    /// @throws IOException when it can't be made
    static Topic find(Catalogue catalogue, GroupConfig config) throws IOException {
        Topic found = catalogue.image().topic(TopicNames.CONSUMER_OFFSETS);
        if (found != null) {
            return found;
        }
        try {
            return catalogue.create(TopicNames.CONSUMER_OFFSETS, config.offsetsPartitions(), configs(config));
        } catch (Catalogue.TopicExistsException e) {
            return find(catalogue, config);
        } catch (Catalogue.TopicNameException e) {
            throw new IOException(e.getMessage() + ". Groups need that topic: delete the other", e);
        }
    }

    private static Map<String, String> configs(GroupConfig config) {
        return Map.of(
                "segment.bytes", Integer.toString(config.offsetsSegmentBytes()),
                // What is committed stays, however old: it goes by OffsetsSnapshot alone.
                "retention.ms", "-1",
                "retention.bytes", "-1");
    }
}
