package dev.sluice.broker.net;

/// Takes up the requests of one loop's connections. Each loop has its own; it must not block.
@FunctionalInterface
public interface RequestHandler {
    /// Handles one whole frame. Exactly one of the request's answering methods is called, now or later.
    ///
    /// The frame's memory is the handler's until this method returns; what is needed later must be copied out.
    void handle(Request request);
}
