package dev.sluice.broker;

import dev.sluice.io.linux.Call;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/// What a broker says that it has moved, asked for through the Kafka port.
final class Status {
    private final Map<String, Object> root;

    private Status(Map<String, Object> root) {
        this.root = root;
    }

    static Status of(TestClient client) throws IOException {
        try (JsonParser parser = new JsonFactory().createParser(ObjectReadContext.empty(), client.raw.status(null))) {
            parser.nextToken();
            return new Status(map(value(parser)));
        }
    }

    /// What local readers have open.
    List<Map<String, Object>> localReaders() {
        return maps(map(root.get("local")).get("readers"));
    }

    /// What an operator should know first.
    @SuppressWarnings("unchecked") // as #value makes them
    List<String> problems() {
        return (List<String>) root.get("problems");
    }

    /// Bytes that this kind of call carried for all connections there were.
    long connectionBytes(Call call) {
        return bytes(map(map(root.get("connections")).get("total")), call);
    }

    /// Bytes that this kind of call carried for a connection that is open; 0 when there is none of that peer.
    long connectionBytes(String peer, Call call) {
        return openConnections().stream()
                .filter(open -> peer.equals(open.get("name")))
                .mapToLong(open -> bytes(map(open.get("calls")), call))
                .sum();
    }

    List<Map<String, Object>> openConnections() {
        return maps(map(root.get("connections")).get("open"));
    }

    /// Bytes that this kind of call carried for one partition's files.
    long partitionBytes(String topic, int partition, Call call) {
        return bytes(map(partition(topic, partition).get("calls")), call);
    }

    /// The same for each of its segments, in their order.
    List<Long> segmentBytes(String topic, int partition, Call call) {
        return maps(partition(topic, partition).get("segments")).stream()
                .map(segment -> bytes(map(segment.get("calls")), call))
                .toList();
    }

    Map<String, Object> partition(String topic, int partition) {
        return maps(map(root.get("segments")).get("topics")).stream()
                .filter(each -> topic.equals(each.get("topic")) && number(each.get("partition")) == partition)
                .findFirst()
                .orElseThrow();
    }

    static long number(Object value) {
        return ((Number) value).longValue();
    }

    private static long bytes(Map<String, Object> calls, Call call) {
        Object counted = calls.get(call.kernelName());
        return counted == null ? 0 : number(map(counted).get("bytes"));
    }

    @SuppressWarnings("unchecked") // as #value makes them
    private static Map<String, Object> map(Object value) {
        return (Map<String, Object>) value;
    }

    @SuppressWarnings("unchecked") // as #value makes them
    private static List<Map<String, Object>> maps(Object value) {
        return (List<Map<String, Object>>) value;
    }

    private static Object value(JsonParser parser) {
        return switch (parser.currentToken()) {
            case START_OBJECT -> {
                Map<String, Object> object = new LinkedHashMap<>();
                while (parser.nextToken() != JsonToken.END_OBJECT) {
                    String name = parser.currentName();
                    parser.nextToken();
                    object.put(name, value(parser));
                }
                yield object;
            }
            case START_ARRAY -> {
                List<Object> array = new ArrayList<>();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    array.add(value(parser));
                }
                yield array;
            }
            case VALUE_NUMBER_INT -> parser.getLongValue();
            default -> parser.getString();
        };
    }
}
