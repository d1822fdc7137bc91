package dev.sluice.cli;

import java.util.Map;
import java.util.TreeSet;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/// `sluice topic list`: one name a line, sorted, so that scripts can read it.
final class TopicListCommand implements Command {
    @Override
    public CommandSpec spec() {
        CommandSpec spec = Specs.of(this, "List the topics, one name a line.");
        ClientOptions.addTo(spec);
        Specs.example(spec, "sluice topic list");
        Specs.exitCodes(
                spec,
                Ordered.map(
                        Map.entry("0", "done, even if there is none"),
                        Map.entry("1", "no broker answers"),
                        Map.entry("2", "bad arguments")));
        return spec;
    }

    @Override
    public int run(ParseResult parsed, Surroundings surroundings) throws CommandFailure {
        ClientOptions options = ClientOptions.from(parsed, surroundings.environment(), KafkaClient.ADMIN);
        try (AdminSession session = AdminSession.open(options)) {
            new TreeSet<>(session.await(
                            "list topics", session.admin().listTopics().names()))
                    .forEach(surroundings.out()::println);
            return ExitCode.OK;
        }
    }
}
