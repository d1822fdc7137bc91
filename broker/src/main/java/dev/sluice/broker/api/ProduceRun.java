package dev.sluice.broker.api;

import dev.sluice.broker.catalogue.CatalogueImage;
import dev.sluice.broker.catalogue.Topic;
import dev.sluice.broker.catalogue.TopicNames;
import dev.sluice.broker.net.Request;
import dev.sluice.broker.partition.Partition;
import dev.sluice.broker.protocol.NameCache;
import dev.sluice.broker.protocol.ProduceRequest;
import dev.sluice.broker.protocol.ProduceResponseWriter;
import dev.sluice.broker.protocol.RecordAdmission;
import dev.sluice.broker.protocol.RequestHead;
import dev.sluice.broker.protocol.WireReader;
import dev.sluice.io.memory.SlabPool;
import dev.sluice.log.AppendOutcome;
import dev.sluice.log.BatchProblem;
import dev.sluice.log.BatchView;
import dev.sluice.log.Compression;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/// One Produce request, from its bytes to its answer: what [ProduceHandler] does, and what it needs for it.
///
/// ```
///   handle ──▶ appended ──▶ answered, or left to PendingProduce ──▶ handed back
///      └─────▶ LEFT TO A GROUP ──settled──▲
/// ```
///
/// Used for one request after the other. A loop has one, and one more for each thread that is away with a request in a
/// write to the disk, and for each request whose batch is in a group.
final class ProduceRun {
    private static final short NO_ACKS = 0;

    /// Before it, clients don't know KAFKA_STORAGE_ERROR.
    private static final short FIRST_WITH_STORAGE_ERROR = 4;

    private static final short FIRST_WITH_ZSTD = 7;
    private static final long NO_OFFSET = -1;
    private static final String STALLED = "the broker's disk has stalled";

    private final Services services;
    private final BatchView batch = new BatchView();
    private final WireReader reader = new WireReader();
    private final ProduceRequest produce;
    private final ProduceResponseWriter writer;
    private final RecordAdmission admission;
    private final ProduceGroups groups;
    private final Consumer<ProduceRun> recycle;
    private final LeftBatch left;

    // What became of the partition in hand, for its answer.
    private Errors error = Errors.NONE;
    private @Nullable String message;
    private List<RecordAdmission.RecordError> recordErrors = List.of();
    private long baseOffset;
    private long logAppendTimeMs;
    private long logStartOffset;

    /// The partition in hand, if its batch is stored and not acknowledged yet, and the offset behind that.
    private @Nullable Partition awaited;

    private long awaitedEnd;

    /// What is to be waited for before the request in hand is answered, or null for nothing.
    private @Nullable PendingProduce pending;

    /// The first error of the request, for the log; null when there was none.
    private @Nullable String firstFailure;

    /// @param names   borrowed; the loop's
    /// @param groups  the loop's
    /// @param recycle takes this back once its request needs it no more
    ProduceRun(Services services, NameCache names, ProduceGroups groups, SlabPool slabs, Consumer<ProduceRun> recycle) {
        this.services = services;
        this.groups = groups;
        this.recycle = recycle;
        this.left = new LeftBatch(this);
        this.produce = new ProduceRequest(names);
        this.writer = new ProduceResponseWriter(slabs);
        this.admission = new RecordAdmission(slabs, services.config().net().largestFrameBytes());
    }

    void handle(RequestHead head, WireReader body, Request request) {
        try {
            // A reader of its own: the loop's may be at another request's bytes when a write took long.
            produce.wrap(reader.over(body.memory(), body.position(), body.limit()), head.apiVersion());
            int parts = produce.topicCount() + produce.totalPartitions();
            if (parts > ProduceHandler.MOST_PARTS) {
                request.close("produced to " + parts + " topics and partitions at once");
            } else if (mustWait(request)) {
                request.awaitDisk(produce.timeoutMs());
            } else {
                short version = head.apiVersion();
                writer.begin(head.correlationId(), version, produce.topicCount());
                appendAll(version, request);
                if (!left.isLeft()) {
                    answer(request);
                }
            }
        } finally {
            if (!left.isLeft()) {
                handBack();
            }
        }
    }

    /// Its request needs it no more.
    void handBack() {
        pending = null;
        abandonAnswer();
        recycle.accept(this);
    }

    /// What the request was not given of its answer: with acks=0, or because it is gone or something threw.
    void abandonAnswer() {
        writer.abandon();
    }

