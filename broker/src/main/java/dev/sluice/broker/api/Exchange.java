package dev.sluice.broker.api;

import dev.sluice.broker.net.Request;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;

/// A control-plane request and the way to answer it.
///
/// @param request  the connection's request; touched on its loop only
/// @param clientId what the client calls itself, perhaps nothing
record Exchange(Request request, ApiKeys key, short version, int correlationId, String clientId) {
    /// Answers on the loop's own thread, while the request is in hand: in its handler, or later from [OffLoop].
    void answer(ApiMessage body) {
        request.answer(key, version, correlationId, body);
    }
}
