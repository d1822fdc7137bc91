package dev.sluice.cli;

import java.util.List;
import java.util.Map;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/// `sluice topic delete NAME`. Asks nothing: whoever types it means it, and scripts can't answer.
final class TopicDeleteCommand extends OneTopicCommand {
    @Override
    public CommandSpec spec() {
        return spec(
                "Delete a topic and all its records, without asking.",
                "sluice topic delete logs",
                Ordered.map(
                        Map.entry("0", "deleted"),
                        Map.entry("1", "no broker answers, or it has no such topic"),
                        Map.entry("2", "bad arguments")),
                Specs.flag("--if-exists", "Do nothing, and succeed, if there is no such topic."));
    }

    @Override
    Work prepare(String topic, ParseResult parsed) {
        boolean mayMiss = parsed.matchedOptionValue("--if-exists", false);
        return (session, out) -> {
            try {
                session.await(
                        "delete topic " + topic,
                        session.admin().deleteTopics(List.of(topic)).all());
                out.println("deleted topic " + topic);
            } catch (CommandFailure e) {
                if (!mayMiss || !(e.getCause() instanceof UnknownTopicOrPartitionException)) {
                    throw e;
                }
                out.println("there is no topic " + topic);
            }
        };
    }
}
