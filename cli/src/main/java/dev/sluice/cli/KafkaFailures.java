package dev.sluice.cli;

import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.errors.UnsupportedVersionException;

/// Says in one line what Kafka's client threw, and what to do about it.
final class KafkaFailures {
    private KafkaFailures() {}

    /// @param doing what was being done, to begin the line with: `create topic x`
    static CommandFailure explain(String doing, Throwable thrown, ClientOptions options) {
        Throwable cause = unwrapped(thrown);
        String message = oneLine(cause);
        return switch (cause) {
            case ConfigException _ -> CommandFailure.usage("--property: " + message, cause);
            case TopicExistsException _ -> CommandFailure.failed(doing + ": the topic exists already", cause);
            case UnknownTopicOrPartitionException _ ->
                CommandFailure.failed(doing + ": no such topic; sluice topic list shows those there are", cause);
            case InvalidTopicException _ ->
                CommandFailure.failed(doing + ": not a name for a topic; use up to 249 of a-z A-Z 0-9 . _ -", cause);
            case RecordTooLargeException _ ->
                CommandFailure.failed(
                        doing + ": larger than the topic takes (max.message.bytes); raise it with: sluice topic alter"
                                + " NAME --config max.message.bytes=N",
                        cause);
            case AuthenticationException _ ->
                CommandFailure.failed(doing + ": the broker refused us: " + message, cause);
            case AuthorizationException _ -> CommandFailure.failed(doing + ": not allowed: " + message, cause);
            case UnsupportedVersionException _ ->
                CommandFailure.failed(doing + ": the broker doesn't offer this: " + message, cause);
            case TimeoutException _ ->
                CommandFailure.failed(
                        doing + ": no answer from " + HostPort.join(options.bootstrap())
                                + " or from the address it advertises: " + message,
                        cause);
            default -> CommandFailure.failed(doing + ": " + message, cause);
        };
    }

    /// Without the wrappers that futures and client constructors put around what happened.
    static Throwable unwrapped(Throwable thrown) {
        Throwable cause = thrown;
        while (cause.getCause() != null
                && (cause instanceof ExecutionException
                        || cause instanceof CompletionException
                        || cause.getClass() == org.apache.kafka.common.KafkaException.class)) {
            cause = cause.getCause();
        }
        return cause;
    }

    private static String oneLine(Throwable thrown) {
        String message = thrown.getMessage();
        return message == null || message.isBlank()
                ? thrown.getClass().getSimpleName()
                : message.lines().findFirst().orElse("").strip();
    }
}
