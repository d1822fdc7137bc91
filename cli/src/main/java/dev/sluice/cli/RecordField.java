package dev.sluice.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/// What `sluice consume` can print of a record: the words of `--print`.
enum RecordField {
    VALUE,
    KEY,
    HEADERS,
    OFFSET,
    PARTITION,
    TIMESTAMP;

    /// A comma list such as `offset,key,value`; each word at most once.
    static List<RecordField> parseList(String text) throws CommandFailure {
        Set<RecordField> fields = new LinkedHashSet<>();
        for (String word : text.split(",", -1)) {
            RecordField field = Arrays.stream(values())
                    .filter(candidate -> candidate.word().equals(word.strip()))
                    .findFirst()
                    .orElse(null);
            if (field == null) {
                throw CommandFailure.usage("--print '" + word.strip() + "' is none of: "
                        + Arrays.stream(values()).map(RecordField::word).collect(Collectors.joining(", ")));
            }
            if (!fields.add(field)) {
                throw CommandFailure.usage("--print has " + field.word() + " twice");
            }
        }
        return List.copyOf(new ArrayList<>(fields));
    }

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
