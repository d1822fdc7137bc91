package dev.sluice.cli;

import java.util.List;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/// `sluice produce TOPIC [FILE]…`.
final class ProduceCommand implements Command {
    @Override
    public CommandSpec spec() {
        CommandSpec spec = Specs.of(
                this,
                "Send records to a topic.",
                "Each line of the files, or of standard input, is a record: byte for byte, without its newline.");
        spec.addPositional(Specs.parameter("0", "TOPIC", "The topic. Most brokers create it if it is missing."));
        spec.addPositional(PositionalParamSpec.builder()
                .index("1..*")
                .arity("0..*")
                .paramLabel("FILE")
                .type(List.class)
                .auxiliaryTypes(String.class)
                .description("Where the records come from; - is standard input. Default: standard input.")
                .build());
        spec.addOption(Specs.flag("--whole", "Make one record of each file."));
        spec.addOption(
                Specs.text("--delimiter", "STRING", "What ends a record; \\n \\r \\t \\0 \\\\ \\xHH. Default: \\n."));
        spec.addOption(Specs.text(
                "--key-separator",
                "STRING",
                "The key is what stands before the first STRING of a record. A record without it is an error."));
        spec.addOption(Specs.text("--key", "KEY", "The key of every record."));
        spec.addOption(Specs.repeated("--header", "KEY=VALUE", "A header of every record. May be repeated."));
        spec.addOption(OptionSpec.builder("-p", "--partition")
                .paramLabel("P")
                .type(Integer.class)
                .description("The partition of every record. Default: by the key; without one, in turns.")
                .build());
        spec.addOption(Specs.text("--compression", "CODEC", "none, gzip, snappy, lz4 or zstd. Default: none."));
        spec.addOption(Specs.text("--acks", "ACKS", "When a record counts as sent: 0, 1 or all. Default: all."));
        ClientOptions.addTo(spec);
        Specs.example(spec, "sluice produce logs access.log", "seq 10 | sluice produce numbers");
        Specs.exitCodes(
                spec,
                Ordered.map(
                        Map.entry("0", "every record was acknowledged (with --acks 0: sent)"),
                        Map.entry("1", "one was not; standard error says why and how many were"),
                        Map.entry("2", "bad arguments; nothing was sent"),
                        Map.entry("130", "stopped by Ctrl-C")));
        return spec;
    }

    @Override
    public int run(ParseResult parsed, Surroundings surroundings) throws Exception {
        ClientOptions client = ClientOptions.from(parsed, surroundings.environment(), KafkaClient.PRODUCER);
        return new Producing(client, ProduceOptions.from(parsed), surroundings).run();
    }
}
