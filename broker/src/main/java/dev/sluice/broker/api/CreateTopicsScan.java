package dev.sluice.broker.api;

import dev.sluice.broker.protocol.WireReader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/// Looks through the body of a CreateTopics request, version 2 to 7, before kafka-clients' reader does: whether the
/// keys in it can be read in reasonable time, see [Collisions].
///
/// Used once.
final class CreateTopicsScan {
    private static final int FIRST_FLEXIBLE_VERSION = 5;

    private final WireReader reader;
    private final boolean flexible;
    private final Collisions.Hashes topics = new Collisions.Hashes();
    private final Collisions.Hashes inner = new Collisions.Hashes();
    private boolean cheap = true;

    private CreateTopicsScan(ByteBuffer body, short version) {
        MemorySegment bytes = MemorySegment.ofBuffer(body);
        this.reader = new WireReader().over(bytes, 0, bytes.byteSize());
        this.flexible = version >= FIRST_FLEXIBLE_VERSION;
    }

    /// @throws dev.sluice.broker.protocol.MalformedRequestException when the bytes are no such request
    static boolean isCheapToRead(ByteBuffer body, short version) {
        CreateTopicsScan scan = new CreateTopicsScan(body, version);
        scan.topics();
        return scan.cheap && scan.topics.areCheapToRead() && scan.topics.areCheapToAdd();
    }

    private void topics() {
        for (int left = reader.readCount("topics", flexible, 1); left > 0 && cheap; left--) {
            topics.add(nameHash("topic name"));
            reader.skip("topic numbers", Integer.BYTES + Short.BYTES);
            assignments();
            configs();
            skipTags();
        }
    }

    private void assignments() {
        inner.clear();
        for (int left = reader.readCount("assignments", flexible, Integer.BYTES); left > 0; left--) {
            inner.add(reader.readInt32("partition index"));
            long brokers = reader.readCount("brokers", flexible, Integer.BYTES);
            reader.skip("brokers", Integer.BYTES * brokers);
            skipTags();
        }
        cheap &= inner.areCheapToRead();
    }

    private void configs() {
        inner.clear();
        for (int left = reader.readCount("configs", flexible, 1); left > 0; left--) {
            inner.add(nameHash("config name"));
            reader.readNullableString("config value", flexible);
            skipTags();
        }
        cheap &= inner.areCheapToRead();
    }

    private void skipTags() {
        if (flexible) {
            reader.skipTags("tags");
        }
    }

    private int nameHash(String field) {
        int length = reader.readString(field, flexible);
        byte[] bytes =
                reader.memory().asSlice(reader.position() - length, length).toArray(ValueLayout.JAVA_BYTE);
        return new String(bytes, StandardCharsets.UTF_8).hashCode();
    }
}
