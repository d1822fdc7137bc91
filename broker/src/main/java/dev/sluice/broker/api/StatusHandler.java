package dev.sluice.broker.api;

import dev.sluice.broker.net.Request;
import dev.sluice.broker.protocol.MalformedRequestException;
import dev.sluice.broker.protocol.WireReader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/// Sluice's own API: the broker's status, for `sluice status`. Not listed by ApiVersions, so no Kafka client meets it.
///
/// ```
/// request:  i16 key 20000, i16 version 0, i32 correlation id, i16-string client id, nullable i16-string topic
/// answer:   i32 correlation id, i32 length, UTF-8 JSON
/// ```
final class StatusHandler {
    static final short KEY = 20_000;

    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private final Services services;

    StatusHandler(Services services) {
        this.services = services;
    }

    boolean isFor(Request request) {
        return request.lengthBytes() >= Short.BYTES && request.memory().get(SHORT, request.position()) == KEY;
    }

    /// @throws MalformedRequestException when the bytes are not such a request
    void handle(Request request) {
        WireReader reader =
                new WireReader().over(request.memory(), request.position(), request.position() + request.lengthBytes());
        reader.readInt16("apiKey");
        short version = reader.readInt16("apiVersion");
        int correlationId = reader.readInt32("correlationId");
        int clientIdBytes = reader.readNullableString("clientId", false);
        int topicBytes = reader.readNullableString("topic", false);
        String topic = topicBytes < 0
                ? null
                : new String(
                        reader.memory()
                                .asSlice(reader.position() - topicBytes, topicBytes)
                                .toArray(ValueLayout.JAVA_BYTE),
                        StandardCharsets.UTF_8);
        if (version != 0 || clientIdBytes < -1) {
            request.close("asked for the status in version " + version + "; there is version 0 only");
            return;
        }
        services.aside()
                .run(
                        request,
                        "Status",
                        () -> services.status().apply(topic).getBytes(StandardCharsets.UTF_8),
                        json -> answer(request, correlationId, json));
    }

    private static void answer(Request request, int correlationId, byte[] json) {
        int length = 3 * Integer.BYTES + json.length;
        MemorySegment frame = request.loop().slabs().take(length);
        frame.set(INT, 0, length - Integer.BYTES);
        frame.set(INT, 4, correlationId);
        frame.set(INT, 8, json.length);
        MemorySegment.copy(json, 0, frame, ValueLayout.JAVA_BYTE, 12, json.length);
        request.send(frame, length);
        request.done();
    }
}
