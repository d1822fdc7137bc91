package dev.sluice.broker.api;

import dev.sluice.broker.net.Request;
import dev.sluice.broker.protocol.RequestHead;
import dev.sluice.broker.protocol.WireReader;
import org.apache.kafka.common.protocol.ApiKeys;

/// Answers the requests of one API, on one event loop: each loop has handlers of its own, so they may keep scratch
/// state. Must not block.
interface ApiHandler {
    ApiKeys key();

    /// The oldest version that is answered.
    default short oldestVersion() {
        return key().oldestVersion();
    }

    /// The newest version that is answered.
    default short newestVersion() {
        return key().latestVersion(false);
    }

    /// The largest request that is taken, so that nobody makes this broker receive and parse what no client sends.
    default int largestFrameBytes() {
        return Dispatcher.LARGEST_FRAME_BYTES;
    }

    /// Handles a request of a version between the two above.
    ///
    /// @param head    the request's header; borrowed until this method returns
    /// @param reader  stands at the body; borrowed likewise
    /// @throws dev.sluice.broker.protocol.MalformedRequestException when the body is not what it should be; nothing
    ///     may have been changed or queued by then
    void handle(RequestHead head, WireReader reader, Request request);
}
