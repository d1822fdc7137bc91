package dev.sluice.bench.tools;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;

/// Just enough JSON to write results.
public final class Json {
    private Json() {}

    /// @param fields values that are JSON already, in this order
    public static String object(Map<String, String> fields) {
        return fields.entrySet().stream()
                .map(field -> string(field.getKey()) + ": " + field.getValue())
                .collect(Collectors.joining(", ", "{", "}"));
    }

    public static String array(List<String> values) {
        return values.isEmpty() ? "[]" : String.join(",\n  ", values).transform(all -> "[\n  " + all + "]");
    }

    public static String numbers(double[] values) {
        return DoubleStream.of(values).mapToObj(Json::number).collect(Collectors.joining(", ", "[", "]"));
    }

    public static String number(double value) {
        return String.format(Locale.ROOT, "%.4f", value);
    }

    public static String string(String value) {
        StringBuilder quoted = new StringBuilder("\"");
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else if (c < ' ') {
                quoted.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }
}
