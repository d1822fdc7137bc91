package dev.sluice.cli;

import java.io.PrintStream;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/// A command on one topic: the topic's name comes first, its options after it, and the work is done within a session
/// with the broker.
abstract class OneTopicCommand implements Command {
    /// The parameters that all of them have, and the command's own options before them.
    final CommandSpec spec(String summary, String example, Map<String, String> exitCodes, OptionSpec... own) {
        CommandSpec spec = Specs.of(this, summary);
        spec.addPositional(Specs.parameter("0", "NAME", "The topic."));
        for (OptionSpec option : own) {
            spec.addOption(option);
        }
        ClientOptions.addTo(spec);
        Specs.example(spec, example);
        Specs.exitCodes(spec, exitCodes);
        return spec;
    }

    static OptionSpec partitionsOption(String description) {
        return OptionSpec.builder("--partitions")
                .paramLabel("N")
                .type(Integer.class)
                .description(description)
                .build();
    }

    /// @return null when none were asked for
    static @Nullable Integer partitions(ParseResult parsed) throws CommandFailure {
        @Nullable Integer partitions = parsed.matchedOptionValue("--partitions", null);
        if (partitions != null && partitions < 1) {
            throw CommandFailure.usage("--partitions must be 1 or more, not " + partitions);
        }
        return partitions;
    }

    @Override
    public final int run(ParseResult parsed, Surroundings surroundings) throws CommandFailure {
        ClientOptions options = ClientOptions.from(parsed, surroundings.environment(), KafkaClient.ADMIN);
        String topic = TopicName.from(parsed);
        Work work = prepare(topic, parsed);
        try (AdminSession session = AdminSession.open(options)) {
            work.run(session, surroundings.out());
            return ExitCode.OK;
        }
    }

    /// Reads the command's own options, and refuses bad ones before anybody is asked.
    abstract Work prepare(String topic, ParseResult parsed) throws CommandFailure;

    /// What the broker is asked, and what is told of its answers.
    @FunctionalInterface
    interface Work {
        void run(AdminSession session, PrintStream out) throws CommandFailure;
    }
}
