package dev.sluice.broker.protocol;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.requests.RequestHeader;

/// Kafka's parser, taking the bytes of requests.
final class KafkaParser {
    private KafkaParser() {}

    static FetchRequestData fetchData(byte[] body, int version) {
        return new FetchRequestData(new ByteBufferAccessor(ByteBuffer.wrap(body)), (short) version);
    }

    /// As Kafka's SocketServer does it: any exception closes the connection.
    static Outcome parse(byte[] bytes, int length) {
        try {
            ByteBuffer buffer = ByteBuffer.wrap(bytes, 0, length).slice();
            RequestHeader header = RequestHeader.parse(buffer);
            String head = header.apiKey().id + " " + header.apiVersion() + " " + header.correlationId() + " "
                    + header.headerVersion() + " " + header.clientId();
            List<String> body = List.of();
            if (header.apiKey() == ApiKeys.PRODUCE || header.apiKey() == ApiKeys.FETCH) {
                if (!header.isApiVersionSupported()) {
                    return new Outcome.Refused("version");
                }
                var accessor = new ByteBufferAccessor(buffer);
                body = header.apiKey() == ApiKeys.PRODUCE
                        ? Descriptions.of(new ProduceRequestData(accessor, header.apiVersion()))
                        : Descriptions.of(new FetchRequestData(accessor, header.apiVersion()));
            }
            return understood(head, body);
        } catch (RuntimeException e) {
            return new Outcome.Refused(String.valueOf(e.getCause() != null ? e.getCause() : e));
        }
    }

    private static Outcome understood(String head, List<String> body) {
        var lines = new ArrayList<>(List.of(head));
        lines.addAll(body);
        return new Outcome.Understood(lines);
    }
}
