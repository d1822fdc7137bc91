package dev.sluice.broker.protocol;

import dev.sluice.io.memory.SlabPool;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

/// Requests and answers of the control plane, through kafka-clients' generated messages. The hot path (Produce, Fetch)
/// does without them.
public final class Messages {
    private Messages() {}

    /// Reads a request's body.
    ///
    /// @param body from its first byte to its last
    /// @throws MalformedRequestException when the bytes are not such a request
    public static ApiMessage read(ApiKeys key, short version, ByteBuffer body) {
        ApiMessage message = key.messageType.newRequest();
        try {
            message.read(new ByteBufferAccessor(body), version);
        } catch (RuntimeException e) { // the generated readers throw several kinds, all of them for bad bytes
            throw new MalformedRequestException(
                    key.name + " version " + version, body.position(), String.valueOf(e.getMessage()));
        }
        if (body.hasRemaining()) {
            throw new MalformedRequestException(
                    key.name + " version " + version, body.position(), body.remaining() + " bytes too many");
        }
        return message;
    }

    /// A whole answer, size prefix and header included, in the first bytes of a slab, which is the caller's.
    public record Frame(MemorySegment slab, int lengthBytes) {}

    /// Writes an answer into a slab of `pool`, which gets it back when that fails.
    public static Frame write(ApiKeys key, short version, int correlationId, ApiMessage body, SlabPool pool) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ResponseHeaderData header = new ResponseHeaderData().setCorrelationId(correlationId);
        short headerVersion = key.responseHeaderVersion(version);
        int size = header.size(cache, headerVersion) + body.size(cache, version);
        int length = Math.addExact(Frames.SIZE_BYTES, size);
        MemorySegment slab = pool.take(length);
        boolean written = false;
        try {
            ByteBuffer frame = slab.asSlice(0, length).asByteBuffer().putInt(size);
            ByteBufferAccessor out = new ByteBufferAccessor(frame);
            header.write(out, cache, headerVersion);
            body.write(out, cache, version);
            written = true;
            return new Frame(slab, length);
        } finally {
            if (!written) {
                pool.give(slab);
            }
        }
    }
}
