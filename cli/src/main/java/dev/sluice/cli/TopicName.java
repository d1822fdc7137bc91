package dev.sluice.cli;

import java.util.regex.Pattern;
import picocli.CommandLine.ParseResult;

/// The topic of a command: its first parameter, checked by Kafka's rules before anybody is asked.
final class TopicName {
    private static final Pattern ALLOWED = Pattern.compile("[a-zA-Z0-9._-]{1,249}");

    private TopicName() {}

    static String from(ParseResult parsed) throws CommandFailure {
        return checked(parsed.matchedPositionalValue(0, ""));
    }

    static String checked(String name) throws CommandFailure {
        if (!ALLOWED.matcher(name).matches() || name.equals(".") || name.equals("..")) {
            throw CommandFailure.usage("'" + name + "' is not a name for a topic; use 1 to 249 of a-z A-Z 0-9 . _ -");
        }
        return name;
    }
}
