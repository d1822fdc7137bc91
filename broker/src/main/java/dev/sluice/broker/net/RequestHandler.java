package dev.sluice.broker.net;

/// Takes up the requests of one loop's connections. Each loop has its own; it must not block.
@FunctionalInterface
public interface RequestHandler {
    /// Handles one whole frame. Exactly one of the request's answering methods is called, now or later.
    ///
    /// The frame's memory is the handler's until this method returns; what is needed later must be copied out.
    void handle(Request request);

    /// The largest request of this API that is taken, in bytes without the size prefix. Asked as soon as a frame
    /// has told its API, before the rest of it is received.
    default int largestFrameBytes(short apiKey) {
        return Integer.MAX_VALUE;
    }
}
