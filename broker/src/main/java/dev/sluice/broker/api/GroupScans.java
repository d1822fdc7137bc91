package dev.sluice.broker.api;

import dev.sluice.broker.protocol.WireReader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/// Looks through bodies of requests about groups before kafka-clients' reader does: whether the keys in them can be
/// read in reasonable time, see [Collisions].
final class GroupScans {
    /// Of one member. Clients send one for each assignor that they know, a handful; so few are cheap whatever they
    /// are.
    static final int MOST_PROTOCOLS = 64;

    private static final short JOIN_WITH_REBALANCE_TIMEOUT = 1;
    private static final short JOIN_WITH_INSTANCE_ID = 5;
    private static final short FIRST_FLEXIBLE_JOIN = 6;

    private GroupScans() {}

    /// How many protocols a JoinGroup request names.
    ///
    /// @throws dev.sluice.broker.protocol.MalformedRequestException when the bytes are no such request
    static int protocols(ByteBuffer body, short version) {
        WireReader reader = reader(body);
        boolean flexible = version >= FIRST_FLEXIBLE_JOIN;
        reader.readString("group id", flexible);
        reader.skip("timeouts", version >= JOIN_WITH_REBALANCE_TIMEOUT ? 2 * Integer.BYTES : Integer.BYTES);
        reader.readString("member id", flexible);
        if (version >= JOIN_WITH_INSTANCE_ID) {
            reader.readNullableString("group instance id", flexible);
        }
        reader.readString("protocol type", flexible);
        return reader.readCount("protocols", flexible, 1);
    }

    /// Whether an OffsetDelete request (version 0, the only one) can be read and answered.
    ///
    /// @throws dev.sluice.broker.protocol.MalformedRequestException when the bytes are no such request
    static boolean offsetDeleteIsCheap(ByteBuffer body) {
        WireReader reader = reader(body);
        Collisions.Hashes topics = new Collisions.Hashes();
        Collisions.Hashes partitions = new Collisions.Hashes();
        reader.readString("group id", false);
        for (int left = reader.readCount("topics", false, 1); left > 0; left--) {
            int length = reader.readString("topic", false);
            byte[] name =
                    reader.memory().asSlice(reader.position() - length, length).toArray(ValueLayout.JAVA_BYTE);
            topics.add(new String(name, StandardCharsets.UTF_8).hashCode());
            partitions.clear();
            for (int each = reader.readCount("partitions", false, Integer.BYTES); each > 0; each--) {
                partitions.add(reader.readInt32("partition"));
            }
            if (!partitions.areCheapToRead()) {
                return false;
            }
        }
        return topics.areCheapToRead() && topics.areCheapToAdd();
    }

    private static WireReader reader(ByteBuffer body) {
        MemorySegment bytes = MemorySegment.ofBuffer(body);
        return new WireReader().over(bytes, 0, bytes.byteSize());
    }
}
