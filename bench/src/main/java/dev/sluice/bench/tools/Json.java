package dev.sluice.bench.tools;

import dev.sluice.cli.json.JsonValues;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.PrettyPrinter;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.util.DefaultPrettyPrinter;

/// Results as JSON, by jackson-core: maps, lists, texts, numbers and arrays of them written as they are, a figure to
/// four digits behind the point.
public final class Json {
    private static final double STEPS = 1e4;

    private Json() {}

    /// Writes the file, over what may be there.
    ///
    /// @param value maps, lists, `double[]`, texts, numbers, truth values
    public static void write(Path file, Object value) throws IOException {
        Files.writeString(file, text(value) + "\n");
    }

    /// @param value as in [#write]
    public static String text(Object value) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(pretty(), text)) {
            write(json, value);
        }
        return text.toString();
    }

    private static ObjectWriteContext pretty() {
        return new ObjectWriteContext.Base() {
            @Override
            public PrettyPrinter getPrettyPrinter() {
                return new DefaultPrettyPrinter();
            }
        };
    }

    private static void write(JsonGenerator json, @Nullable Object value) {
        switch (value) {
            case Map<?, ?> fields -> {
                json.writeStartObject();
                fields.forEach((name, field) -> {
                    json.writeName((String) name);
                    write(json, field);
                });
                json.writeEndObject();
            }
            case List<?> items -> {
                json.writeStartArray();
                items.forEach(item -> write(json, item));
                json.writeEndArray();
            }
            case double[] figures -> {
                json.writeStartArray();
                for (double figure : figures) {
                    write(json, figure);
                }
                json.writeEndArray();
            }
            case Double figure when Double.isFinite(figure) -> json.writeNumber(Math.rint(figure * STEPS) / STEPS);
            case Double _ -> json.writeNull();
            case Number number -> json.writeNumber(number.longValue());
            case Boolean truth -> json.writeBoolean(truth);
            case null -> json.writeNull();
            default -> json.writeString(value.toString());
        }
    }

    /// @return as [JsonValues#parse]
    /// @throws IOException when it can't be read, or is not JSON
    public static @Nullable Object read(Path file) throws IOException {
        try {
            return JsonValues.parse(Files.readString(file));
        } catch (JacksonException e) {
            throw new IOException(file + ": " + e.getOriginalMessage(), e);
        }
    }
}
