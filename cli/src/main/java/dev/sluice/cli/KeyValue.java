package dev.sluice.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// `KEY=VALUE` as it is written in options. The value may be empty and may itself hold `=`; the key may not be empty.
record KeyValue(String key, String value) {
    static KeyValue parse(String option, String text) throws CommandFailure {
        int equals = text.indexOf('=');
        if (equals <= 0) {
            throw CommandFailure.usage(option + " " + text + ": write " + option + " KEY=VALUE");
        }
        return new KeyValue(text.substring(0, equals).strip(), text.substring(equals + 1));
    }

    /// All of them in their order; of two with one key the later one counts.
    static Map<String, String> parseAll(String option, List<String> texts) throws CommandFailure {
        Map<String, String> all = new LinkedHashMap<>();
        for (String text : texts) {
            KeyValue pair = parse(option, text);
            all.put(pair.key(), pair.value());
        }
        return all;
    }
}
