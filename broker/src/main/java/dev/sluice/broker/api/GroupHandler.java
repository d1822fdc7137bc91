package dev.sluice.broker.api;

import dev.sluice.broker.coordinator.Caller;
import dev.sluice.broker.coordinator.Groups;
import dev.sluice.broker.net.Request;
import java.io.IOException;
import java.net.InetAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A handler of an API of consumer groups: sees to it that the coordinator is loaded, asks it, and answers when it has.
///
/// @param <Q> the request's message
/// @param <A> what the coordinator answers
abstract class GroupHandler<Q extends ApiMessage, A> extends MessageHandler<Q> {
    private static final Logger LOG = LoggerFactory.getLogger(GroupHandler.class);

    GroupHandler(ApiKeys key, Services services) {
        super(key, services);
    }

    /// Requests name partitions, or carry an assignment of them.
    @Override
    public int largestFrameBytes() {
        return Dispatcher.LARGEST_FRAME_OF_PARTITIONS_BYTES;
    }

    // ---- What an API tells

    /// The answer that can be given without asking, or null.
    @Nullable ApiMessage answerAtOnce(Q body, short version) {
        return null;
    }

    /// Asks the coordinator. Called on the loop; must not wait.
    abstract CompletableFuture<A> ask(Groups groups, Caller caller, Q body);

    /// The message that carries the coordinator's answer.
    abstract ApiMessage answer(Q body, short version, A answered);

    /// The message that says what is wrong.
    abstract ApiMessage failure(Q body, short version, Errors error);

    /// Whether the coordinator may keep the answer back for minutes, until others have come.
    boolean mayWait() {
        return false;
    }

    // ---- How it goes

    @Override
    final void handle(Q body, Exchange exchange) {
        ApiMessage known = answerAtOnce(body, exchange.version());
        if (known != null) {
            exchange.answer(known);
        } else if (services.groups().isPrepared()) {
            ask(body, exchange);
        } else {
            services.offLoop().run(exchange.request(), key().name, this::prepare, prepared -> {
                if (prepared) {
                    ask(body, exchange);
                } else {
                    exchange.answer(failure(body, exchange.version(), Errors.COORDINATOR_NOT_AVAILABLE));
                }
            });
        }
    }

    /// @return whether that went well; if not, clients ask again
    boolean prepare() {
        try {
            services.groups().prepare();
            return true;
        } catch (IOException e) {
            LOG.warn("Groups are not available: {}", e.getMessage());
            return false;
        }
    }

    private void ask(Q body, Exchange exchange) {
        Request request = exchange.request();
        if (mayWait() && (request.loop().isDraining() || request.isPeerClosed())) {
            exchange.answer(failure(body, exchange.version(), Errors.NOT_COORDINATOR));
            return;
        }
        CompletableFuture<A> asked = ask(services.groups(), caller(exchange), body);
        if (asked.isDone()) {
            exchange.answer(finish(body, exchange.version(), asked));
            return;
        }
        if (mayWait()) {
            request.setPending(new Waiting(() -> failure(body, exchange.version(), Errors.NOT_COORDINATOR), exchange));
        }
        long ticket = request.ticket();
        var _ = asked.whenComplete((_, _) -> request.loop()
                .execute(() -> request.resume(ticket, () -> exchange.answer(finish(body, exchange.version(), asked)))));
    }

    private ApiMessage finish(Q body, short version, CompletableFuture<A> asked) {
        try {
            return answer(body, version, asked.join());
        } catch (CompletionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            Errors error = Errors.forException(cause);
            if (error == Errors.UNKNOWN_SERVER_ERROR) {
                LOG.error("{} failed", key().name, cause);
            }
            return failure(body, version, error);
        }
    }

    static Caller caller(Exchange exchange) {
        Request request = exchange.request();
        return new Caller(
                exchange.key(),
                exchange.version(),
                exchange.correlationId(),
                exchange.clientId(),
                address(request.socket().name()),
                request.listener().name());
    }

    /// @param peer the peer's address and port, as `Sockets.show` shows them
    private static InetAddress address(String peer) {
        String host = peer.substring(0, Math.max(0, peer.lastIndexOf(':')));
        return InetAddress.ofLiteral(host.startsWith("[") ? host.substring(1, host.length() - 1) : host);
    }

    /// A request whose answer is kept back.
    private record Waiting(Supplier<ApiMessage> impatient, Exchange exchange) implements Request.Pending {
        @Override
        public void hurry() {
            exchange.answer(impatient.get());
        }

        /// The member stays in its group until its session ends, as in Kafka.
        @Override
        public void abandoned() {}
    }
}
