package dev.sluice.cli;

import java.util.List;
import java.util.Map;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/// `sluice topic delete NAME`. Asks nothing: whoever types it means it, and scripts can't answer.
final class TopicDeleteCommand implements Command {
    @Override
    public CommandSpec spec() {
        CommandSpec spec = Specs.of(this, "Delete a topic and all its records, without asking.");
        spec.addPositional(TopicName.parameter("NAME", "The topic."));
        spec.addOption(OptionSpec.builder("--if-exists")
                .type(boolean.class)
                .arity("0")
                .description("Do nothing, and succeed, if there is no such topic.")
                .build());
        ClientOptions.addTo(spec);
        Specs.example(spec, "sluice topic delete logs");
        Specs.exitCodes(
                spec,
                Ordered.map(
                        Map.entry("0", "deleted"),
                        Map.entry("1", "no broker answers, or it has no such topic"),
                        Map.entry("2", "bad arguments")));
        return spec;
    }

    @Override
    public int run(ParseResult parsed, Surroundings surroundings) throws CommandFailure {
        ClientOptions options = ClientOptions.from(parsed, surroundings.environment());
        String name = TopicName.from(parsed);
        boolean mayMiss = parsed.matchedOptionValue("--if-exists", false);
        try (AdminSession session = AdminSession.open(options)) {
            session.await(
                    "delete topic " + name,
                    session.admin().deleteTopics(List.of(name)).all());
            surroundings.out().println("deleted topic " + name);
        } catch (CommandFailure e) {
            if (!mayMiss || !(e.getCause() instanceof UnknownTopicOrPartitionException)) {
                throw e;
            }
            surroundings.out().println("there is no topic " + name);
        }
        return ExitCode.OK;
    }
}
