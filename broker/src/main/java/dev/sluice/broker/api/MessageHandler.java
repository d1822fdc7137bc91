package dev.sluice.broker.api;

import dev.sluice.broker.net.Request;
import dev.sluice.broker.protocol.MalformedRequestException;
import dev.sluice.broker.protocol.Messages;
import dev.sluice.broker.protocol.RequestHead;
import dev.sluice.broker.protocol.WireReader;
import java.nio.ByteBuffer;
import java.util.concurrent.Callable;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.Nullable;

/// A handler of a control-plane API: its messages are kafka-clients' generated ones.
///
/// @param <Q> the request's message
abstract class MessageHandler<Q extends ApiMessage> implements ApiHandler {
    /// Longer bodies are copied and parsed on another thread: parsing makes an object or two of each few bytes,
    /// and the connections of the loop should not wait for so many of them.
    private static final int PARSED_ON_LOOP_BYTES = 32 << 10;

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
    public void handle(RequestHead head, WireReader reader, Request request) {
        Exchange exchange = new Exchange(request, key, head.apiVersion(), head.correlationId(), head.clientId());
        ByteBuffer body = Bodies.of(reader, request);
        if (body.remaining() <= parsedOnLoopBytes()) {
            handle(read(head.apiVersion(), body), exchange);
            return;
        }
        ByteBuffer copy = ByteBuffer.allocate(body.remaining()).put(body).flip();
        short version = head.apiVersion();
        services.aside().run(request, key.name, () -> read(version, copy), parsed -> handle(parsed, exchange));
    }

    @SuppressWarnings("unchecked") // the generated reader of `key` makes messages of type Q
    private Q read(short version, ByteBuffer body) {
        BodyScan scan = scan(version, body.duplicate());
        if (scan != null && !scan.isCheapToRead()) {
            throw new MalformedRequestException(key.name, 0, "more names with equal hash codes than chance makes");
        }
        return (Q) Messages.read(key, version, body);
    }

    /// Longer bodies are parsed on another thread.
    int parsedOnLoopBytes() {
        return PARSED_ON_LOOP_BYTES;
    }

    /// What looks at a body before kafka-clients' reader does, which trusts it; null for an API whose requests have
    /// no keys.
    @Nullable BodyScan scan(short version, ByteBuffer body) {
        return null;
    }

    /// Answers through `exchange`, now or later.
    abstract void handle(Q body, Exchange exchange);

    /// Does work that may block on a control thread, and answers with what it returns; see [OffLoop].
    void offLoop(Exchange exchange, Callable<? extends ApiMessage> work) {
        services.offLoop().run(exchange.request(), key.name, work, exchange::answer);
    }

    /// Does work that takes long but needs no disk on another thread, and answers with what it returns.
    void aside(Exchange exchange, Callable<? extends ApiMessage> work) {
        services.aside().run(exchange.request(), key.name, work, exchange::answer);
    }
}
