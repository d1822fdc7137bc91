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
import java.util.UUID;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
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
/// Owned by its loop; [#grown] and [#wake] are called by appenders. Reused: whichever way a fetch ends, [#clean] lets
/// go of all it held before it is handed back.
final class PendingFetch implements Partition.Waiter, Request.Pending {
    private static final Logger LOG = LoggerFactory.getLogger(PendingFetch.class);
    private static final int READ_COMMITTED = 1;
    private static final int NO_SESSION = 0;
    private static final int NO_REPLICA = -1;
    private static final long NO_OFFSET = -1;

    /// Before it, clients don't know KAFKA_STORAGE_ERROR.
    private static final int FIRST_WITH_STORAGE_ERROR = 6;

    /// Partitions that the arrays begin with, and above which they are dropped with the fetch.
    private static final int FEW = 16;
    private static final int KEPT = 1024;

    private final Services services;
    private final NetworkLoop loop;
    private final Consumer<PendingFetch> recycle;
    private final FetchPlan plan = new FetchPlan();
    private final FetchResponseWriter writer;
    private final Timer timer;

    // What is asked, held to this broker's bounds.
    private int minBytes;
    private int maxBytes;

    // By the plan's numbers of partitions: what the last look found. Spans are null but between a look and what
    // follows.
    private Errors[] errors = new Errors[FEW];
    private @Nullable PartitionLog[] logs = new PartitionLog[FEW];
    private @Nullable Span[] spans = new Span[FEW];
    private long foundBytes;
    private boolean failed;

    // What the last look was taken of; offsets only rise, so another sum means that a log has grown.
    private CatalogueImage image;
    private long endOffsets;

    private final ArrayList<Partition> awaited = new ArrayList<>();
    private @Nullable Request request;
    private long ticket;
    private int correlationId;
    private boolean parked;

    /// Bytes appended since the last look; appenders add, the loop resets.
    private final AtomicLong grownBytes = new AtomicLong();

    /// Whether a look is on its way to the loop already.
    private final AtomicBoolean woken = new AtomicBoolean();

    /// How many more bytes would be enough; written by the loop after a look, read by appenders.
    private volatile long wantedBytes;

    PendingFetch(Services services, NetworkLoop loop, Consumer<PendingFetch> recycle) {
        this.services = services;
        this.loop = loop;
        this.recycle = recycle;
        this.writer = new FetchResponseWriter(loop.slabs());
        this.timer = loop.loop().timer(() -> resume(this::hurry));
        this.image = services.catalogue().image();
    }

    /// Where the request is parsed into.
    FetchPlan plan() {
        return plan;
    }

    void begin(Request newRequest, int newCorrelationId) {
        newRequest.setPending(this); // first, so that whatever is thrown below ends in abandoned()
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
        maxBytes = Math.clamp(plan.maxBytes(), 0, services.config().fetchMaxBytes());
        minBytes = Math.min(plan.minBytes(), maxBytes);
        if (newRequest.readsCold() && !loop.isDraining()) {
            warmUp();
        } else {
            lookFirst();
        }
    }

    private void lookFirst() {
        look();
        if (isEnough()
                || plan.maxWaitMs() <= 0
                || loop.isDraining()
                || current().isPeerClosed()) {
            answer();
        } else {
            park();
        }
    }

    /// Has index entries and batch headers that the look will want read from the disk on another thread: a consumer
    /// that reads cold records finds those cold too.
    private void warmUp() {
        ArrayList<PartitionLog> toRead = new ArrayList<>();
        long[] offsets = new long[plan.partitionCount()];
        for (int t = 0; t < plan.topicCount(); t++) {
            Topic topic = topic(t);
            for (int p = plan.firstPartition(t); p < plan.endPartition(t); p++) {
                Partition partition = topic == null ? null : topic.partition(plan.partitionIndex(p));
                if (partition != null) {
                    offsets[toRead.size()] = plan.fetchOffset(p);
                    toRead.add(partition.log());
                }
            }
        }
        Request asked = current();
        long asking = ticket;
        try {
            loop.executeCold(() -> {
                for (int i = 0; i < toRead.size(); i++) {
                    touch(toRead.get(i), offsets[i]);
                }
                loop.execute(() -> asked.resume(asking, this::lookFirst));
            });
        } catch (RejectedExecutionException e) { // the broker stops
            lookFirst();
        }
    }

    private static void touch(PartitionLog log, long offset) {
        try {
            if (log.read(offset, 1, true) instanceof ReadOutcome.Found found) {
                found.span().hold().release();
            }
        } catch (IOException e) {
            LOG.debug("{}-{} can't be read ahead", log.topic(), log.partition(), e); // the look will say so
        }
    }

    /// As in Kafka, a fetch of nothing waits for nothing: a consumer that closes sends one.
    private boolean isEnough() {
        return failed || foundBytes >= minBytes || plan.partitionCount() == 0;
    }

    private void park() {
        releaseSpans();
        parked = true;
        grownBytes.set(0);
        wantedBytes = minBytes - foundBytes;
        for (int t = 0; t < plan.topicCount(); t++) {
            Topic topic = topic(t);
            for (int p = plan.firstPartition(t); p < plan.endPartition(t); p++) {
                Partition partition = topic == null ? null : topic.partition(plan.partitionIndex(p));
                if (partition != null) {
                    awaited.add(partition);
                    partition.await(this);
                }
            }
        }
        timer.set(TimeUnit.MILLISECONDS.toNanos(plan.maxWaitMs()));
        // Something may have been appended, or a topic deleted, between the look and the waiting. The offsets tell that
        // without another look.
        if (services.catalogue().image() != image || sumOfEndOffsets() != endOffsets) {
            lookAgain();
        }
    }

