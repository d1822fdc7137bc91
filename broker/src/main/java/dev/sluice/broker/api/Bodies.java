package dev.sluice.broker.api;

import dev.sluice.broker.net.Request;
import dev.sluice.broker.protocol.WireReader;
import java.nio.ByteBuffer;

/// A request's body as kafka-clients wants it.
final class Bodies {
    private Bodies() {}

    /// The bytes from the reader's position to the frame's end, where they lie.
    static ByteBuffer of(WireReader reader, Request request) {
        return request.view()
                .limit(Math.toIntExact(request.position() + request.lengthBytes()))
                .position(Math.toIntExact(reader.position()))
                .slice();
    }
}
