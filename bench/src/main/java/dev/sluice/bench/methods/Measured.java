package dev.sluice.bench.methods;

import dev.sluice.bench.tools.Json;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What `sluice compare --json` wrote, of one run or of several.
///
/// @param setting what the figures depend on, by name; of the first run
/// @param rows    of all runs
record Measured(Map<String, String> setting, List<Row> rows) {
    /// A figure of several runs.
    record Spread(double median, double least, double most) {}

    /// A way in its circumstances.
    ///
    /// @param name    as `sluice compare` prints it: with the family in front, but for our own
    /// @param state   of the way to the other side; empty where it has but one
    /// @param figures by the name that the JSON has for them; none where the way is unavailable
    /// @param copies  of each byte: by the processor, by devices
    record Row(
            String direction,
            String name,
            int pieceBytes,
            String state,
            boolean cold,
            boolean swept,
            Map<String, Spread> figures,
            double[] copies) {
        boolean isMeasured() {
            return !figures.isEmpty();
        }

        Spread figure(String figure) {
            return Optional.ofNullable(figures.get(figure))
                    .orElseThrow(() -> new IllegalArgumentException(name + " has no " + figure));
        }
    }

    static Measured read(Path... files) throws IOException {
        Map<String, String> setting = new LinkedHashMap<>();
        List<Row> rows = new ArrayList<>();
        for (Path file : files) {
            Map<?, ?> root = object(Json.read(file));
            object(root.get("setting")).forEach((name, text) -> setting.putIfAbsent((String) name, (String) text));
            ((List<?>) nonNull(root.get("rows"))).forEach(row -> rows.add(row(object(row))));
        }
        return new Measured(setting, rows);
    }

    private static Row row(Map<?, ?> fields) {
        Map<String, Spread> figures = new LinkedHashMap<>();
        fields.forEach((name, value) -> {
            if (value instanceof Map<?, ?> figure && figure.containsKey("median")) {
                figures.put(
                        (String) name,
                        new Spread(number(figure, "median"), number(figure, "least"), number(figure, "most")));
            }
        });
        double[] copies = figures.isEmpty()
                ? new double[0]
                : new double[] {
                    number(object(fields.get("cpuCopiesPerByte")), "value"),
                    number(object(fields.get("dmaCopiesPerByte")), "value")
                };
        String by = (String) nonNull(fields.get("by"));
        return new Row(
                (String) nonNull(fields.get("direction")),
                (by.equals("sluice") ? "" : by + " ") + fields.get("method"),
                (int) number(fields, "pieceBytes"),
                (String) nonNull(fields.get("state")),
                (Boolean) nonNull(fields.get("cold")),
                (Boolean) nonNull(fields.get("swept")),
                figures,
                copies);
    }

    private static double number(Map<?, ?> fields, String name) {
        return ((Number) nonNull(fields.get(name))).doubleValue();
    }

    private static Map<?, ?> object(@Nullable Object value) {
        return (Map<?, ?>) nonNull(value);
    }

    private static Object nonNull(@Nullable Object value) {
        if (value == null) {
            throw new IllegalArgumentException("not what sluice compare --json writes");
        }
        return value;
    }
}
