package dev.sluice.cli;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ParseResult;

/// What `sluice produce` was asked to make records of.
///
/// @param files        where the bytes come from, `-` for standard input; never empty
/// @param whole        each of them is one record
/// @param delimiter    otherwise, what ends a record
/// @param keySeparator where in a record the key ends and the value begins; null for records without such keys
/// @param key          one key for all records, or null
/// @param headers      put on every record
/// @param partition    where all records go, or null to let the client choose
record ProduceOptions(
        String topic,
        List<String> files,
        boolean whole,
        byte[] delimiter,
        byte @Nullable [] keySeparator,
        byte @Nullable [] key,
        List<Header> headers,
        @Nullable Integer partition,
        String compression,
        String acks) {
    static final String STANDARD_INPUT = "-";
    private static final Set<String> COMPRESSIONS = Set.of("none", "gzip", "snappy", "lz4", "zstd");
    private static final Set<String> ACKS = Set.of("0", "1", "all");

    static ProduceOptions from(ParseResult parsed) throws CommandFailure {
        List<String> files = parsed.matchedPositionalValue(1, List.<String>of());
        boolean whole = parsed.matchedOptionValue("--whole", false);
        String keySeparator = parsed.matchedOptionValue("--key-separator", null);
        String key = parsed.matchedOptionValue("--key", null);
        if (whole && (keySeparator != null || parsed.hasMatchedOption("--delimiter"))) {
            throw CommandFailure.usage("--whole makes a record of a file; --delimiter and --key-separator cut it up");
        }
        if (keySeparator != null && key != null) {
            throw CommandFailure.usage("--key and --key-separator both say what the key is; choose one");
        }
        Integer partition = parsed.matchedOptionValue("--partition", null);
        if (partition != null && partition < 0) {
            throw CommandFailure.usage("--partition must be 0 or more, not " + partition);
        }
        return new ProduceOptions(
                TopicName.from(parsed),
                files.isEmpty() ? List.of(STANDARD_INPUT) : files,
                whole,
                notEmpty("--delimiter", parsed.matchedOptionValue("--delimiter", "\\n")),
                keySeparator == null ? null : notEmpty("--key-separator", keySeparator),
                key == null ? null : key.getBytes(StandardCharsets.UTF_8),
                headers(parsed.matchedOptionValue("--header", List.<String>of())),
                partition,
                oneOf("--compression", COMPRESSIONS, parsed.matchedOptionValue("--compression", "none")),
                oneOf("--acks", ACKS, parsed.matchedOptionValue("--acks", "all")));
    }

    private static byte[] notEmpty(String option, String text) throws CommandFailure {
        byte[] bytes = Escapes.bytes(option, text);
        if (bytes.length == 0) {
            throw CommandFailure.usage(option + " must not be empty");
        }
        return bytes;
    }

    private static String oneOf(String option, Set<String> allowed, String value) throws CommandFailure {
        if (!allowed.contains(value)) {
            throw CommandFailure.usage(option + " " + value + " is none of "
                    + String.join(", ", allowed.stream().sorted().toList()));
        }
        return value;
    }

    /// A list, not a map: a record may have one header twice.
    private static List<Header> headers(List<String> texts) throws CommandFailure {
        List<Header> headers = new ArrayList<>();
        for (String text : texts) {
            KeyValue pair = KeyValue.parse("--header", text);
            headers.add(new RecordHeader(pair.key(), pair.value().getBytes(StandardCharsets.UTF_8)));
        }
        return List.copyOf(headers);
    }
}
