package dev.sluice.broker.api;

import dev.sluice.broker.net.Request;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;

/// A control-plane request and the way to answer it.
///
/// @param request the connection's request; touched on its loop only
/// @param ticket  tells whether the request still waits, when the answer comes later
record Exchange(Request request, long ticket, ApiKeys key, short version, int correlationId) {
    /// Answers from the loop's own thread. Does nothing if the connection has gone meanwhile.
    void answer(ApiMessage body) {
        if (request.isCurrent(ticket)) {
            request.answer(key, version, correlationId, body);
        }
    }
}
