package dev.sluice.cli;

import java.util.LinkedHashMap;
import java.util.Map;

/// Maps that keep the order they were written in: [Map#of] shuffles, and help pages must not.
final class Ordered {
    private Ordered() {}

    @SafeVarargs
    static <V> Map<String, V> map(Map.Entry<String, V>... entries) {
        Map<String, V> map = new LinkedHashMap<>();
        for (Map.Entry<String, V> entry : entries) {
            map.put(entry.getKey(), entry.getValue());
        }
        return map;
    }
}
