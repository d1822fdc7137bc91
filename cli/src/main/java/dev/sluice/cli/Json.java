package dev.sluice.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/// JSON as maps, lists, strings and numbers, from jackson-core's tokens; binding to classes would need two more jars
/// and reflection. Missing values read as empty ones.
final class Json {
    private Json() {}

    static @Nullable Object parse(String json) throws CommandFailure {
        try (JsonParser parser = new JsonFactory().createParser(ObjectReadContext.empty(), json)) {
            parser.nextToken();
            return value(parser);
        } catch (JacksonException e) {
            throw CommandFailure.failed("the broker's status is not JSON: " + e.getOriginalMessage(), e);
        }
    }

    /// The value that the parser stands on; the parser then stands on its last token. jackson bounds the nesting.
    private static @Nullable Object value(JsonParser parser) {
        JsonToken token = parser.currentToken();
        if (token == null) {
            return null;
        }
        return switch (token) {
            case START_OBJECT -> {
                Map<String, @Nullable Object> fields = new LinkedHashMap<>();
                while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
                    String name = parser.currentName();
                    parser.nextToken();
                    fields.put(name, value(parser));
                }
                yield fields;
            }
            case START_ARRAY -> {
                List<@Nullable Object> items = new ArrayList<>();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    items.add(value(parser));
                }
                yield items;
            }
            case VALUE_STRING -> parser.getString();
            case VALUE_NUMBER_INT -> parser.getLongValue();
            case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            default -> null;
        };
    }

    @SuppressWarnings("unchecked") // Only value() makes these maps, and their keys are names.
    static Map<String, Object> object(@Nullable Object value) throws CommandFailure {
        return switch (value) {
            case null -> Map.of();
            case Map<?, ?> map -> (Map<String, Object>) map;
            default -> throw unexpected("an object", value);
        };
    }

    @SuppressWarnings("unchecked")
    static List<Object> array(@Nullable Object value) throws CommandFailure {
        return switch (value) {
            case null -> List.of();
            case List<?> list -> (List<Object>) list;
            default -> throw unexpected("an array", value);
        };
    }

    static long number(@Nullable Object value) throws CommandFailure {
        return switch (value) {
            case null -> 0;
            case Long number -> number;
            default -> throw unexpected("a whole number", value);
        };
    }

    static String text(@Nullable Object value) throws CommandFailure {
        return switch (value) {
            case null -> "";
            case String text -> text;
            default -> throw unexpected("a string", value);
        };
    }

    private static CommandFailure unexpected(String wanted, Object found) {
        return CommandFailure.failed("the broker's status has " + found + " where " + wanted
                + " belongs; are command and broker of one version?");
    }
}
