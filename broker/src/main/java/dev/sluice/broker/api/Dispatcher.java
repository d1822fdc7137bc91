package dev.sluice.broker.api;

import dev.sluice.broker.net.Request;
import dev.sluice.broker.net.RequestHandler;
import dev.sluice.broker.protocol.MalformedRequestException;
import dev.sluice.broker.protocol.RequestHead;
import dev.sluice.broker.protocol.WireReader;
import java.util.List;
import java.util.stream.Stream;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;

/// Finds the handler of each request of one loop, by API key and version.
///
/// What can't be understood closes its connection, as in Kafka: a malformed frame, an unknown API, a version that was
/// not offered. Only ApiVersions answers a version it does not know, so that a newer client can learn what there is.
public final class Dispatcher implements RequestHandler {
    /// The largest request of most APIs: names of thousands of topics fit.
    static final int LARGEST_FRAME_BYTES = 1 << 20;

    /// The largest of those that name partitions, tens of thousands of which fit.
    static final int LARGEST_FRAME_OF_PARTITIONS_BYTES = 4 << 20;

    private final @Nullable ApiHandler[] handlers;
    private final ApiVersionsHandler apiVersions;
    private final StatusHandler status;
    private final RequestHead head = new RequestHead();
    private final WireReader reader = new WireReader();

    private Dispatcher(List<ApiHandler> list, ApiVersionsHandler apiVersions, StatusHandler status) {
        int largest = list.stream().mapToInt(handler -> handler.key().id).max().orElse(0);
        this.handlers = new ApiHandler[largest + 1];
        this.apiVersions = apiVersions;
        this.status = status;
        for (ApiHandler handler : list) {
            handlers[handler.key().id] = handler;
        }
    }

    /// A dispatcher for one loop.
    public static Dispatcher of(Services services) {
        List<ApiHandler> offered = Handlers.offered(services);
        ApiVersionsHandler apiVersions = new ApiVersionsHandler(services, offered);
        return new Dispatcher(
                Stream.concat(offered.stream(), Stream.of(apiVersions)).toList(),
                apiVersions,
                new StatusHandler(services));
    }

    @Override
    public int largestFrameBytes(short apiKey) {
        ApiHandler handler = handler(apiKey);
        return handler == null ? LARGEST_FRAME_BYTES : handler.largestFrameBytes();
    }

    private @Nullable ApiHandler handler(short key) {
        return key >= 0 && key < handlers.length ? handlers[key] : null;
    }

    @Override
    public void handle(Request request) {
        try {
            reader.over(request.memory(), request.position(), request.position() + request.lengthBytes());
            if (status.isFor(request)) {
                status.handle(request);
                return;
            }
            head.parse(reader);
            short key = head.apiKey();
            ApiHandler handler = handler(key);
            if (handler == null) {
                request.close("asked for " + name(key) + ", which is not offered");
            } else if (head.apiVersion() >= handler.oldestVersion() && head.apiVersion() <= handler.newestVersion()) {
                handler.handle(head, reader, request);
            } else if (handler == apiVersions) {
                apiVersions.refuseVersion(head, request);
            } else {
                request.close("asked for version " + head.apiVersion() + " of " + name(key) + ", which has versions "
                        + handler.oldestVersion() + " to " + handler.newestVersion());
            }
        } catch (MalformedRequestException e) {
            request.close("sent a request that can't be read: " + e.getMessage());
        }
    }

    private static String name(short key) {
        return ApiKeys.hasId(key) ? ApiKeys.forId(key).name : "the unknown API " + key;
    }
}
