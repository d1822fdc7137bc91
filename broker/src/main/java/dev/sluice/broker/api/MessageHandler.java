package dev.sluice.broker.api;

import dev.sluice.broker.net.Request;
import dev.sluice.broker.protocol.Messages;
import dev.sluice.broker.protocol.RequestHead;
import dev.sluice.broker.protocol.WireReader;
import java.util.concurrent.Callable;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;

/// A handler of a control-plane API: its messages are kafka-clients' generated ones.
///
/// @param <Q> the request's message
abstract class MessageHandler<Q extends ApiMessage> implements ApiHandler {
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
        handle(body, new Exchange(request, key, head.apiVersion(), head.correlationId()));
    }

    /// Answers through `exchange`, now or later.
    abstract void handle(Q body, Exchange exchange);

    /// Does work that may block on a control thread, and answers with what it returns; see [OffLoop].
    void offLoop(Exchange exchange, Callable<? extends ApiMessage> work) {
        OffLoop.run(services.control(), exchange.request(), key.name, work, exchange::answer);
    }
}
