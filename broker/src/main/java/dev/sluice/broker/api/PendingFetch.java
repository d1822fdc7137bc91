package dev.sluice.broker.api;

import dev.sluice.broker.catalogue.CatalogueImage;
import dev.sluice.broker.catalogue.Topic;
import dev.sluice.broker.net.NetworkLoop;
import dev.sluice.broker.net.Request;
import dev.sluice.broker.partition.Partition;
import dev.sluice.broker.protocol.FetchPlan;
import dev.sluice.broker.protocol.FetchResponseWriter;
import dev.sluice.io.loop.Timer;
import dev.sluice.io.transfer.Span;
import dev.sluice.log.PartitionLog;
import dev.sluice.log.ReadOutcome;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.UUID;
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
    private static final int NO_SESSION = FetchSessions.NO_SESSION;
    private static final int FIRST_EPOCH = 0;
    private static final int NO_EPOCH = -1;

    /// Before it, topics go by name, and there are no sessions here.
    private static final int FIRST_WITH_SESSIONS = 13;
    private static final int NO_REPLICA = -1;
    private static final long NO_OFFSET = -1;

    /// Before it, clients don't know KAFKA_STORAGE_ERROR.
    private static final int FIRST_WITH_STORAGE_ERROR = 6;

    private final Services services;
    private final NetworkLoop loop;
    private final Consumer<PendingFetch> recycle;
    private final FetchSessions sessions;
    private final FetchPlan asked = new FetchPlan();
    private final FetchFindings ownFindings = new FetchFindings();
    private final FetchResponseWriter writer;
    private final Timer timer;

    // What is asked, held to this broker's bounds.
    private int minBytes;
    private int maxBytes;

    /// The session that the fetch is of, or null.
    private FetchSessions.@Nullable Entry entry;

    /// Whether the session began before: then the answer leaves out what is not new.
    private boolean incremental;

    // What is looked at, and found: the session's, or this request's own.
    private FetchPlan plan = asked;
    private FetchFindings findings = ownFindings;
    private long foundBytes;
    private int lastFound;
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

    PendingFetch(Services services, NetworkLoop loop, FetchSessions sessions, Consumer<PendingFetch> recycle) {
        this.services = services;
        this.sessions = sessions;
        this.loop = loop;
        this.recycle = recycle;
        this.writer = new FetchResponseWriter(loop.slabs());
        this.timer = loop.loop().timer(() -> resume(this::hurry));
        this.image = services.catalogue().image();
    }

    /// Where the request is parsed into.
    FetchPlan plan() {
        return asked;
    }

    void begin(Request newRequest, int newCorrelationId) {
        newRequest.setPending(this); // first, so that whatever is thrown below ends in abandoned()
        request = newRequest;
        ticket = newRequest.ticket();
        correlationId = newCorrelationId;
        Errors refusal = enterSession();
        if (refusal != Errors.NONE) {
            answerError(refusal);
            return;
        }
        maxBytes = Math.clamp(plan.maxBytes(), 0, services.config().fetchMaxBytes());
        minBytes = Math.min(plan.minBytes(), maxBytes);
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

    /// Finds or begins the session, as in Kafka's `FetchManager.newContext`.
    private Errors enterSession() {
        int epoch = asked.sessionEpoch();
        FetchSessions.Entry known = sessions.find(asked.sessionId());
        if (epoch != FIRST_EPOCH && epoch != NO_EPOCH) {
            return known == null ? Errors.FETCH_SESSION_ID_NOT_FOUND : goOn(known);
        }
        if (known != null) {
            sessions.remove(known);
        }
        if (epoch == FIRST_EPOCH && asked.version() >= FIRST_WITH_SESSIONS && asked.partitionCount() > 0) {
            FetchSessions.Entry begun = sessions.create(asked, services.clock().millis());
            if (begun != null) {
                enter(begun);
            }
        }
        return Errors.NONE;
    }

    private Errors goOn(FetchSessions.Entry known) {
        if (asked.version() < FIRST_WITH_SESSIONS) {
            return Errors.FETCH_SESSION_TOPIC_ID_ERROR;
        }
        if (!sessions.use(known)) {
            return Errors.INVALID_FETCH_SESSION_EPOCH;
        }
        if (asked.sessionEpoch() != known.session.epoch()) {
            sessions.leave(known);
            return Errors.INVALID_FETCH_SESSION_EPOCH;
        }
        if (!sessions.goOn(known, asked, services.clock().millis())) {
            return Errors.FETCH_SESSION_ID_NOT_FOUND;
        }
        if (known.session.plan().partitionCount() == 0) {
            sessions.remove(known); // the request's own plan has no partition either
            return Errors.NONE;
        }
        enter(known);
        incremental = true;
        return Errors.NONE;
    }

    private void enter(FetchSessions.Entry newEntry) {
        entry = newEntry;
        plan = newEntry.session.plan();
        findings = newEntry.findings;
    }

    /// As in Kafka, a fetch of nothing waits for nothing: a consumer that closes sends one.
    private boolean isEnough() {
        return failed || foundBytes >= minBytes || plan.partitionCount() == 0;
    }

    private void park() {
        findings.releaseSpans(plan.partitionCount());
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
            PartitionLog log = findings.logs[p];
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
        findings.releaseSpans(plan.partitionCount());
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
        findings.reserve(plan.partitionCount());
        image = services.catalogue().image();
        endOffsets = 0;
        foundBytes = 0;
        failed = false;
        lastFound = -1;
        int start = entry == null ? 0 : entry.session.start();
        look(start, plan.partitionCount());
        look(0, start);
    }

    private void look(int from, int to) {
        for (int t = 0; t < plan.topicCount(); t++) {
            int first = Math.max(plan.firstPartition(t), from);
            int end = Math.min(plan.endPartition(t), to);
            if (first < end) {
                Topic topic = topic(t);
                for (int p = first; p < end; p++) {
                    findings.errors[p] = look(topic, p);
                    failed |= findings.errors[p] != Errors.NONE;
                }
            }
        }
    }

    private Errors look(@Nullable Topic topic, int p) {
        findings.logs[p] = null;
        if (topic == null) {
            return plan.isByTopicId() ? Errors.UNKNOWN_TOPIC_ID : Errors.UNKNOWN_TOPIC_OR_PARTITION;
        }
        Partition partition = topic.partition(plan.partitionIndex(p));
        if (partition == null) {
            return Errors.UNKNOWN_TOPIC_OR_PARTITION;
        }
        PartitionLog log = partition.log();
        findings.logs[p] = log;
        endOffsets += log.highWatermark(); // before the read: what is appended after it makes another sum
        int epoch = plan.currentLeaderEpoch(p);
        if (epoch >= 0 && epoch != log.leaderEpoch()) {
            return epoch < log.leaderEpoch() ? Errors.FENCED_LEADER_EPOCH : Errors.UNKNOWN_LEADER_EPOCH;
        }
        long room = Math.min(plan.partitionMaxBytes(p), maxBytes - foundBytes);
        boolean atLeastOneBatch = foundBytes == 0;
        try {
            ReadOutcome outcome = log.read(plan.fetchOffset(p), (int) Math.max(room, 0), atLeastOneBatch);
            findings.ends[p] = log.highWatermark();
            findings.starts[p] = log.logStartOffset();
            return switch (outcome) {
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
            findings.spans[p] = span;
            foundBytes += span.lengthBytes();
            lastFound = p;
        }
    }

    private @Nullable Topic topic(int t) {
        return plan.isByTopicId()
                ? image.topic(new UUID(plan.topicIdHigh(t), plan.topicIdLow(t)))
                : image.topic(plan.topicName(t));
    }

    private void answerError(Errors error) {
        writer.begin(correlationId, asked.version(), 0, error.code(), NO_SESSION, 0);
        send();
    }

    private void answer() {
        int session = entry == null ? NO_SESSION : entry.session.id();
        writer.begin(correlationId, plan.version(), 0, Errors.NONE.code(), session, countTopics());
        for (int t = 0; t < plan.topicCount(); t++) {
            int count = countPartitions(t);
            if (count == 0 && incremental) {
                continue;
            }
            if (plan.isByTopicId()) {
                writer.topic(plan.topicIdHigh(t), plan.topicIdLow(t), count);
            } else {
                writer.topic(plan.topicName(t), count);
            }
            for (int p = plan.firstPartition(t); p < plan.endPartition(t); p++) {
                if (isTold(p)) {
                    answerPartition(p);
                }
            }
        }
        if (entry != null && lastFound >= 0) {
            entry.session.startBehind(lastFound);
        }
        send();
    }

    private int countTopics() {
        if (!incremental) {
            return plan.topicCount();
        }
        int count = 0;
        for (int t = 0; t < plan.topicCount(); t++) {
            count += countPartitions(t) > 0 ? 1 : 0;
        }
        return count;
    }

    private int countPartitions(int t) {
        int all = plan.endPartition(t) - plan.firstPartition(t);
        if (!incremental) {
            return all;
        }
        int count = 0;
        for (int p = plan.firstPartition(t); p < plan.endPartition(t); p++) {
            count += isTold(p) ? 1 : 0;
        }
        return count;
    }

    /// Decided by what the look found, so that it stays the same while the answer is written.
    private boolean isTold(int p) {
        return !incremental
                || entry == null
                || findings.errors[p] != Errors.NONE
                || findings.spans[p] != null
                || entry.session.isNew(p, findings.ends[p], findings.starts[p]);
    }
    /// With an error no offset is told, and the list of aborted transactions is, as Kafka has it, empty where the
    /// partition is not known, and null where it is and could not be read.
    private void answerPartition(int p) {
        PartitionLog log = findings.logs[p];
        int index = plan.partitionIndex(p);
        if (log == null || findings.errors[p] != Errors.NONE) {
            boolean unknown = log == null;
            if (entry != null) {
                entry.session.toldError(p);
            }
            writer.partition(index, findings.errors[p].code(), NO_OFFSET, NO_OFFSET, NO_OFFSET, NO_REPLICA, unknown, 0);
            return;
        }
        Span span = findings.spans[p];
        long end = findings.ends[p];
        long start = findings.starts[p];
        if (entry != null) {
            entry.session.told(p, end, start);
        }
        int length = span == null ? 0 : (int) span.lengthBytes();
        writer.partition(index, Errors.NONE.code(), end, end, start, NO_REPLICA, plan.isReadCommitted(), length);
    }

    /// Queues the frame: its memory, and between the pieces of it the spans.
    private void send() {
        Request answered = current();
        MemorySegment frame = writer.end();
        long from = 0;
        int cut = 0;
        for (int p = 0; cut < writer.cutCount(); p++) {
            Span span = findings.spans[p];
            if (span != null) {
                long to = writer.cut(cut++);
                answered.send(frame, from, to - from, false);
                findings.spans[p] = null; // the connection's from here on
                answered.send(span);
                from = to;
            }
        }
        answered.send(frame, from, writer.lengthBytes() - from, true);
        clean();
        answered.done();
        recycle.accept(this);
    }

    /// Lets go of everything that belongs to the request.
    private void clean() {
        parked = false;
        request = null;
        timer.cancel();
        for (int i = 0; i < awaited.size(); i++) {
            awaited.get(i).forget(this);
        }
        awaited.clear();
        writer.abandon();
        findings.releaseSpans(plan.partitionCount());
        findings.forgetLogs(plan.partitionCount());
        asked.clear();
        if (ownFindings.shrink()) {
            awaited.trimToSize();
        }
        leaveSession();
    }

    private void leaveSession() {
        FetchSessions.Entry left = entry;
        if (left != null) {
            sessions.leave(left);
            entry = null;
        }
        incremental = false;
        plan = asked;
        findings = ownFindings;
    }

    private Request current() {
        Request now = request;
        if (now == null) {
            throw new IllegalStateException("no fetch is under way");
        }
        return now;
    }
}