    /// Answers the request whose only batch was left to a group.
    ///
    /// @param outcome null when nothing has been tried, for the disk was stalled for too long
    /// @param stored  the group's copy, with its offsets if it was appended; borrowed, and null with no outcome
    /// @param thrown  by the append, or null
    void answer(
            Request request,
            short version,
            Partition partition,
            @Nullable AppendOutcome outcome,
            @Nullable BatchView stored,
            @Nullable Throwable thrown) {
        if (thrown != null) {
            throw new IllegalStateException("A batch could not be appended with others", thrown);
        }
        if (outcome == null || stored == null) {
            fail(Errors.REQUEST_TIMED_OUT, STALLED);
        } else {
            take(outcome, stored, partition, version);
        }
        tell(request, version);
        answer(request);
    }

    private static boolean mustWait(Request request) {
        return request.loop().disk().isStalled() && !request.hasWaited();
    }

    private void appendAll(short version, Request request) {
        boolean stalled = request.loop().disk().isStalled();
        CatalogueImage image = services.catalogue().image();
        boolean acksValid = produce.acks() >= -1 && produce.acks() <= 1;
        firstFailure = null;
        while (produce.nextTopic()) {
            Topic topic;
            if (produce.isByTopicId()) {
                topic = image.topic(new UUID(produce.topicIdHigh(), produce.topicIdLow()));
                writer.topic(produce.topicIdHigh(), produce.topicIdLow(), produce.partitionCount());
            } else {
                topic = image.topic(produce.topicName());
                writer.topic(produce.topicName(), produce.partitionCount());
            }
            while (produce.nextPartition()) {
                clearOutcome();
                if (!acksValid) {
                    fail(Errors.INVALID_REQUIRED_ACKS, null);
                } else if (stalled) {
                    fail(Errors.REQUEST_TIMED_OUT, STALLED);
                } else {
                    append(topic, version, request);
                }
                if (left.isLeft()) {
                    return; // the only one
                }
                tell(request, version);
            }
        }
    }

    /// Writes what became of the partition in hand.
    private void tell(Request request, short version) {
        long place = writer.partition(
                produce.partitionIndex(),
                error.code(),
                baseOffset,
                logAppendTimeMs,
                logStartOffset,
                message,
                recordErrors);
        if (awaited != null && produce.acks() != NO_ACKS) {
            pending(request, version).add(awaited, awaitedEnd, place);
        }
    }

    private void answer(Request request) {
        if (produce.acks() == NO_ACKS) {
            if (firstFailure != null) {
                request.close("produced with acks=0 and failed: " + firstFailure);
            } else {
                request.done();
            }
            return;
        }
        MemorySegment frame = writer.end(0);
        if (pending != null) {
            pending.begin(frame, writer.lengthBytes(), produce.timeoutMs());
            return;
        }
        request.send(frame, writer.lengthBytes());
        request.done();
    }

    private PendingProduce pending(Request request, short version) {
        if (pending == null) {
            pending = new PendingProduce(request, version);
        }
        return pending;
    }

    private void append(@Nullable Topic topic, short version, Request request) {
        Partition partition = topic == null ? null : topic.partition(produce.partitionIndex());
        if (topic == null || partition == null) {
            boolean unknownId = topic == null && produce.isByTopicId();
            fail(unknownId ? Errors.UNKNOWN_TOPIC_ID : Errors.UNKNOWN_TOPIC_OR_PARTITION, null);
            return;
        }
        if (TopicNames.isInternal(topic.name())) {
            fail(Errors.INVALID_TOPIC_EXCEPTION, "Only the broker writes to " + topic.name());
            return;
        }
        if (produce.recordsLengthBytes() <= 0) {
            fail(Errors.INVALID_RECORD, "a partition of a produce request has exactly one record batch");
            return;
        }
        batch.wrap(request.memory(), request.view(), produce.recordsPosition(), produce.recordsLengthBytes());
        BatchProblem problem = batch.check(partition.log().config().maxMessageBytes());
        if (problem != BatchProblem.NONE) {
            fail(error(problem), explain(problem, partition));
        } else if (batch.compression() == Compression.ZSTD && version < FIRST_WITH_ZSTD) {
            fail(Errors.UNSUPPORTED_COMPRESSION_TYPE, "zstd needs Produce version " + FIRST_WITH_ZSTD);
        } else {
            admit(partition, request, version);
        }
    }

    private void admit(Partition partition, Request request, short version) {
        try {
            int maxBytes = partition.log().config().maxMessageBytes();
            if (admission.admit(
                    batch, partition.rules(), maxBytes, services.clock().millis())) {
                if (isOnlyOne() && groups.take(partition, admission.batch(), request, left)) {
                    left.leave(request, partition, version, produce.timeoutMs());
                } else {
                    take(append(partition, request), admission.batch(), partition, version);
                }
            } else {
                fail(admission.error(), admission.message());
                recordErrors = admission.recordErrors();
            }
        } finally {
            admission.release();
        }
    }

