package dev.sluice.broker.api;

import dev.sluice.broker.catalogue.CatalogueImage;
import dev.sluice.broker.catalogue.Topic;
import dev.sluice.broker.net.NetworkLoop;
import dev.sluice.broker.net.Request;
import dev.sluice.broker.partition.Partition;
import dev.sluice.broker.protocol.FetchPlan;
import dev.sluice.broker.protocol.FetchResponseWriter;
import dev.sluice.io.loop.Timer;
import dev.sluice.io.transfer.Hold;
import dev.sluice.io.transfer.Span;
import dev.sluice.log.PartitionLog;
import dev.sluice.log.ReadOutcome;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One fetch from its request to its answer.
///
/// ```
///   begin ──▶ enough to read, or an error, or no wait asked ──────────────▶ answered
///     │                                                                       ▲
///     └─▶ PARKED ── enough appended / topic gone / time over / hurried ───────┘
///            └───── connection closed ──▶ forgotten
/// ```
///
/// Records are never touched: what is read of a partition is a span of its file, which the socket sends. While parked
/// it costs nothing: an appender adds to a counter, and wakes the loop once the counter says that there may be enough.
/// Owned by its loop; [#grown] and [#gone] are called by appenders. Reused.
final class PendingFetch implements Partition.Waiter, Request.Pending {
    private static final Logger LOG = LoggerFactory.getLogger(PendingFetch.class);
    private static final int READ_COMMITTED = 1;
    private static final int NO_SESSION = 0;
    private static final int NO_REPLICA = -1;

    private final Services services;
    private final NetworkLoop loop;
    private final Consumer<PendingFetch> recycle;
    private final FetchPlan plan = new FetchPlan();
    private final FetchResponseWriter writer;
    private final Timer timer;

    // By the plan's numbers of partitions: what the last look found.
    private Errors[] errors = new Errors[16];
    private @Nullable PartitionLog[] logs = new PartitionLog[16];
    private @Nullable Span[] spans = new Span[16];
    private int foundBytes;
    private boolean failed;

    private final List<Partition> awaited = new ArrayList<>();
    private @Nullable Request request;
    private long ticket;
    private int correlationId;
    private boolean parked;

    /// Bytes appended since the last look; appenders add, the loop resets.
    private final AtomicInteger grownBytes = new AtomicInteger();

    /// Whether a look is on its way to the loop already.
    private final AtomicBoolean woken = new AtomicBoolean();

    /// How many more bytes would be enough; written by the loop before it looks, read by appenders.
    private volatile int wantedBytes;

    PendingFetch(Services services, NetworkLoop loop, Consumer<PendingFetch> recycle) {
        this.services = services;
        this.loop = loop;
        this.recycle = recycle;
        this.writer = new FetchResponseWriter(loop.slabs());
        this.timer = loop.loop().timer(() -> resume(this::hurry));
    }

    /// Where the request is parsed into.
    FetchPlan plan() {
        return plan;
    }

    void begin(Request newRequest, int newCorrelationId) {
        request = newRequest;
        ticket = newRequest.ticket();
        correlationId = newCorrelationId;
        if (plan.sessionId() != NO_SESSION || plan.sessionEpoch() > 0) {
            // Every answer of ours says session 0: there are none, so nobody can have one to go on with.
            answerError(
                    plan.sessionId() != NO_SESSION
                            ? Errors.FETCH_SESSION_ID_NOT_FOUND
                            : Errors.INVALID_FETCH_SESSION_EPOCH);
            return;
        }
        look();
        if (isEnough() || plan.maxWaitMs() <= 0 || loop.isDraining()) {
            answer();
        } else {
            park();
        }
    }

    private boolean isEnough() {
        return failed || foundBytes >= plan.minBytes();
    }

    private void park() {
        releaseSpans();
        parked = true;
        CatalogueImage image = services.catalogue().image();
        for (int t = 0; t < plan.topicCount(); t++) {
            Topic topic = topic(image, t);
            for (int p = plan.firstPartition(t); p < plan.endPartition(t); p++) {
                Partition partition = topic == null ? null : topic.partition(plan.partitionIndex(p));
                if (partition != null) {
                    partition.await(this);
                    awaited.add(partition);
                }
            }
        }
        current().setPending(this);
        timer.set(plan.maxWaitMs() * 1_000_000L);
        lookAgain(); // something may have been appended before we were waiting for it
    }

    private void lookAgain() {
        wantedBytes = 1;
        grownBytes.set(0);
        look();
        if (isEnough()) {
            answer();
        } else {
            wantedBytes = plan.minBytes() - foundBytes;
            releaseSpans();
            if (grownBytes.get() >= wantedBytes) {
                wake(); // it grew between the look and the line above
            }
        }
    }

    @Override
    public void grown(int lengthBytes) {
        if (grownBytes.addAndGet(lengthBytes) >= wantedBytes) {
            wake();
        }
    }

    @Override
    public void gone() {
        wake();
    }

    private void wake() {
        if (woken.compareAndSet(false, true)) {
            loop.execute(this::woken);
        }
    }

    private void woken() {
        woken.set(false);
        resume(() -> {
            if (parked) {
                lookAgain();
            }
        });
    }

    /// Does what a timer or an appender has asked for, if there is still a request to do it for.
    private void resume(Runnable work) {
        Request now = request;
        if (now != null) {
            now.resume(ticket, work);
        }
    }

    /// Time is over, or the broker stops, or the peer closed its side: answer with what there is.
    @Override
    public void hurry() {
        if (parked) {
            look();
            answer();
        }
    }

