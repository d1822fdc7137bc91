package dev.sluice.broker.api;

import java.nio.ByteBuffer;

/// The keys of a CreateTopics request, version 2 to 7: topics, and of each the partitions and configs.
final class CreateTopicsScan extends BodyScan {
    private static final int FIRST_FLEXIBLE_VERSION = 5;

    private final Collisions.Hashes topics = new Collisions.Hashes();
    private final Collisions.Hashes inner = new Collisions.Hashes();

    CreateTopicsScan(ByteBuffer body, short version) {
        super(body, version >= FIRST_FLEXIBLE_VERSION);
    }

    @Override
    void scan() {
        for (int left = reader.readCount("topics", flexible, 1); left > 0 && isCheapSoFar(); left--) {
            topics.add(nameHash("topic name"));
            reader.skip("topic numbers", Integer.BYTES + Short.BYTES);
            assignments();
            configs();
            skipTags();
        }
        require(topics.areCheapToRead() && topics.areCheapToAdd());
    }

    private void assignments() {
        inner.clear();
        for (int left = reader.readCount("assignments", flexible, Integer.BYTES); left > 0; left--) {
            inner.add(reader.readInt32("partition index"));
            skipInts("brokers");
            skipTags();
        }
        require(inner.areCheapToRead());
    }

    private void configs() {
        inner.clear();
        for (int left = reader.readCount("configs", flexible, 1); left > 0; left--) {
            inner.add(nameHash("config name"));
            reader.readNullableString("config value", flexible);
            skipTags();
        }
        require(inner.areCheapToRead());
    }
}
