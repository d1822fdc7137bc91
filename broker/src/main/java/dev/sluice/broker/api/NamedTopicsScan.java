package dev.sluice.broker.api;

import java.nio.ByteBuffer;

/// The keys of a request that is a list of topics, by name, each with more behind it that has no keys.
final class NamedTopicsScan extends BodyScan {
    /// Reads what stands behind a topic's name, without the tags.
    @FunctionalInterface
    interface Rest {
        void read(NamedTopicsScan scan);
    }

    private final boolean nullable;
    private final Rest rest;
    private final Collisions.Hashes topics = new Collisions.Hashes();

    /// @param nullable whether there may be no list at all
    NamedTopicsScan(ByteBuffer body, boolean flexible, boolean nullable, Rest rest) {
        super(body, flexible);
        this.nullable = nullable;
        this.rest = rest;
    }

    @Override
    void scan() {
        int count =
                nullable ? reader.readNullableCount("topics", flexible, 1) : reader.readCount("topics", flexible, 1);
        for (int left = count; left > 0; left--) {
            topics.add(nameHash("topic name"));
            rest.read(this);
            skipTags();
        }
        require(topics.areCheapToRead());
    }
}