    private long sumOfEndOffsets() {
        long sum = 0;
        for (int p = 0; p < plan.partitionCount(); p++) {
            PartitionLog log = logs[p];
            if (log != null) {
                sum += log.highWatermark();
            }
        }
        return sum;
    }

    private void lookAgain() {
        grownBytes.set(0);
        look();
        if (isEnough()) {
            answer();
            return;
        }
        releaseSpans();
        wantedBytes = minBytes - foundBytes;
        if (grownBytes.get() >= wantedBytes) {
            wake(); // it grew during the look, when appenders saw what was wanted before
        }
    }

    @Override
    public boolean grown(long lengthBytes) {
        return grownBytes.addAndGet(lengthBytes) >= wantedBytes;
    }

    @Override
    public void wake() {
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
        clean();
        recycle.accept(this);
    }

    /// Reads where the records are that the fetch would get now.
    private void look() {
        reserve(plan.partitionCount());
        image = services.catalogue().image();
        endOffsets = 0;
        foundBytes = 0;
        failed = false;
        for (int t = 0; t < plan.topicCount(); t++) {
            Topic topic = topic(t);
            for (int p = plan.firstPartition(t); p < plan.endPartition(t); p++) {
                errors[p] = look(topic, p);
                failed |= errors[p] != Errors.NONE;
            }
        }
    }

    private Errors look(@Nullable Topic topic, int p) {
        logs[p] = null;
        if (topic == null) {
            return plan.isByTopicId() ? Errors.UNKNOWN_TOPIC_ID : Errors.UNKNOWN_TOPIC_OR_PARTITION;
        }
        Partition partition = topic.partition(plan.partitionIndex(p));
        if (partition == null) {
            return Errors.UNKNOWN_TOPIC_OR_PARTITION;
        }
        PartitionLog log = partition.log();
        logs[p] = log;
        endOffsets += log.highWatermark(); // before the read: what is appended after it makes another sum
        int epoch = plan.currentLeaderEpoch(p);
        if (epoch >= 0 && epoch != log.leaderEpoch()) {
            return epoch < log.leaderEpoch() ? Errors.FENCED_LEADER_EPOCH : Errors.UNKNOWN_LEADER_EPOCH;
        }
        long room = Math.min(plan.partitionMaxBytes(p), maxBytes - foundBytes);
        boolean atLeastOneBatch = foundBytes == 0;
        try {
            return switch (log.read(plan.fetchOffset(p), (int) Math.max(room, 0), atLeastOneBatch)) {
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
            return plan.version() < FIRST_WITH_STORAGE_ERROR
                    ? Errors.NOT_LEADER_OR_FOLLOWER
                    : Errors.KAFKA_STORAGE_ERROR;
        }
    }

    private void take(int p, Span span) {
        if (span.lengthBytes() == 0) {
            span.hold().release();
        } else {
            spans[p] = span;
            foundBytes += span.lengthBytes();
        }
    }

    private @Nullable Topic topic(int t) {
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
                answerPartition(p);
            }
        }
        send();
    }

    /// With an error no offset is told, and the list of aborted transactions is, as Kafka has it, empty where the
    /// partition is not known, and null where it is and could not be read.
    private void answerPartition(int p) {
        PartitionLog log = logs[p];
        int index = plan.partitionIndex(p);
        if (log == null || errors[p] != Errors.NONE) {
            boolean unknown = log == null;
            writer.partition(index, errors[p].code(), NO_OFFSET, NO_OFFSET, NO_OFFSET, NO_REPLICA, unknown, 0);
            return;
        }
        Span span = spans[p];
        long end = log.highWatermark();
        boolean committed = plan.isolationLevel() == READ_COMMITTED;
        int length = span == null ? 0 : (int) span.lengthBytes();
        writer.partition(index, Errors.NONE.code(), end, end, log.logStartOffset(), NO_REPLICA, committed, length);
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
                spans[p] = null; // the connection's from here on
                answered.send(span);
                from = to;
            }
        }
        answered.send(
                frame.asSlice(from, writer.lengthBytes() - from),
                () -> loop.slabs().give(frame));
        clean();
        answered.done();
        recycle.accept(this);
    }

    /// Lets go of everything that belongs to the request.
    private void clean() {
        parked = false;
        request = null;
        timer.cancel();
        awaited.forEach(partition -> partition.forget(this));
        awaited.clear();
        writer.abandon();
        releaseSpans();
        Arrays.fill(logs, 0, Math.min(logs.length, plan.partitionCount()), null);
        plan.clear();
        if (errors.length > KEPT) {
            makeArrays(FEW);
            awaited.trimToSize();
        }
    }

    private void releaseSpans() {
        for (int p = 0; p < Math.min(spans.length, plan.partitionCount()); p++) {
            Span span = spans[p];
            if (span != null) {
                spans[p] = null;
                span.hold().release();
            }
        }
    }

    private void reserve(int partitions) {
        if (partitions > errors.length) {
            makeArrays(Math.max(partitions, errors.length * 2));
        }
    }

    private void makeArrays(int length) {
        errors = new Errors[length];
        logs = new PartitionLog[length];
        spans = new Span[length];
    }

    private Request current() {
        Request now = request;
        if (now == null) {
            throw new IllegalStateException("no fetch is under way");
        }
        return now;
    }
}
