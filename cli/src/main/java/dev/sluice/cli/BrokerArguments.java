package dev.sluice.cli;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ParseResult;

/// What was written behind `sluice broker`.
///
/// @param config a properties file
/// @param sets   `KEY=VALUE`, in their order
record BrokerArguments(
        @Nullable String data,
        @Nullable String listen,
        @Nullable String config,
        List<String> sets,
        boolean verbose) {
    private static final Set<String> SINGLE = Set.of("--data", "--listen", "--config");

    static BrokerArguments from(ParseResult parsed) {
        return new BrokerArguments(
                parsed.matchedOptionValue("--data", null),
                parsed.matchedOptionValue("--listen", null),
                parsed.matchedOptionValue("--config", null),
                List.copyOf(parsed.matchedOptionValue("--set", List.<String>of())),
                ClientOptions.isVerbose(parsed));
    }

    /// Reads a command line that leaves nothing to ask: known options, each with its value. Must agree with picocli
    /// wherever it answers; where anything is out of the ordinary it does not answer.
    ///
    /// @return null if picocli is needed: for help, or to say what is wrong
    static @Nullable BrokerArguments plain(List<String> arguments) {
        Map<String, String> single = new HashMap<>();
        List<String> sets = new ArrayList<>();
        boolean verbose = false;
        for (int i = 0; i < arguments.size(); i++) {
            String argument = arguments.get(i);
            if (argument.equals("-v") || argument.equals("--verbose")) {
                if (verbose) {
                    return null;
                }
                verbose = true;
                continue;
            }
            int equals = argument.indexOf('=');
            String name = equals < 0 ? argument : argument.substring(0, equals);
            String value;
            if (equals >= 0) {
                value = argument.substring(equals + 1);
            } else if (++i < arguments.size()) {
                value = arguments.get(i);
            } else {
                return null;
            }
            if (value.isEmpty() || value.startsWith("-")) {
                return null;
            }
            if (name.equals("--set")) {
                sets.add(value);
            } else if (!SINGLE.contains(name) || single.put(name, value) != null) {
                return null;
            }
        }
        return new BrokerArguments(
                single.get("--data"), single.get("--listen"), single.get("--config"), List.copyOf(sets), verbose);
    }
}
