package dev.sluice.cli;

import java.util.List;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/// `sluice consume TOPIC`.
final class ConsumeCommand implements Command {
    @Override
    public CommandSpec spec() {
        CommandSpec spec = Specs.of(
                this,
                "Print the records of a topic.",
                "They go to standard output byte for byte. Partitions are read without a consumer group; the records of several"
                        + " come in no order between them.");
        spec.addPositional(Specs.parameter("0", "TOPIC", "The topic."));
        spec.addOption(OptionSpec.builder("-p", "--partition")
                .paramLabel("P")
                .type(List.class)
                .auxiliaryTypes(Integer.class)
                .description("Read this partition. May be repeated. Default: all.")
                .build());
        spec.addOption(Specs.text(
                "--from",
                "WHERE",
                "beginning, end, an offset (1234), the last N records (-N), ms since 1970 (@1767225600000), or a time"
                        + " (2026-01-31T12:00:00Z). Default: beginning."));
        spec.addOption(Specs.flag("--to-end", "Stop at the end as it is at the start. Default: wait for more."));
        spec.addOption(Specs.flag(
                "--local",
                "Read the records where they lie in the broker's files, on its host: no copy, and next to no CPU. At most"
                        + " 63 partitions."));
        spec.addOption(OptionSpec.builder("--max")
                .paramLabel("N")
                .type(Long.class)
                .description("Stop after N records.")
                .build());
        spec.addOption(Specs.text(
                "--print",
                "FIELDS",
                "What to print of a record, with commas: value, key, headers, offset, partition, timestamp (ms since 1970)."
                        + " Default: value."));
        spec.addOption(Specs.text(
                "--delimiter",
                "STRING",
                "What to print after a record; \\n \\r \\t \\0 \\\\ \\xHH, or nothing. Default: \\n."));
        spec.addOption(Specs.text("--separator", "STRING", "What to print between fields. Default: \\t."));
        ClientOptions.addTo(spec);
        Specs.example(spec, "sluice consume logs --from -10 --to-end --print offset,value");
        Specs.exitCodes(
                spec,
                Ordered.map(
                        Map.entry("0", "everything asked for was printed, or the reader of standard output had enough"),
                        Map.entry("1", "failed; standard error says why"),
                        Map.entry("2", "bad arguments"),
                        Map.entry("130", "stopped by Ctrl-C")));
        return spec;
    }

    @Override
    public int run(ParseResult parsed, Surroundings surroundings) throws Exception {
        ClientOptions client = ClientOptions.from(parsed, surroundings.environment(), KafkaClient.CONSUMER);
        return new Consuming(client, ConsumeOptions.from(parsed), surroundings).run();
    }
}
