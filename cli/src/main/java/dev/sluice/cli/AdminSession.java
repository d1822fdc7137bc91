package dev.sluice.cli;

import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.jspecify.annotations.Nullable;

/// A connection for administration: Kafka's own Admin client, bounded in time, with failures told in one line.
/// Used by one thread, closed by who opened it.
final class AdminSession implements AutoCloseable {
    private final Admin admin;
    private final ClientOptions options;

    private AdminSession(Admin admin, ClientOptions options) {
        this.admin = admin;
        this.options = options;
    }

    /// @throws CommandFailure when no broker answers
    static AdminSession open(ClientOptions options) throws CommandFailure {
        BrokerProbe.await(options);
        String timeoutMs = String.valueOf(options.timeout().toMillis());
        try {
            return new AdminSession(
                    Admin.create(options.clientProperties(Map.of(
                            "default.api.timeout.ms", timeoutMs,
                            "request.timeout.ms", timeoutMs))),
                    options);
        } catch (KafkaException e) {
            throw KafkaFailures.explain("connect", e, options);
        }
    }

    Admin admin() {
        return admin;
    }

    /// Waits for an answer; the client itself bounds the wait.
    ///
    /// @param answer from a map that the client made: it has an entry for each thing that was asked for
    <T> T await(String doing, @Nullable KafkaFuture<T> answer) throws CommandFailure {
        try {
            return Objects.requireNonNull(answer, doing).get();
        } catch (ExecutionException e) {
            throw KafkaFailures.explain(doing, e, options);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw CommandFailure.failed(doing + ": interrupted", e);
        }
    }

    @Override
    public void close() {
        admin.close(Duration.ofSeconds(1));
    }
}
