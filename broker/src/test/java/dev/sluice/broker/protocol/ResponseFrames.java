package dev.sluice.broker.protocol;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Message;

/// Responses as kafka-clients writes them.
final class ResponseFrames {
    private ResponseFrames() {}

    /// Size, header and body.
    static byte[] of(ApiKeys api, int version, int correlationId, Message body) {
        var header = new ResponseHeaderData().setCorrelationId(correlationId);
        var bytes = new ByteArrayOutputStream();
        bytes.writeBytes(new byte[Frames.SIZE_BYTES]);
        bytes.writeBytes(KafkaMessages.bytes(header, api.responseHeaderVersion((short) version)));
        bytes.writeBytes(KafkaMessages.bytes(body, version));
        ByteBuffer frame = ByteBuffer.wrap(bytes.toByteArray());
        frame.putInt(0, frame.capacity() - Frames.SIZE_BYTES);
        return frame.array();
    }
}
