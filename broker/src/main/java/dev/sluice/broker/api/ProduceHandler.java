package dev.sluice.broker.api;

import dev.sluice.broker.net.Request;
import dev.sluice.broker.protocol.NameCache;
import dev.sluice.broker.protocol.ProduceRequest;
import dev.sluice.broker.protocol.RequestHead;
import dev.sluice.broker.protocol.WireReader;
import java.util.ArrayDeque;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;

/// Produce: record batches from the receive buffer to the partitions' logs, without another copy in user space but for
/// small ones that come together, see [ProduceGroups].
///
/// The whole request is parsed before anything is appended, so nothing of a malformed one is stored. Each partition is
/// then checked and appended by itself, and answers its own error. On one node the leader is all replicas: acks=1 and
/// acks=all are the same, and are answered when the high watermark has passed the batches: at once, or when the flush
/// policy's flush is done (then [PendingProduce] waits). With acks=0 there is no answer; an error then closes the
/// connection, as in Kafka, so that the client notices.
///
/// A disk that stalls keeps a request until it goes on. Requests that come meanwhile are left where they are until
/// then, or until they are answered with REQUEST_TIMED_OUT.
final class ProduceHandler implements ApiHandler {
    /// Topic names that one loop remembers, so that a name seen before costs no allocation.
    private static final int NAMES = 1024;

    /// Topics and partitions of one request: far more than any client names, and each takes few bytes to ask for
    /// but up to a hundred to answer.
    static final int MOST_PARTS = 100_000;

    private final Services services;
    private final NameCache names = new NameCache(NAMES);

    /// Those that no request is in.
    private final ArrayDeque<ProduceRun> runs = new ArrayDeque<>(1);

    /// The loop's, made with its first request.
    private @Nullable ProduceGroups groups;

    ProduceHandler(Services services) {
        this.services = services;
    }

    @Override
    public ApiKeys key() {
        return ApiKeys.PRODUCE;
    }

    @Override
    public short oldestVersion() {
        return ProduceRequest.OLDEST_VERSION;
    }

    @Override
    public short newestVersion() {
        return ProduceRequest.NEWEST_VERSION;
    }

    @Override
    public int largestFrameBytes() {
        return services.config().net().largestFrameBytes();
    }

    @Override
    public void handle(RequestHead head, WireReader reader, Request request) {
        ProduceRun run = runs.pollLast();
        if (run == null) {
            run = new ProduceRun(
                    services, names, groups(request), request.loop().slabs(), runs::addLast);
        }
        run.handle(head, reader, request);
    }

    private ProduceGroups groups(Request request) {
        if (groups == null) {
            groups = new ProduceGroups(request.loop());
        }
        return groups;
    }
}
