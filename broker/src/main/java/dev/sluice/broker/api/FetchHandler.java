package dev.sluice.broker.api;

import dev.sluice.broker.net.Request;
import dev.sluice.broker.protocol.FetchRequest;
import dev.sluice.broker.protocol.NameCache;
import dev.sluice.broker.protocol.RequestHead;
import dev.sluice.broker.protocol.WireReader;
import java.util.ArrayDeque;
import org.apache.kafka.common.protocol.ApiKeys;

/// Fetch: parses the request, and hands it to a [PendingFetch], which answers at once or waits for more to read.
final class FetchHandler implements ApiHandler {
    /// Topic names that one loop remembers, so that a name seen before costs no allocation.
    private static final int NAMES = 1024;

    /// Finished ones that are kept for the next request.
    private static final int SPARE = 256;

    private final Services services;
    private final NameCache names = new NameCache(NAMES);
    private final FetchSessions sessions;
    private final ArrayDeque<PendingFetch> spare = new ArrayDeque<>();

    FetchHandler(Services services) {
        this.services = services;
        this.sessions = services.sessions();
    }

    @Override
    public ApiKeys key() {
        return ApiKeys.FETCH;
    }

    @Override
    public short oldestVersion() {
        return FetchRequest.OLDEST_VERSION;
    }

    @Override
    public short newestVersion() {
        return FetchRequest.NEWEST_VERSION;
    }

    @Override
    public int largestFrameBytes() {
        return Dispatcher.LARGEST_FRAME_OF_PARTITIONS_BYTES;
    }

    @Override
    public void handle(RequestHead head, WireReader reader, Request request) {
        if (spare.isEmpty()) {
            spare.addLast(new PendingFetch(services, request.loop(), sessions, this::recycle));
        }
        PendingFetch fetch = spare.getLast();
        FetchRequest.parse(reader, head.apiVersion(), names, fetch.plan());
        spare.removeLast();
        fetch.begin(request, head.correlationId());
    }

    private void recycle(PendingFetch fetch) {
        if (spare.size() < SPARE) {
            spare.addLast(fetch);
        }
    }
}
