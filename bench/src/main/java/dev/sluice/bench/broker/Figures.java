package dev.sluice.bench.broker;

import java.util.HashMap;
import java.util.Map;

/// What a program told of one run, as `name=value name=value`.
record Figures(Map<String, Double> values) {
    static Figures parse(String line) {
        Map<String, Double> values = new HashMap<>();
        for (String field : line.strip().split(" ")) {
            int equals = field.indexOf('=');
            values.put(field.substring(0, equals), Double.valueOf(field.substring(equals + 1)));
        }
        return new Figures(Map.copyOf(values));
    }

    boolean has(String name) {
        return values.containsKey(name);
    }

    /// NaN where it told none of that name.
    double get(String name) {
        return values.getOrDefault(name, Double.NaN);
    }
}
