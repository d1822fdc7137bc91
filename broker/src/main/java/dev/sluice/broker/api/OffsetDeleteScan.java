package dev.sluice.broker.api;

import java.nio.ByteBuffer;

/// The keys of an OffsetDelete request (version 0, the only one), topics, and of its answer, partitions as well.
final class OffsetDeleteScan extends BodyScan {
    private final Collisions.Hashes topics = new Collisions.Hashes();
    private final Collisions.Hashes partitions = new Collisions.Hashes();

    OffsetDeleteScan(ByteBuffer body) {
        super(body, false);
    }

    @Override
    void scan() {
        reader.readString("group id", flexible);
        for (int left = reader.readCount("topics", flexible, 1); left > 0 && isCheapSoFar(); left--) {
            topics.add(nameHash("topic name"));
            partitions.clear();
            for (int each = reader.readCount("partitions", flexible, Integer.BYTES); each > 0; each--) {
                partitions.add(reader.readInt32("partition"));
            }
            require(partitions.areCheapToRead());
        }
        require(topics.areCheapToRead() && topics.areCheapToAdd());
    }
}
