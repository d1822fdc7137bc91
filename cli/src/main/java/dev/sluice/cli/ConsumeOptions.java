package dev.sluice.cli;

import java.time.ZoneId;
import java.util.List;
import java.util.TreeSet;
import picocli.CommandLine.ParseResult;

/// What `sluice consume` was asked to print.
///
/// @param partitions those to read, sorted; empty for all
/// @param toEnd      stop at the ends as they are at the start
/// @param local      read the broker's files in place, on its host
/// @param max        stop after so many records; [Long#MAX_VALUE] for no such end
/// @param delimiter  written after each record; may be empty
/// @param separator  written between the fields of a record; may be empty
record ConsumeOptions(
        String topic,
        List<Integer> partitions,
        StartPosition from,
        boolean toEnd,
        boolean local,
        long max,
        List<RecordField> fields,
        byte[] delimiter,
        byte[] separator) {
    static ConsumeOptions from(ParseResult parsed) throws CommandFailure {
        List<Integer> partitions =
                List.copyOf(new TreeSet<>(parsed.matchedOptionValue("--partition", List.<Integer>of())));
        if (!partitions.isEmpty() && partitions.getFirst() < 0) {
            throw CommandFailure.usage("--partition must be 0 or more, not " + partitions.getFirst());
        }
        long max = parsed.matchedOptionValue("--max", Long.MAX_VALUE);
        if (max < 0) {
            throw CommandFailure.usage("--max must be 0 or more, not " + max);
        }
        return new ConsumeOptions(
                TopicName.from(parsed),
                partitions,
                StartPosition.parse(parsed.matchedOptionValue("--from", "beginning"), ZoneId.systemDefault()),
                parsed.matchedOptionValue("--to-end", false),
                parsed.matchedOptionValue("--local", false),
                max,
                RecordField.parseList(parsed.matchedOptionValue("--print", "value")),
                Escapes.bytes("--delimiter", parsed.matchedOptionValue("--delimiter", "\\n")),
                Escapes.bytes("--separator", parsed.matchedOptionValue("--separator", "\\t")));
    }
}