    /// Whether the answer ends behind that to the partition in hand.
    private boolean isOnlyOne() {
        return produce.topicCount() == 1 && produce.totalPartitions() == 1;
    }

    /// The disk may stall meanwhile, or somebody else hold the partition while it does.
    private AppendOutcome append(Partition partition, Request request) {
        BatchView admitted = admission.batch();
        long began = request.away();
        try {
            return partition.append(admitted);
        } finally {
            request.back(began);
        }
    }

    private void take(AppendOutcome outcome, BatchView stored, Partition partition, short version) {
        switch (outcome) {
            case AppendOutcome.Appended _ -> {
                baseOffset = stored.baseOffset();
                logAppendTimeMs = admission.logAppendTimeMs();
                logStartOffset = partition.log().logStartOffset();
                awaitUnlessAcknowledged(partition, stored.lastOffset() + 1);
            }
            case AppendOutcome.Duplicate duplicate -> {
                baseOffset = duplicate.baseOffset();
                logAppendTimeMs = duplicate.logAppendTimeMs();
                logStartOffset = duplicate.logStartOffset();
                awaitUnlessAcknowledged(partition, duplicate.lastOffset() + 1); // its first sending may wait still
            }
            case AppendOutcome.Rejected rejected -> fail(error(rejected.reason()), rejected.message());
            case AppendOutcome.Failed failed -> {
                fail(storageError(version), failed.message());
                logStartOffset = partition.log().logStartOffset();
            }
        }
    }

    /// What says that the disk failed. Clients try again after either, once they have asked who leads the
    /// partition.
    static Errors storageError(short version) {
        return version >= FIRST_WITH_STORAGE_ERROR ? Errors.KAFKA_STORAGE_ERROR : Errors.NOT_LEADER_OR_FOLLOWER;
    }

    private void awaitUnlessAcknowledged(Partition partition, long endOffset) {
        if (partition.log().highWatermark() < endOffset) {
            awaited = partition;
            awaitedEnd = endOffset;
        }
    }

    private static Errors error(AppendOutcome.Reason reason) {
        return switch (reason) {
            case OUT_OF_ORDER_SEQUENCE -> Errors.OUT_OF_ORDER_SEQUENCE_NUMBER;
            case INVALID_PRODUCER_EPOCH -> Errors.INVALID_PRODUCER_EPOCH;
            case TOO_LARGE_FOR_SEGMENT -> Errors.RECORD_LIST_TOO_LARGE;
            case TRANSACTIONAL -> Errors.INVALID_TXN_STATE;
            case CLOSED -> Errors.NOT_LEADER_OR_FOLLOWER;
        };
    }

    private static Errors error(BatchProblem problem) {
        return switch (problem) {
            case NONE -> Errors.NONE;
            case TOO_SHORT, NOT_ONE_BATCH, WRONG_MAGIC, WRONG_BASE_OFFSET, WRONG_COUNT, CONTROL, NEGATIVE_SEQUENCE ->
                Errors.INVALID_RECORD;
            case TOO_LARGE -> Errors.MESSAGE_TOO_LARGE;
            case WRONG_CRC, UNKNOWN_COMPRESSION -> Errors.CORRUPT_MESSAGE;
            case LOG_APPEND_TIME -> Errors.INVALID_TIMESTAMP;
        };
    }

    private static @Nullable String explain(BatchProblem problem, Partition partition) {
        return switch (problem) {
            case NONE -> null;
            case TOO_SHORT -> "the record batch is shorter than a batch's header";
            case NOT_ONE_BATCH -> "a partition of a produce request has exactly one record batch";
            case WRONG_MAGIC -> "record batches have magic 2";
            case WRONG_BASE_OFFSET -> "the base offset of a produced batch is 0";
            case TOO_LARGE ->
                "the record batch is larger than max.message.bytes, which is "
                        + partition.log().config().maxMessageBytes();
            case WRONG_CRC -> "the record batch's CRC does not match its bytes";
            case WRONG_COUNT -> "the number of records does not match the last offset delta";
            case CONTROL -> "clients can't write control batches";
            case UNKNOWN_COMPRESSION -> "the batch's compression is not known";
            case LOG_APPEND_TIME -> "a producer's batch has create time; append time is the broker's to set";
            case NEGATIVE_SEQUENCE -> "a batch with a producer id has a sequence ≥ 0";
        };
    }

    private void clearOutcome() {
        error = Errors.NONE;
        message = null;
        recordErrors = List.of();
        awaited = null;
        baseOffset = NO_OFFSET;
        logAppendTimeMs = -1;
        logStartOffset = NO_OFFSET;
    }

    private void fail(Errors newError, @Nullable String why) {
        error = newError;
        message = why;
        if (firstFailure == null) {
            firstFailure = why == null ? newError.name() : newError + ", " + why;
        }
    }
}
