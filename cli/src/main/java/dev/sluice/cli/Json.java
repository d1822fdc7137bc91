package dev.sluice.cli;

import dev.sluice.cli.json.JsonValues;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/// The broker's status, read from JSON. Missing values read as empty ones.
final class Json {
    private Json() {}

    static @Nullable Object parse(String json) throws CommandFailure {
        try {
            return JsonValues.parse(json);
        } catch (JacksonException e) {
            throw CommandFailure.failed("the broker's status is not JSON: " + e.getOriginalMessage(), e);
        }
    }

    @SuppressWarnings("unchecked") // Only JsonValues makes these maps, and their keys are names.
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
