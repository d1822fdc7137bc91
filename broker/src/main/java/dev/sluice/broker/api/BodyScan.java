package dev.sluice.broker.api;

import dev.sluice.broker.protocol.WireReader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/// Looks through a request's body before kafka-clients' reader does: whether the keys in it can be read in reasonable
/// time, see [Collisions]. There is a subclass for each request that has keys.
///
/// Used once.
abstract class BodyScan {
    final WireReader reader;
    final boolean flexible;
    private boolean cheap = true;

    BodyScan(ByteBuffer body, boolean flexible) {
        MemorySegment bytes = MemorySegment.ofBuffer(body);
        this.reader = new WireReader().over(bytes, 0, bytes.byteSize());
        this.flexible = flexible;
    }

    /// Reads up to the end of the keys, each collection of which is shown to [#require].
    ///
    /// @throws dev.sluice.broker.protocol.MalformedRequestException when the bytes are no such request
    abstract void scan();

    /// @throws dev.sluice.broker.protocol.MalformedRequestException when the bytes are no such request
    final boolean isCheapToRead() {
        scan();
        return cheap;
    }

    final boolean isCheapSoFar() {
        return cheap;
    }

    final void require(boolean cheapKeys) {
        cheap &= cheapKeys;
    }

    final void skipTags() {
        if (flexible) {
            reader.skipTags("tags");
        }
    }

    final void skipInts(String field) {
        long count = reader.readCount(field, flexible, Integer.BYTES);
        reader.skip(field, Integer.BYTES * count);
    }

    final int nameHash(String field) {
        int length = reader.readString(field, flexible);
        byte[] bytes =
                reader.memory().asSlice(reader.position() - length, length).toArray(ValueLayout.JAVA_BYTE);
        return new String(bytes, StandardCharsets.UTF_8).hashCode();
    }

    /// As the generated messages reckon the hash code of a key of a number and a name.
    final int hash(int number, int name) {
        return 31 * number + name;
    }
}
