package dev.sluice.broker.api;

import dev.sluice.broker.net.Request;
import dev.sluice.broker.protocol.Messages;
import dev.sluice.broker.protocol.RequestHead;
import dev.sluice.broker.protocol.WireReader;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A handler of a control-plane API: its messages are kafka-clients' generated ones.
///
/// @param <Q> the request's message
abstract class MessageHandler<Q extends ApiMessage> implements ApiHandler {
    private static final Logger LOG = LoggerFactory.getLogger(MessageHandler.class);

    private final ApiKeys key;
    final Services services;

    MessageHandler(ApiKeys key, Services services) {
        this.key = key;
        this.services = services;
    }

    @Override
    public ApiKeys key() {
        return key;
    }

    @Override
    @SuppressWarnings("unchecked") // the generated reader of `key` makes messages of type Q
    public void handle(RequestHead head, WireReader reader, Request request) {
        Q body = (Q) Messages.read(key, head.apiVersion(), Bodies.of(reader, request));
        handle(body, new Exchange(request, request.ticket(), key, head.apiVersion(), head.correlationId()));
    }

    /// Answers through `exchange`, now or later.
    abstract void handle(Q body, Exchange exchange);

    /// Work that may block, done off the loop.
    @FunctionalInterface
    interface Work {
        ApiMessage answer() throws Exception;
    }

    /// Does `work` on a control thread and answers with what it returns. When it throws, the connection is closed,
    /// for nothing sensible can be said: work answers foreseen failures by error codes.
    void offLoop(Exchange exchange, Work work) {
        services.control().execute(() -> {
            try {
                ApiMessage answer = work.answer();
                exchange.request().loop().execute(() -> exchange.answer(answer));
            } catch (Exception e) {
                LOG.error("{} failed", key.name, e);
                exchange.request().loop().execute(() -> {
                    if (exchange.request().isCurrent(exchange.ticket())) {
                        exchange.request().close(key.name + " failed");
                    }
                });
            }
        });
    }
}