    @Override
    public void abandoned() {
        if (parked) {
            unpark();
            finish();
        }
    }

    private void unpark() {
        parked = false;
        timer.cancel();
        for (Partition partition : awaited) {
            partition.forget(this);
        }
        awaited.clear();
    }

    /// Reads where the records are that the fetch would get now.
    private void look() {
        reserve(plan.partitionCount());
        CatalogueImage image = services.catalogue().image();
        foundBytes = 0;
        failed = false;
        for (int t = 0; t < plan.topicCount(); t++) {
            Topic topic = topic(image, t);
            for (int p = plan.firstPartition(t); p < plan.endPartition(t); p++) {
                errors[p] = look(topic, p);
                failed |= errors[p] != Errors.NONE;
            }
        }
    }

    private Errors look(@Nullable Topic topic, int p) {
        logs[p] = null;
        spans[p] = null;
        if (topic == null) {
            return plan.isByTopicId() ? Errors.UNKNOWN_TOPIC_ID : Errors.UNKNOWN_TOPIC_OR_PARTITION;
        }
        Partition partition = topic.partition(plan.partitionIndex(p));
        if (partition == null) {
            return Errors.UNKNOWN_TOPIC_OR_PARTITION;
        }
        PartitionLog log = partition.log();
        logs[p] = log;
        int epoch = plan.currentLeaderEpoch(p);
        if (epoch >= 0 && epoch != log.leaderEpoch()) {
            return epoch < log.leaderEpoch() ? Errors.FENCED_LEADER_EPOCH : Errors.UNKNOWN_LEADER_EPOCH;
        }
        int room = Math.min(plan.partitionMaxBytes(p), plan.maxBytes() - foundBytes);
        boolean atLeastOneBatch = foundBytes == 0;
        try {
            return switch (log.read(plan.fetchOffset(p), Math.max(room, 0), atLeastOneBatch)) {
                case ReadOutcome.Found found -> {
                    take(p, found.span());
                    yield Errors.NONE;
                }
                case ReadOutcome.AtEnd _ -> Errors.NONE;
                case ReadOutcome.OutOfRange _ -> Errors.OFFSET_OUT_OF_RANGE;
                case ReadOutcome.Closed _ -> Errors.UNKNOWN_TOPIC_OR_PARTITION;
            };
        } catch (IOException e) {
            LOG.error("{}-{} can't be read", log.topic(), log.partition(), e);
            return Errors.KAFKA_STORAGE_ERROR;
        }
    }

    private void take(int p, Span span) {
        if (span.lengthBytes() == 0) {
            span.hold().release();
        } else {
            spans[p] = span;
            foundBytes += (int) span.lengthBytes();
        }
    }

    private @Nullable Topic topic(CatalogueImage image, int t) {
        return plan.isByTopicId()
                ? image.topic(new UUID(plan.topicIdHigh(t), plan.topicIdLow(t)))
                : image.topic(plan.topicName(t));
    }

    private void answerError(Errors error) {
        writer.begin(correlationId, plan.version(), 0, error.code(), NO_SESSION, 0);
        send();
    }

    private void answer() {
        writer.begin(correlationId, plan.version(), 0, Errors.NONE.code(), NO_SESSION, plan.topicCount());
        for (int t = 0; t < plan.topicCount(); t++) {
            int count = plan.endPartition(t) - plan.firstPartition(t);
            if (plan.isByTopicId()) {
                writer.topic(plan.topicIdHigh(t), plan.topicIdLow(t), count);
            } else {
                writer.topic(plan.topicName(t), count);
            }
            for (int p = plan.firstPartition(t); p < plan.endPartition(t); p++) {
                PartitionLog log = logs[p];
                Span span = spans[p];
                long end = log == null ? -1 : log.highWatermark();
                writer.partition(
                        plan.partitionIndex(p),
                        errors[p].code(),
                        end,
                        end,
                        log == null ? -1 : log.logStartOffset(),
                        NO_REPLICA,
                        plan.isolationLevel() == READ_COMMITTED,
                        span == null ? 0 : (int) span.lengthBytes());
            }
        }
        send();
    }

    /// Queues the frame: its memory, and between the pieces of it the spans.
    private void send() {
        Request answered = current();
        MemorySegment frame = writer.end();
        long from = 0;
        int cut = 0;
        for (int p = 0; cut < writer.cutCount(); p++) {
            Span span = spans[p];
            if (span != null) {
                long to = writer.cut(cut++);
                answered.send(frame.asSlice(from, to - from), Hold.NONE);
                answered.send(span);
                spans[p] = null; // the writer's now
                from = to;
            }
        }
        answered.send(
                frame.asSlice(from, writer.lengthBytes() - from),
                () -> loop.slabs().give(frame));
        if (parked) {
            unpark();
        }
        finish();
        answered.done();
    }

    private void finish() {
        releaseSpans();
        Arrays.fill(logs, null);
        request = null;
        recycle.accept(this);
    }

    private void releaseSpans() {
        for (int p = 0; p < spans.length; p++) {
            Span span = spans[p];
            if (span != null) {
                span.hold().release();
                spans[p] = null;
            }
        }
    }

    private void reserve(int partitions) {
        if (partitions > errors.length) {
            int length = Math.max(partitions, errors.length * 2);
            errors = new Errors[length];
            logs = new PartitionLog[length];
            spans = new Span[length];
        }
    }

    private Request current() {
        Request now = request;
        if (now == null) {
            throw new IllegalStateException("no fetch is under way");
        }
        return now;
    }
}
