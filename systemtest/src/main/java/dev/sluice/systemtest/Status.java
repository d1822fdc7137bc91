package dev.sluice.systemtest;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/// What `sluice status --json` tells, as numbers by path: `segments.total.pwrite64.bytes`.
record Status(Map<String, Long> numbers) {
    static Status of(Path home, String bootstrap) {
        Processes.Ended ended = Processes.run(
                        Duration.ofSeconds(30),
                        List.of(home.resolve("bin/sluice").toString(), "status", "--bootstrap", bootstrap, "--json"))
                .orThrow("sluice status");
        return new Status(parse(ended.output().substring(ended.output().indexOf('{'))));
    }

    private static Map<String, Long> parse(String json) {
        Map<String, Long> numbers = new TreeMap<>();
        Deque<String> path = new ArrayDeque<>();
        try (JsonParser parser = new JsonFactory().createParser(ObjectReadContext.empty(), json)) {
            for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                switch (token) {
                    case START_OBJECT, START_ARRAY ->
                        path.addLast(parser.currentName() == null ? "" : parser.currentName());
                    case END_OBJECT, END_ARRAY -> path.removeLast();
                    case VALUE_NUMBER_INT ->
                        numbers.put(
                                String.join(".", path).substring(1) + "." + parser.currentName(),
                                parser.getLongValue());
                    default -> {}
                }
            }
        }
        return numbers;
    }

    long number(String path) {
        return numbers.getOrDefault(path, 0L);
    }

    /// How much a number rose since an earlier status.
    long since(Status earlier, String path) {
        return number(path) - earlier.number(path);
    }
}
