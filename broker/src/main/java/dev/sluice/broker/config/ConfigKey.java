package dev.sluice.broker.config;

import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;

/// One configuration key: its name, default, meaning, and how its value is read.
///
/// @param name          Kafka's name where the thing is the same, else with the prefix `sluice.`
/// @param defaultValue  as it would be written in a file
/// @param kind          what clients are told that its values are
/// @param allowed       the values that are allowed, in words
/// @param meaning       one sentence
/// @param parser        throws IllegalArgumentException for a value that is not allowed
public record ConfigKey<T>(
        String name, String defaultValue, Kind kind, String allowed, String meaning, Function<String, T> parser) {
    /// Kafka's types of values, as far as there are keys of them.
    public enum Kind {
        BOOLEAN,
        TEXT,
        INT,
        LONG,
        DOUBLE,
        LIST
    }

    ConfigKey(String name, String defaultValue, String allowed, String meaning, Function<String, T> parser) {
        this(name, defaultValue, Kind.TEXT, allowed, meaning, parser);
    }

    static ConfigKey<Integer> integer(String name, int defaultValue, int least, int most, String meaning) {
        return new ConfigKey<>(
                name,
                Integer.toString(defaultValue),
                Kind.INT,
                "an integer from " + least + " to " + most,
                meaning,
                value -> (int) bounded(Long.parseLong(value), least, most));
    }

    /// @param most Long.MAX_VALUE for no bound
    static ConfigKey<Long> longInteger(String name, long defaultValue, long least, long most, String meaning) {
        return new ConfigKey<>(
                name,
                Long.toString(defaultValue),
                Kind.LONG,
                "an integer from " + least + (most == Long.MAX_VALUE ? "" : " to " + most),
                meaning,
                value -> bounded(Long.parseLong(value), least, most));
    }

    static ConfigKey<Boolean> bool(String name, boolean defaultValue, String meaning) {
        return new ConfigKey<>(
                name, Boolean.toString(defaultValue), Kind.BOOLEAN, "true or false", meaning, value -> switch (value) {
                    case "true" -> true;
                    case "false" -> false;
                    default -> throw new IllegalArgumentException(value);
                });
    }

    /// One of a few words; each value is written as `toWord` has it.
    static <T> ConfigKey<T> oneOf(
            String name, T defaultValue, List<T> values, Function<T, String> toWord, String meaning) {
        String allowed = values.stream().map(toWord).collect(Collectors.joining(", ", "one of ", ""));
        return new ConfigKey<>(
                name,
                toWord.apply(defaultValue),
                Kind.TEXT,
                allowed,
                meaning,
                word -> values.stream()
                        .filter(value -> toWord.apply(value).equals(word))
                        .findFirst()
                        .orElseThrow(() -> new IllegalArgumentException(word)));
    }

    /// The same key under another name.
    ConfigKey<T> named(String other) {
        return new ConfigKey<>(other, defaultValue, kind, allowed, meaning, parser);
    }

    static ConfigKey<String> text(String name, String defaultValue, String allowed, String meaning) {
        return new ConfigKey<>(name, defaultValue, allowed, meaning, Function.identity());
    }

    private static long bounded(long value, long least, long most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(Long.toString(value));
        }
        return value;
    }

    /// @throws ConfigException when the value is not allowed
    T parse(String value) {
        try {
            return parser.apply(value.strip());
        } catch (ConfigException e) {
            throw e;
        } catch (IllegalArgumentException e) {
            throw new ConfigException(name + "=" + value + " is not allowed: it takes " + allowed);
        }
    }
}
